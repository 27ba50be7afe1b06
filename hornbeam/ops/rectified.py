"""Rectified linear units whose derivatives look at their results.

The result says where the argument was between the bounds. Asked of the argument, as JAX does, training keeps both in
memory, and half precision is rounded twice.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

__all__ = ["rectified", "rectified_up_to_6"]

_Pair = tuple[jax.Array, jax.Array]


@jax.custom_jvp
def rectified(x: jax.Array) -> jax.Array:
    """``max(x, 0)``; its derivative at 0 is 0."""
    return jnp.maximum(x, 0)


@rectified.defjvp
def _slope(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> _Pair:
    result = rectified(*primals)
    return result, jnp.where(result > 0, tangents[0], jnp.zeros_like(tangents[0]))


@jax.custom_jvp
def rectified_up_to_6(x: jax.Array) -> jax.Array:
    """``min(max(x, 0), 6)``; its derivative at 0 and at 6 is 0, as in TensorFlow (JAX has 0.5 there)."""
    return jnp.minimum(jnp.maximum(x, 0), 6)


@rectified_up_to_6.defjvp
def _slope_up_to_6(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> _Pair:
    result = rectified_up_to_6(*primals)
    return result, jnp.where((result > 0) & (result < 6), tangents[0], jnp.zeros_like(tangents[0]))
