"""Quick random bits for masks: a counter hash instead of a block cipher.

Threefry costs 10 to 50 times as much as the layer that uses the mask; hashing a running index costs next to nothing,
because it fuses into its consumer and needs no memory. The bits are good enough for dropout and noise masks.
Public random functions and initializers stay with threefry.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["hash_keep_mask", "hash_uniform_bits"]

_GOLDEN = np.uint32(0x9E3779B9)
# Rotations and multipliers of "lowbias32", an integer hash found by search for the least avalanche bias.
_FIRST, _SECOND = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)


def hash_uniform_bits(seed_state: jax.Array, shape: Sequence[int]) -> jax.Array:
    """Uniform ``uint32`` bits, a function of the state and the place in the array.

    The state is stretched by one threefry block into two words. The first shifts the index, the second enters in the
    middle of the hash, so that two states do not give shifted copies of one sequence.

    Args:
        seed_state: ``uint32[2]``, key data of one draw.
        shape: sizes of the result; after 2**32 elements the sequence repeats.
    """
    key = jax.random.wrap_key_data(seed_state, impl="threefry2x32")
    start, inner = jax.random.bits(key, (2,), jnp.uint32)
    bits = jax.lax.iota(jnp.uint32, math.prod(shape)) * _GOLDEN + start
    bits = (bits ^ (bits >> 16)) * _FIRST
    bits = bits ^ inner
    bits = (bits ^ (bits >> 15)) * _SECOND
    return (bits ^ (bits >> 16)).reshape(tuple(shape))


def hash_keep_mask(seed_state: jax.Array, shape: Sequence[int], keep: float) -> jax.Array:
    """Boolean mask that is True with probability ``keep``, to a precision of 2**-32."""
    limit = round(keep * 2**32)
    if limit >= 2**32:
        return jnp.ones(tuple(shape), bool)
    return hash_uniform_bits(seed_state, shape) < np.uint32(max(limit, 0))
