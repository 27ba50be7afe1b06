"""Rounding to whole numbers, or to a number of decimals.

Every function matches the Keras ``ops`` function of its name.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from hornbeam.core.door import op
from hornbeam.ops.promotion import as_float, promote

__all__ = ["ceil", "floor", "round", "trunc"]


@op
def floor(x: Array) -> Array:
    """Largest whole number not above ``x``; integers and bools become float32."""
    return jnp.floor(as_float(x))


@op
def ceil(x: Array) -> Array:
    """Smallest whole number not below ``x``; integers and bools become float32."""
    return jnp.ceil(as_float(x))


@op
def trunc(x: Array) -> Array:
    """Whole number next to ``x`` toward zero; integers and bools are returned as they are."""
    (x,) = promote(x)
    return jnp.trunc(x) if jnp.issubdtype(x.dtype, jnp.inexact) else x


@op(static=("decimals",))
def round(x: Array, decimals: int = 0) -> Array:
    """Nearest multiple of ``10**-decimals``; halves go to the even one.

    Args:
        x: numbers; integers stay integers.
        decimals: digits kept after the decimal point; negative ones round to tens, hundreds ...
    """
    (x,) = promote(x)
    if decimals < 0 and jnp.issubdtype(x.dtype, jnp.integer):
        return _round_integers(x, 10**-decimals)
    return jnp.round(x, decimals=decimals)


def _round_integers(x: Array, unit: int) -> Array:
    """Nearest multiple of ``unit``, exact for all integers (float32 would lose those above 2**24)."""
    if unit > jnp.iinfo(x.dtype).max:
        return jnp.zeros_like(x)
    step = jnp.asarray(unit, x.dtype)
    lower, rest = jnp.floor_divide(x, step), jnp.mod(x, step)
    above = step - rest
    up = (rest > above) | ((rest == above) & (lower % 2 == 1))
    return (lower + up.astype(x.dtype)) * step
