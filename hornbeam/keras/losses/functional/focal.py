"""Focal cross-entropies, which give easy examples less weight."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.keras.losses.functional.arrays import finite, function_op, pair, smoothed
from hornbeam.keras.losses.functional.crossentropy import (
    binary_values,
    check_axis,
    probabilities,
    same_shape,
    warn_single_class,
)

__all__ = ["binary_focal_crossentropy", "categorical_focal_crossentropy"]


@function_op(static=("apply_class_balancing", "alpha", "gamma", "from_logits", "label_smoothing", "axis"), adapt=True)
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Binary cross-entropy times ``(1 - p_t)**gamma``, ``p_t`` the probability given to the right answer.

    Args:
        y_true: labels in [0, 1].
        y_pred: probabilities, or logits; the shape of ``y_true``.
        apply_class_balancing: weigh class 1 by ``alpha`` and class 0 by ``1 - alpha``.
        alpha: weight of class 1, used with ``apply_class_balancing``.
        gamma: focus; 0 is plain cross-entropy.
        from_logits: whether ``y_pred`` are logits.
        label_smoothing: in [0, 1]; share of each label that is replaced by 0.5.
        axis: axis of the outputs over which the mean goes.

    References: Keras ``losses.binary_focal_crossentropy``; Lin et al. 2018, eq. 5.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, align=False, owner="binary_focal_crossentropy")
    same_shape(y_true, y_pred, "binary_focal_crossentropy")
    y_true = smoothed(y_true, label_smoothing, 2)
    if from_logits:
        y_pred = jax.nn.sigmoid(y_pred)
    values = binary_values(y_true, y_pred, from_logits=False)
    right = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    values = _power(1.0 - right, gamma) * values
    if apply_class_balancing:
        values = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * values
    return jnp.mean(values, axis=axis).astype(dtype)


@function_op(static=("alpha", "gamma", "from_logits", "label_smoothing", "axis"), adapt=True)
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Sum over the classes of ``-alpha * (1 - p)**gamma * y_true * log(p)``.

    Args:
        y_true: one-hot labels, (batch, ..., classes).
        y_pred: probabilities (scaled to sum 1), or logits; the shape of ``y_true``.
        alpha: weight, one number or one for each class.
        gamma: focus; 0 is plain cross-entropy.
        from_logits: whether ``y_pred`` are logits.
        label_smoothing: in [0, 1]; share of each label that is spread evenly over the classes.
        axis: axis of the classes.

    References: Keras ``losses.categorical_focal_crossentropy``; Lin et al. 2018.
    """
    check_axis(axis)
    y_true, y_pred, dtype = pair(y_true, y_pred, align=False, owner="categorical_focal_crossentropy")
    warn_single_class(y_pred, "categorical_focal_crossentropy")
    y_true = smoothed(y_true, label_smoothing, y_true.shape[-1])
    p = probabilities(jax.nn.softmax(finite(y_pred), axis=axis) if from_logits else y_pred, axis)
    weight = jnp.asarray(alpha, y_pred.dtype) * _power(1.0 - p, gamma)
    return jnp.sum(weight * -y_true * jnp.log(p), axis=axis).astype(dtype)


def _power(base: Any, exponent: float) -> Any:
    """``base ** exponent`` for ``base`` >= 0, its gradient finite at 0 for exponents from 1 on."""
    if exponent == 0:
        return jnp.ones_like(base)
    if exponent == int(exponent):
        return jax.lax.integer_pow(base, int(exponent))
    return jnp.power(base, exponent)
