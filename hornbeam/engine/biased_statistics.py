"""Statistics of a convolution with bias, taken of the convolution itself.

Before BatchNormalization a bias changes nothing but the mean. Yet what measures an array reads it from memory, so the
sum with the bias would be written for it alone: a pass over memory of each such layer. Here the statistics are those of
the array without the bias, and the bias is added to them.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from hornbeam.engine import moments
from hornbeam.engine.flat_program import readers, written_as
from hornbeam.engine.jax_compat import Literal


def unbias(closed: Any) -> Any:
    """A flat program that measures arrays without their bias: means, variances, and sums of products with gradients."""
    jaxpr = closed.jaxpr
    takers = readers(jaxpr.eqns)
    makers = {result: equation for equation in jaxpr.eqns for result in equation.outvars}
    biased: dict[Any, tuple[Any, Any]] = {}
    equations: list[Any] = []
    for equation in jaxpr.eqns:
        if equation.primitive.name == "add":
            found, result = _bias(equation, makers), equation.outvars[0]
            # If nothing measures the sum, there is no reason to change its products.
            if found is not None and any(taker.primitive.name == moments.NAME for taker in takers.get(result, ())):
                biased[result] = found
        equations += _unbiased(equation, biased, makers, takers) or [equation]
    return closed.replace(jaxpr=jaxpr.replace(eqns=equations)) if biased else closed


def _unbiased(equation: Any, biased: dict[Any, Any], makers: dict[Any, Any], takers: dict[Any, list[Any]]) -> list[Any]:
    """Operations on the array without bias that give the same; none if this one does not measure such an array."""
    name = equation.primitive.name
    if name == moments.NAME and _get(biased, equation.invars[0]) is not None:
        return written_as(_moments, biased[equation.invars[0]], equation.outvars)
    factors = _factors(equation, makers, takers) if name == "reduce_sum" else None
    for one, other in (factors, factors[::-1]) if factors else ():
        if _get(biased, one) is not None and _get(biased, other) is None:
            return written_as(_sum_of_products, (*biased[one], other), equation.outvars)
    return []


def _get(found: dict[Any, Any], atom: Any) -> Any:
    return None if isinstance(atom, Literal) else found.get(atom)


def _bias(equation: Any, makers: dict[Any, Any]) -> tuple[Any, Any] | None:
    """The array and the numbers per channel that are added to it, if this is such a sum in float32."""
    result = equation.outvars[0].aval
    if result.dtype != jnp.float32 or result.ndim < 2:
        return None
    for array, bias in (equation.invars, equation.invars[::-1]):
        if isinstance(array, Literal) or isinstance(bias, Literal) or array.aval.shape != result.shape:
            continue
        numbers = _per_channel(bias, result.shape, makers)
        if numbers is not None:
            return array, numbers
    return None


def _per_channel(atom: Any, shape: tuple[int, ...], makers: dict[Any, Any]) -> Any:
    """The atom that holds one number per channel, if this is such numbers spread over an array; else None."""
    channels = (*[1] * (len(shape) - 1), shape[-1])
    if atom.aval.shape == channels and channels != shape:
        return atom
    maker = makers.get(atom)
    if maker is None or maker.primitive.name != "broadcast_in_dim" or isinstance(maker.invars[0], Literal):
        return None
    source = maker.invars[0]
    is_last = tuple(maker.params["broadcast_dimensions"])[-1:] == (len(shape) - 1,)
    return source if is_last and source.aval.size == shape[-1] and source.aval.shape[-1] == shape[-1] else None


def _factors(equation: Any, makers: dict[Any, Any], takers: dict[Any, list[Any]]) -> list[Any] | None:
    """Both arrays of a sum of products over all axes but the last."""
    (product,) = equation.invars
    if isinstance(product, Literal) or tuple(equation.params["axes"]) != tuple(range(product.aval.ndim - 1)):
        return None
    maker = makers.get(product)
    if maker is None or maker.primitive.name != "mul" or len(takers[product]) != 1:
        return None
    full = all(not isinstance(atom, Literal) and atom.aval.shape == product.aval.shape for atom in maker.invars)
    return list(maker.invars) if full else None


def _moments(array: Array, bias: Array) -> tuple[Array, Array]:
    mean, variance = moments.measured(array)
    return mean + bias.reshape(mean.shape), variance


def _sum_of_products(array: Array, bias: Array, other: Array) -> Array:
    axes = tuple(range(array.ndim - 1))
    return jnp.sum(array * other, axis=axes) + bias.reshape(-1) * jnp.sum(other, axis=axes)
