"""Statistics of a convolution or product with bias, taken of the convolution itself.

Before BatchNormalization a bias changes nothing but the mean. Yet what measures an array reads it from memory, so the
sum with the bias would be written for it alone: a pass over memory of each such layer. Here the statistics are those of
the array without the bias, and the bias is added to them.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from hornbeam.engine import conv, conv_gradients, gradient_sums, moments
from hornbeam.engine.channel_patterns import per_channel
from hornbeam.engine.flat_program import makers, readers, written_as
from hornbeam.engine.jax_compat import Literal

_MADE_BY = (conv.CANONICAL, conv_gradients.INPUT, "dot_general")


def unbias(closed: Any) -> Any:
    """A flat program that measures arrays without their bias: means, variances, and sums of products with gradients."""
    jaxpr = closed.jaxpr
    takers, made_by = readers(jaxpr.eqns), makers(jaxpr.eqns)
    biased: dict[Any, tuple[Any, Any]] = {}
    equations: list[Any] = []
    for equation in jaxpr.eqns:
        if equation.primitive.name == "add":
            found, result = _bias(equation, made_by), equation.outvars[0]
            # If nothing measures the sum, there is no reason to change its products.
            if found is not None and any(taker.primitive.name == moments.NAME for taker in takers.get(result, ())):
                biased[result] = found
        equations += _unbiased(equation, biased) or [equation]
    return closed.replace(jaxpr=jaxpr.replace(eqns=equations)) if biased else closed


def _unbiased(equation: Any, biased: dict[Any, Any]) -> list[Any]:
    """Operations on the array without bias that give the same; none if this one does not measure such an array."""
    name = equation.primitive.name
    if name == moments.NAME and equation.invars[0] in biased:
        return written_as(_moments, biased[equation.invars[0]], equation.outvars)
    if name == gradient_sums.NAME and equation.invars[1] in biased:
        return written_as(_gradient_sums, [equation.invars[0], *biased[equation.invars[1]]], equation.outvars)
    return []


def _bias(equation: Any, made_by: dict[Any, Any]) -> tuple[Any, Any] | None:
    """The array and the numbers per channel that are added to it, if this is such a sum."""
    result = equation.outvars[0].aval
    if result.ndim < 2:
        return None
    operands: list[Any] = equation.invars
    for array, bias in (operands, operands[::-1]):
        # Of other sums nobody knows whether the one does not cancel a large mean of the other.
        maker = None if isinstance(array, Literal) else made_by.get(array)
        if maker is None or maker.primitive.name not in _MADE_BY or maker.outvars[0].aval.shape != result.shape:
            continue
        numbers = per_channel(bias, result.shape, made_by)
        if numbers is not None:
            return array, numbers
    return None


def _moments(array: Array, bias: Array) -> tuple[Array, Array]:
    mean, variance = moments.measured(array)
    return mean + _wide(bias), variance


def _gradient_sums(gradient: Array, array: Array, bias: Array) -> tuple[Array, Array]:
    total, of_products = gradient_sums.gradient_sums(gradient, array)
    return total, of_products + _wide(bias) * total


def _wide(bias: Array) -> Array:
    return bias.reshape(-1).astype(jnp.float32)
