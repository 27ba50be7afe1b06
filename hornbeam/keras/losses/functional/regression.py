"""Distances between real numbers."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base import settings
from hornbeam.keras.losses.functional.arrays import function_op, pair, unit_vectors

__all__ = [
    "cosine_similarity",
    "huber",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
]


@function_op(adapt=True)
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of ``(y_true - y_pred)**2`` over the last axis.

    Args:
        y_true: labels, (batch, ..., features).
        y_pred: predictions of that shape.

    Returns:
        (batch, ...), in the dtype of ``y_pred``.

    Example:
        >>> mean_squared_error([[0.0, 1.0]], [[1.0, 1.0]]).numpy().tolist()
        [0.5]

    References: Keras ``losses.mean_squared_error``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, owner="mean_squared_error")
    return jnp.mean(jnp.square(y_true - y_pred), axis=-1).astype(dtype)


@function_op(adapt=True)
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of ``|y_true - y_pred|`` over the last axis.

    Args:
        y_true: labels, (batch, ..., features).
        y_pred: predictions of that shape.

    References: Keras ``losses.mean_absolute_error``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, owner="mean_absolute_error")
    return jnp.mean(jnp.abs(y_true - y_pred), axis=-1).astype(dtype)


@function_op(adapt=True)
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of ``100 * |y_true - y_pred| / max(|y_true|, epsilon)`` over the last axis, in percent.

    Args:
        y_true: labels, (batch, ..., features).
        y_pred: predictions of that shape.

    References: Keras ``losses.mean_absolute_percentage_error``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, owner="mean_absolute_percentage_error")
    share = jnp.abs((y_true - y_pred) / jnp.maximum(jnp.abs(y_true), settings.epsilon()))
    return (100.0 * jnp.mean(share, axis=-1)).astype(dtype)


@function_op(adapt=True)
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of ``(log(1 + y_true) - log(1 + y_pred))**2`` over the last axis; negative values count as epsilon.

    Args:
        y_true: labels, (batch, ..., features).
        y_pred: predictions of that shape.

    References: Keras ``losses.mean_squared_logarithmic_error``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, owner="mean_squared_logarithmic_error")
    epsilon = settings.epsilon()
    difference = jnp.log(jnp.maximum(y_pred, epsilon) + 1.0) - jnp.log(jnp.maximum(y_true, epsilon) + 1.0)
    return jnp.mean(jnp.square(difference), axis=-1).astype(dtype)


@function_op(static=("axis",), adapt=True)
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between labels and predictions: -1 for equal directions, 1 for opposite ones.

    Args:
        y_true: labels.
        y_pred: predictions of that shape.
        axis: axis of the vectors' components.

    References: Keras ``losses.cosine_similarity``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, owner="cosine_similarity")
    return (-jnp.sum(unit_vectors(y_true, axis) * unit_vectors(y_pred, axis), axis=axis)).astype(dtype)


@function_op(static=("delta",), adapt=True)
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Half the squared error up to ``delta``, linear beyond; mean over the last axis.

    Args:
        y_true: labels, (batch, ..., features).
        y_pred: predictions of that shape.
        delta: error at which the square turns into the straight line.

    References: Keras ``losses.huber``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, owner="huber")
    error = y_pred - y_true
    size = jnp.abs(error)
    values = jnp.where(size <= delta, 0.5 * jnp.square(error), delta * size - 0.5 * delta * delta)
    return jnp.mean(values, axis=-1).astype(dtype)


@function_op(adapt=True)
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Mean of ``log(cosh(y_pred - y_true))`` over the last axis: a square near 0, ``|error| - log 2`` far from it.

    Args:
        y_true: labels, (batch, ..., features).
        y_pred: predictions of that shape.

    References: Keras ``losses.log_cosh``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, owner="log_cosh")
    error = y_pred - y_true
    return jnp.mean(error + jax.nn.softplus(-2.0 * error) - math.log(2.0), axis=-1).astype(dtype)
