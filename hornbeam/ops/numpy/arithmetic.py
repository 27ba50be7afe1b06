"""Arithmetic with two operands, and ``clip``.

Operands of different dtypes are brought to the common dtype of ``base.dtypes.result_type`` first; Python
scalars do not widen it. True division makes float32 of integers and bools; integer operators make int32 of bools.

Every function matches the Keras ``ops`` function of its name.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from hornbeam.base import dtypes
from hornbeam.core.door import op
from hornbeam.ops.promotion import as_float, kind_of, promote

__all__ = [
    "add",
    "arctan2",
    "clip",
    "divide",
    "divide_no_nan",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "gcd",
    "heaviside",
    "hypot",
    "lcm",
    "ldexp",
    "logaddexp",
    "logaddexp2",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "nextafter",
    "power",
    "subtract",
    "true_divide",
]


@op(adapt=True)
def add(x1: Array, x2: Array) -> Array:
    """Sum of the operands; for bools, whether either is true."""
    return jnp.add(*promote(x1, x2))


@op(adapt=True)
def subtract(x1: Array, x2: Array) -> Array:
    """Difference of the operands.

    Raises:
        TypeError: both operands are bools.
    """
    return jnp.subtract(*promote(x1, x2))


@op(adapt=True)
def multiply(x1: Array, x2: Array) -> Array:
    """Product of the operands; for bools, whether both are true."""
    return jnp.multiply(*promote(x1, x2))


@op(adapt=True)
def divide(x1: Array, x2: Array) -> Array:
    """True quotient, always floating or complex."""
    return jnp.true_divide(*promote(x1, x2, at_least=float))


true_divide = divide


@op(adapt=True)
def divide_no_nan(x1: Array, x2: Array) -> Array:
    """True quotient, and 0 where the divisor is 0; the gradients are 0 there too."""
    numerator, divisor = promote(x1, x2, at_least=float)
    is_zero = divisor == 0
    # The inner `where` keeps the infinite derivative of 1/0 out of the gradient: 0 * inf is nan.
    quotient = numerator / jnp.where(is_zero, jnp.ones_like(divisor), divisor)
    return jnp.where(is_zero, jnp.zeros_like(quotient), quotient)


@op(adapt=True)
def floor_divide(x1: Array, x2: Array) -> Array:
    """Largest integer not above the quotient, in the common dtype."""
    return jnp.floor_divide(*promote(x1, x2, at_least=int))


@op(adapt=True)
def mod(x1: Array, x2: Array) -> Array:
    """Remainder of ``floor_divide``; it has the sign of the divisor."""
    return jnp.mod(*promote(x1, x2, at_least=int))


@op(adapt=True)
def fmod(x1: Array, x2: Array) -> Array:
    """Remainder of division rounded toward zero; it has the sign of ``x1``."""
    return jnp.fmod(*promote(x1, x2, at_least=int))


@op(adapt=True)
def power(x1: Array, x2: Array) -> Array:
    """``x1`` raised to the power ``x2``; integers stay integers."""
    base, exponent = promote(x1, x2, at_least=int)
    if jnp.issubdtype(base.dtype, jnp.inexact) and not jnp.issubdtype(x2.dtype, jnp.inexact):
        # An exponent known to be whole has a finite derivative at 0 also for exponent 0.
        (exponent,) = promote(x2, at_least=int)
    return jnp.power(base, exponent)


@op(adapt=True)
def maximum(x1: Array, x2: Array) -> Array:
    """Larger operand; nan if either is nan. Equal operands share the gradient."""
    return jnp.maximum(*promote(x1, x2))


@op(adapt=True)
def minimum(x1: Array, x2: Array) -> Array:
    """Smaller operand; nan if either is nan. Equal operands share the gradient."""
    return jnp.minimum(*promote(x1, x2))


@op(adapt=True)
def fmax(x1: Array, x2: Array) -> Array:
    """Larger operand; nan only if both are nan."""
    return jnp.fmax(*promote(x1, x2))


@op(adapt=True)
def fmin(x1: Array, x2: Array) -> Array:
    """Smaller operand; nan only if both are nan."""
    return jnp.fmin(*promote(x1, x2))


@op(adapt=True)
def clip(x: Array, x_min: Array | None, x_max: Array | None) -> Array:
    """Limit values to the interval from ``x_min`` to ``x_max``.

    Args:
        x: values; bools count as int32.
        x_min: lower bound, broadcast against ``x``; None for no bound.
        x_max: upper bound likewise. Where the bounds cross, ``x_max`` wins.

    Returns:
        Array of the common dtype of the values and the bounds.
    """
    values, *bounds = promote(x, *(bound for bound in (x_min, x_max) if bound is not None), at_least=int)
    remaining = iter(bounds)
    lower = None if x_min is None else next(remaining)
    upper = None if x_max is None else next(remaining)
    return jnp.clip(values, lower, upper)


@op(adapt=True)
def arctan2(x1: Array, x2: Array) -> Array:
    """Angle of the point with ordinate ``x1`` and abscissa ``x2``, in radians from -pi to pi."""
    return jnp.arctan2(*promote(x1, x2, at_least=float))


@op(adapt=True)
def hypot(x1: Array, x2: Array) -> Array:
    """``sqrt(x1**2 + x2**2)`` without overflow of the squares."""
    return jnp.hypot(*promote(x1, x2, at_least=float))


@op(adapt=True)
def logaddexp(x1: Array, x2: Array) -> Array:
    """``log(exp(x1) + exp(x2))`` without overflow."""
    return jnp.logaddexp(*promote(x1, x2, at_least=float))


@op(adapt=True)
def logaddexp2(x1: Array, x2: Array) -> Array:
    """``log2(2**x1 + 2**x2)`` without overflow."""
    return jnp.logaddexp2(*promote(x1, x2, at_least=float))


@op(adapt=True)
def heaviside(x1: Array, x2: Array) -> Array:
    """Step function: 0 for negative ``x1``, ``x2`` at zero, 1 for positive ``x1``; nan stays nan."""
    return jnp.heaviside(*promote(x1, x2, at_least=float))


@op(adapt=True)
def nextafter(x1: Array, x2: Array) -> Array:
    """Neighbour of ``x1`` among the numbers of its dtype, on the side of ``x2``."""
    return jnp.nextafter(*promote(x1, x2, at_least=float))


@op
def ldexp(x1: Array, x2: Array) -> Array:
    """``x1 * 2**x2``.

    Args:
        x1: mantissas; integers and bools become float32.
        x2: exponents, integers.

    Raises:
        TypeError: ``x2`` does not hold integers.
    """
    exponent = kind_of(x2)
    if exponent is not int and not dtypes.as_dtype(exponent).is_integer:
        raise TypeError(f"ldexp(): the exponent `x2` must be of an integer dtype. Received: x2 dtype={exponent}")
    return jnp.ldexp(as_float(x1), x2)


@op(adapt=True)
def gcd(x1: Array, x2: Array) -> Array:
    """Greatest common divisor of integers; never negative."""
    return jnp.gcd(*promote(x1, x2))


@op(adapt=True)
def lcm(x1: Array, x2: Array) -> Array:
    """Least common multiple of integers; never negative."""
    return jnp.lcm(*promote(x1, x2))
