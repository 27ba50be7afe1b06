"""Comparisons, tests of single numbers, and logic; the results are bools.

Compared operands are brought to their common dtype first. In logic any number but 0 counts as true.
Every function matches the Keras ``ops`` function of its name.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from hornbeam.core.door import op
from hornbeam.ops.promotion import promote

__all__ = [
    "allclose",
    "equal",
    "greater",
    "greater_equal",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "signbit",
]


@op(adapt=True)
def equal(x1: Array, x2: Array) -> Array:
    """``x1 == x2`` element by element; nan equals nothing."""
    return jnp.equal(*promote(x1, x2))


@op(adapt=True)
def not_equal(x1: Array, x2: Array) -> Array:
    """``x1 != x2`` element by element."""
    return jnp.not_equal(*promote(x1, x2))


@op(adapt=True)
def greater(x1: Array, x2: Array) -> Array:
    """``x1 > x2`` element by element."""
    return jnp.greater(*promote(x1, x2))


@op(adapt=True)
def greater_equal(x1: Array, x2: Array) -> Array:
    """``x1 >= x2`` element by element."""
    return jnp.greater_equal(*promote(x1, x2))


@op(adapt=True)
def less(x1: Array, x2: Array) -> Array:
    """``x1 < x2`` element by element."""
    return jnp.less(*promote(x1, x2))


@op(adapt=True)
def less_equal(x1: Array, x2: Array) -> Array:
    """``x1 <= x2`` element by element."""
    return jnp.less_equal(*promote(x1, x2))


@op(static=("rtol", "atol", "equal_nan"), adapt=True)
def isclose(x1: Array, x2: Array, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Array:
    """Whether ``|x1 - x2| <= atol + rtol * |x2|`` element by element; equal infinities are close.

    Args:
        x1: values.
        x2: values they are compared with.
        rtol: tolerance relative to ``x2``.
        atol: absolute tolerance.
        equal_nan: whether two nans are close.
    """
    return jnp.isclose(*promote(x1, x2), rtol=rtol, atol=atol, equal_nan=equal_nan)


@op(static=("rtol", "atol", "equal_nan"), adapt=True)
def allclose(x1: Array, x2: Array, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Array:
    """Whether all elements are close, one bool; the arguments are those of ``isclose``."""
    return jnp.all(jnp.isclose(*promote(x1, x2), rtol=rtol, atol=atol, equal_nan=equal_nan))


@op
def isfinite(x: Array) -> Array:
    """Whether elements are neither nan nor infinite."""
    return jnp.isfinite(*promote(x))


@op
def isinf(x: Array) -> Array:
    """Whether elements are infinite, of either sign."""
    return jnp.isinf(*promote(x))


@op
def isnan(x: Array) -> Array:
    """Whether elements are nan."""
    return jnp.isnan(*promote(x))


@op
def isneginf(x: Array) -> Array:
    """Whether elements are minus infinity; not for complex numbers."""
    return jnp.isneginf(*promote(x))


@op
def isposinf(x: Array) -> Array:
    """Whether elements are plus infinity; not for complex numbers."""
    return jnp.isposinf(*promote(x))


@op
def isreal(x: Array) -> Array:
    """Whether the imaginary part is 0; true for all real dtypes."""
    return jnp.isreal(*promote(x))


@op
def signbit(x: Array) -> Array:
    """Whether the sign bit is set: true for negative numbers and for -0.0."""
    return jnp.signbit(*promote(x))


@op(adapt=True)
def logical_and(x1: Array, x2: Array) -> Array:
    """Whether both are true."""
    return jnp.logical_and(*promote(x1, x2))


@op(adapt=True)
def logical_or(x1: Array, x2: Array) -> Array:
    """Whether at least one is true."""
    return jnp.logical_or(*promote(x1, x2))


@op(adapt=True)
def logical_xor(x1: Array, x2: Array) -> Array:
    """Whether exactly one is true."""
    return jnp.logical_xor(*promote(x1, x2))


@op
def logical_not(x: Array) -> Array:
    """Whether the element is false."""
    return jnp.logical_not(*promote(x))
