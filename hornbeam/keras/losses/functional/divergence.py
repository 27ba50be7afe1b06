"""Distances between distributions and counts."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.base import settings
from hornbeam.keras.losses.functional.arrays import function_op, pair

__all__ = ["kl_divergence", "poisson"]


@function_op(adapt=True)
def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Sum of ``y_true * log(y_true / y_pred)`` over the last axis; both are clipped to [epsilon, 1].

    Args:
        y_true: probabilities, (batch, ..., classes).
        y_pred: probabilities of that shape.

    References: Keras ``losses.kl_divergence``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, align=False, owner="kl_divergence")
    y_true = jnp.clip(y_true, settings.epsilon(), 1.0)
    y_pred = jnp.clip(y_pred, settings.epsilon(), 1.0)
    return jnp.sum(y_true * jnp.log(y_true / y_pred), axis=-1).astype(dtype)


@function_op(adapt=True)
def poisson(y_true: Any, y_pred: Any) -> Any:
    """Mean of ``y_pred - y_true * log(y_pred + epsilon)`` over the last axis.

    Args:
        y_true: counts, (batch, ..., features).
        y_pred: expected counts of that shape, not negative.

    References: Keras ``losses.poisson``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, align=False, owner="poisson")
    return jnp.mean(y_pred - y_true * jnp.log(y_pred + settings.epsilon()), axis=-1).astype(dtype)
