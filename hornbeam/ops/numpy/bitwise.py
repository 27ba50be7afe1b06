"""Bit operations on integers and bools, in the common dtype of the operands.

Every function matches the Keras ``ops`` function of its name.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from hornbeam.core.door import op
from hornbeam.ops.promotion import promote

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "left_shift",
    "right_shift",
]


@op(adapt=True)
def bitwise_and(x: Array, y: Array) -> Array:
    """Bits set in both."""
    return jnp.bitwise_and(*promote(x, y))


@op(adapt=True)
def bitwise_or(x: Array, y: Array) -> Array:
    """Bits set in either."""
    return jnp.bitwise_or(*promote(x, y))


@op(adapt=True)
def bitwise_xor(x: Array, y: Array) -> Array:
    """Bits set in exactly one."""
    return jnp.bitwise_xor(*promote(x, y))


@op
def bitwise_invert(x: Array) -> Array:
    """Every bit turned over; for bools the negation."""
    return jnp.invert(*promote(x))


bitwise_not = bitwise_invert


@op(adapt=True)
def bitwise_left_shift(x: Array, y: Array) -> Array:
    """Bits of ``x`` moved up by ``y`` places; bools count as int32."""
    return jnp.left_shift(*promote(x, y, at_least=int))


left_shift = bitwise_left_shift


@op(adapt=True)
def bitwise_right_shift(x: Array, y: Array) -> Array:
    """Bits of ``x`` moved down by ``y`` places, the sign kept; bools count as int32."""
    return jnp.right_shift(*promote(x, y, at_least=int))


right_shift = bitwise_right_shift
