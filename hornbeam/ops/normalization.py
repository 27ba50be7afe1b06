"""Whole formulas of the normalization layers, each one program."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base import dtypes
from hornbeam.core.door import op
from hornbeam.engine import moments
from hornbeam.ops.promotion import promote, to_dtype
from hornbeam.ops.variance import variance_of

__all__ = ["batch_normalization_apply", "batch_normalization_train", "group_normalization"]


def _per_channel(parameter: Any, x: jax.Array, axis: int) -> jax.Array:
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]
    return to_dtype(parameter, x.dtype).reshape(shape)


def _affine(x: jax.Array, mean: Any, variance: Any, gamma: Any, beta: Any, axis: int, epsilon: float) -> jax.Array:
    """``(x - mean) * inverse + beta``, as one multiplication and one addition per element."""
    inverse = jax.lax.rsqrt(_per_channel(variance, x, axis) + epsilon)
    if gamma is not None:
        inverse = inverse * _per_channel(gamma, x, axis)
    shift = -_per_channel(mean, x, axis) * inverse
    return x * inverse + (shift if beta is None else shift + _per_channel(beta, x, axis))


def _wide_enough(x: Any) -> jax.Array:
    """At least float32, in which all statistics are computed."""
    return promote(x, at_least="float32")[0]


def _numpy(dtype: Any) -> Any:
    return dtypes.as_dtype(dtype).as_numpy_dtype


@op(static=("axis", "epsilon", "dtype"))
def batch_normalization_apply(
    x: Any, mean: Any, variance: Any, gamma: Any, beta: Any, axis: int, epsilon: float, dtype: Any
) -> jax.Array:
    """Normalize one axis with known statistics: ``(x - mean) / sqrt(variance + epsilon) * gamma + beta``.

    Args:
        x: any array with the axis.
        mean: mean per channel.
        variance: variance per channel.
        gamma: factor per channel, or None.
        beta: offset per channel, or None.
        axis: axis of the channels.
        epsilon: added to the variance.
        dtype: dtype of the result.
    """
    return _affine(_wide_enough(x), mean, variance, gamma, beta, axis, epsilon).astype(_numpy(dtype))


@op(static=("axis", "momentum", "epsilon", "least_weight", "dtype"))
def batch_normalization_train(
    x: Any,
    moving_mean: Any,
    moving_variance: Any,
    gamma: Any,
    beta: Any,
    mask: Any,
    axis: int,
    momentum: float,
    epsilon: float,
    least_weight: float,
    dtype: Any,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Normalize one axis with the statistics of the batch, and move the moving statistics on.

    Args:
        x: any array with the axis.
        moving_mean: moving mean per channel.
        moving_variance: moving variance per channel.
        gamma: factor per channel, or None.
        beta: offset per channel, or None.
        mask: which positions count, without the last axis of ``x``; None for all.
        axis: axis of the channels.
        momentum: weight of the old moving statistics.
        epsilon: added to the variance.
        least_weight: added to the number of positions that count.
        dtype: dtype of the result.

    Returns:
        (outputs, new moving mean, new moving variance).
    """
    stored = promote(x)[0]
    x = _wide_enough(stored)
    mean, variance = _statistics(x, stored, mask, axis, least_weight)
    outputs = _affine(x, mean, variance, gamma, beta, axis, epsilon).astype(_numpy(dtype))

    def moved(old: Any, new: jax.Array) -> jax.Array:
        return to_dtype(old, x.dtype) * momentum + jax.lax.stop_gradient(new) * (1.0 - momentum)

    return outputs, moved(moving_mean, mean), moved(moving_variance, variance)


def _statistics(
    x: jax.Array, stored: jax.Array, mask: Any, axis: int, least_weight: float
) -> tuple[jax.Array, jax.Array]:
    """Mean and biased variance per channel, over the positions that count; ``stored`` is ``x`` as it lies in memory."""
    axes = tuple(one for one in range(x.ndim) if one != axis % x.ndim)
    is_single = x.dtype == jnp.float32
    if mask is None and is_single and axis % x.ndim == x.ndim - 1 and moments.takes(stored.shape, stored.dtype):
        return moments.moments(x, stored)
    if mask is None:
        # Two passes: the mean of squares minus the square of the mean loses all digits when the mean is large.
        return jnp.mean(x, axis=axes), variance_of(x, axes)
    counts = jnp.broadcast_to(mask.astype(bool)[..., None], x.shape)
    total = jnp.sum(counts.astype(x.dtype), axis=axes, keepdims=True) + least_weight
    mean = jnp.sum(jnp.where(counts, x, 0), axis=axes, keepdims=True) / total
    square = jnp.square(jnp.where(counts, x - mean, 0))
    variance = jnp.sum(square, axis=axes, keepdims=True) / total
    return mean.reshape(-1), variance.reshape(-1)


@op(static=("groups", "axis", "epsilon", "dtype"))
def group_normalization(x: Any, gamma: Any, beta: Any, groups: int, axis: int, epsilon: float, dtype: Any) -> jax.Array:
    """Normalize each sample over groups of channels.

    Args:
        x: (batch, ..., channels) with the channels at ``axis``.
        gamma: factor per channel, or None.
        beta: offset per channel, or None.
        groups: number of groups, which divides the number of channels.
        axis: axis of the channels.
        epsilon: added to the variance.
        dtype: dtype of the result.

    References: Wu and He 2018, equations 1 to 7.
    """
    given = promote(x)[0]
    x = _wide_enough(given)
    axis %= x.ndim
    channels = x.shape[axis]
    split = (*x.shape[:axis], groups, channels // groups, *x.shape[axis + 1 :])
    grouped = x.reshape(split)
    axes = tuple(one for one in range(1, grouped.ndim) if one != axis)
    mean = jnp.mean(grouped, axis=axes, keepdims=True)
    inverse = jax.lax.rsqrt(variance_of(grouped, axes, True) + epsilon)
    shape = [1] * grouped.ndim
    shape[axis : axis + 2] = groups, channels // groups
    if gamma is not None:
        inverse = inverse * to_dtype(gamma, x.dtype).reshape(shape)
    shift = -mean * inverse
    if beta is not None:
        shift = shift + to_dtype(beta, x.dtype).reshape(shape)
    return (grouped * inverse + shift).reshape(x.shape).astype(given.dtype).astype(_numpy(dtype))
