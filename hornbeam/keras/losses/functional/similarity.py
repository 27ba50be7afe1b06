"""Losses between embeddings of one batch."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.keras.losses.functional.arrays import Masked, function_op, working_dtype
from hornbeam.keras.losses.functional.crossentropy import carrying_mask

__all__ = ["circle"]


def circle_values(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Masked:
    """Array form of ``circle``."""
    y_pred = jnp.asarray(y_pred)
    dtype = y_pred.dtype if jnp.issubdtype(y_pred.dtype, jnp.inexact) else jnp.dtype(jnp.float32)
    y_pred = y_pred.astype(working_dtype(dtype))
    labels = jnp.asarray(y_true).astype(jnp.int32)
    others = y_pred if ref_embeddings is None else jnp.asarray(ref_embeddings).astype(y_pred.dtype)
    other_labels = labels if ref_labels is None else jnp.asarray(ref_labels).astype(jnp.int32)
    distance = jnp.maximum(1.0 - y_pred @ others.T, 0.0)
    same = labels.reshape(-1, 1) == other_labels.reshape(1, -1)
    positive, negative = same, ~same
    if remove_diagonal:
        positive = positive & ~jnp.eye(*same.shape, dtype=bool)
    near = -gamma * jnp.maximum(margin + distance, 0.0) * (margin - distance)
    far = gamma * jnp.maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance)
    values = jax.nn.softplus(_log_sum(near, positive) + _log_sum(far, negative)).astype(dtype)
    return Masked(values, values > 0)


def _log_sum(scores: Any, chosen: Any) -> Any:
    """``logsumexp`` of the chosen scores of each row; -inf without any, with gradient 0."""
    some = jnp.any(chosen, axis=1)
    safe = jnp.where(chosen | ~some[:, None], scores, -jnp.inf)
    return jnp.where(some, jax.nn.logsumexp(safe, axis=1), -jnp.inf)


_circle = function_op(circle_values, static=("remove_diagonal", "gamma", "margin"))


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """Circle loss: pulls embeddings of equal labels together, and pushes the others apart.

    Args:
        y_true: class numbers, (batch,).
        y_pred: embeddings of length 1, (batch, features).
        ref_labels: class numbers of the reference embeddings; default ``y_true``.
        ref_embeddings: embeddings to compare with; default ``y_pred``.
        remove_diagonal: do not compare an embedding with itself.
        gamma: scale.
        margin: relaxation, the radius of the decision boundary.

    Returns:
        (batch,); rows whose loss is 0 are masked out of a mean.

    References: Keras ``losses.circle``; Sun et al. 2020.
    """
    return carrying_mask(
        _circle(y_true, y_pred, ref_labels, ref_embeddings, remove_diagonal=remove_diagonal, gamma=gamma, margin=margin)
    )


circle.array_form = circle_values  # type: ignore[attr-defined]
