"""Margins."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.keras.losses.functional.arrays import finite, function_op, pair

__all__ = ["categorical_hinge", "hinge", "squared_hinge"]


def _signs(y_true: Any) -> Any:
    """Labels 0 and 1 as -1 and 1, if there are no others."""
    binary = jnp.all((y_true == 0) | (y_true == 1))
    return jnp.where(binary, 2.0 * y_true - 1.0, y_true)


@function_op(adapt=True)
def hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of ``max(1 - y_true * y_pred, 0)`` over the last axis.

    Args:
        y_true: labels -1 and 1; labels 0 and 1 are converted.
        y_pred: predictions.

    References: Keras ``losses.hinge``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, align=False, owner="hinge")
    return jnp.mean(jnp.maximum(1.0 - _signs(y_true) * y_pred, 0.0), axis=-1).astype(dtype)


@function_op(adapt=True)
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of ``max(1 - y_true * y_pred, 0)**2`` over the last axis.

    Args:
        y_true: labels -1 and 1; labels 0 and 1 are converted.
        y_pred: predictions.

    References: Keras ``losses.squared_hinge``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, align=False, owner="squared_hinge")
    return jnp.mean(jnp.square(jnp.maximum(1.0 - _signs(y_true) * y_pred, 0.0)), axis=-1).astype(dtype)


@function_op(adapt=True)
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """``max(1 + best wrong score - right score, 0)``.

    Args:
        y_true: one-hot labels, (batch, ..., classes).
        y_pred: scores of that shape.

    References: Keras ``losses.categorical_hinge``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, align=False, owner="categorical_hinge")
    y_pred = finite(y_pred)
    right = jnp.sum(y_true * y_pred, axis=-1)
    wrong = jnp.max((1.0 - y_true) * y_pred, axis=-1)
    return jnp.maximum(wrong - right + 1.0, 0.0).astype(dtype)
