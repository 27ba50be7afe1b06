"""The variance of real floats, with a derivative that is one sum."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp

__all__ = ["variance_of"]

Axes = int | tuple[int, ...] | None


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def variance_of(x: jax.Array, axis: Axes, keepdims: bool = False) -> jax.Array:
    """Mean squared distance from the mean.

    The mean moves with ``x`` too, but what that adds to the derivative is the sum of the distances from the mean:
    zero. Left to itself, automatic differentiation writes out an array of the size of ``x`` to compute this zero,
    a tenth of the time of a training step of networks with many BatchNormalization layers.

    Args:
        x: real floats, wide enough for the sums.
        axis: axes to reduce, None for all.
        keepdims: whether they stay, with size 1.
    """
    return jnp.var(x, axis=axis, keepdims=keepdims)


@variance_of.defjvp
def _variance_jvp(axis: Axes, keepdims: bool, primals: tuple, tangents: tuple) -> tuple[jax.Array, jax.Array]:
    (x,), (dx,) = primals, tangents
    distance = x - jnp.mean(x, axis=axis, keepdims=True)
    return variance_of(x, axis, keepdims), 2 * jnp.mean(distance * dx, axis=axis, keepdims=keepdims)
