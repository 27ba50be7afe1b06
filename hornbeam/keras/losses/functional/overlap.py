"""Overlap of areas, for image segmentation."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.base import settings
from hornbeam.keras.losses.functional.arrays import function_op, pair

__all__ = ["dice", "tversky"]


@function_op(static=("axis",), adapt=True)
def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """``1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred) + epsilon)``.

    Args:
        y_true: labels in [0, 1].
        y_pred: predictions in [0, 1].
        axis: axis or axes of the sums; default all.

    References: Keras ``losses.dice``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, align=False, owner="dice")
    both = jnp.sum(y_true * y_pred, axis=axis)
    total = jnp.sum(y_true, axis=axis) + jnp.sum(y_pred, axis=axis)
    return (1.0 - 2.0 * both / (total + settings.epsilon())).astype(dtype)


@function_op(static=("alpha", "beta", "axis"), adapt=True)
def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Any:
    """Dice with separate weights for the two kinds of error.

    Args:
        y_true: labels in [0, 1].
        y_pred: predictions in [0, 1].
        alpha: weight of what is in ``y_true`` but not in ``y_pred``.
        beta: weight of what is in ``y_pred`` but not in ``y_true``.
        axis: axis or axes of the sums; default all.

    References: Keras ``losses.tversky``; Salehi et al. 2017.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, align=False, owner="tversky")
    both = jnp.sum(y_true * y_pred, axis=axis)
    missed = jnp.sum((1.0 - y_pred) * y_true, axis=axis)
    invented = jnp.sum(y_pred * (1.0 - y_true), axis=axis)
    return (1.0 - both / (both + missed * alpha + invented * beta + settings.epsilon())).astype(dtype)
