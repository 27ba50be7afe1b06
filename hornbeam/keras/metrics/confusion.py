"""Counts of right and wrong positives and negatives at many thresholds, on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import settings
from hornbeam.base.errors import ShapeError
from hornbeam.keras.losses.functional.arrays import squeeze_or_expand_to_same_rank

__all__ = ["NEG_INF", "confusion_step", "is_evenly_distributed_thresholds", "parse_thresholds"]

NEG_INF = -1e10
"""Stands in for predictions that do not count; the default threshold with ``top_k``, below every prediction."""


def parse_thresholds(thresholds: Any, default: float = 0.5) -> list[float]:
    """Thresholds as a list.

    Raises:
        ValueError: one of them is not in [0, 1].
    """
    if thresholds is None:
        return [default]
    found = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    wrong = [threshold for threshold in found if threshold is None or threshold < 0 or threshold > 1]
    if wrong:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {wrong}")
    return found


def is_evenly_distributed_thresholds(thresholds: Sequence[float]) -> bool:
    """True if the thresholds cut [0, 1] into equal pieces."""
    count = len(thresholds)
    even = np.arange(count, dtype=np.float32) / (count - 1) if count >= 3 else None
    return even is not None and bool(np.allclose(thresholds, even, atol=settings.epsilon()))


def confusion_step(
    state: list,
    y_true: Any,
    y_pred: Any,
    sample_weight: Any,
    label_weights: Any = None,
    *,
    which: tuple[str, ...],
    thresholds: tuple[float, ...],
    even: bool,
    top_k: int | None = None,
    class_id: int | None = None,
    multi_label: bool = False,
    from_logits: bool = False,
) -> list:
    """State after a batch.

    Args:
        state: arrays of shape (thresholds,) or, with ``multi_label``, (thresholds, labels); one for each of ``which``.
        y_true: labels 0 and 1.
        y_pred: predictions, in [0, 1] if the thresholds are even.
        sample_weight: weights of the samples, or None.
        label_weights: weights of the last axis, or None.
        which: ``"tp"``, ``"fp"``, ``"tn"``, ``"fn"``: what the state holds.
        thresholds: a prediction above a threshold is a positive.
        even: whether they are even: then each prediction is put into a bucket once, instead of being compared with all.
        top_k: count only the ``k`` largest predictions as positives.
        class_id: count only this place of the last axis.
        multi_label: count each place of the last axis on its own.
        from_logits: whether predictions are logits.
    """
    dtype = state[0].dtype
    y_true, y_pred = jnp.asarray(y_true).astype(dtype), jnp.asarray(y_pred).astype(dtype)
    if from_logits:
        y_pred = jax.nn.sigmoid(y_pred)
    y_pred, y_true = squeeze_or_expand_to_same_rank(y_pred, y_true)
    if y_pred.shape != y_true.shape:
        raise ShapeError(
            "Labels and predictions must have the same shape. "
            f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
        )
    if sample_weight is not None:
        sample_weight = jnp.asarray(sample_weight).astype(dtype)[..., None]
        _, sample_weight = squeeze_or_expand_to_same_rank(y_true, sample_weight, expand_rank_1=False)
    if top_k is not None:
        y_pred = _only_top_k(y_pred, top_k)
    if class_id is not None:
        if y_pred.ndim == 1:
            raise ShapeError(
                "`class_id` picks a column, so `y_pred` has to be of shape (samples, classes). "
                f"Received: y_pred.shape={y_pred.shape}"
            )
        y_true, y_pred = y_true[..., class_id, None], y_pred[..., class_id, None]
    weights = jnp.ones((), dtype)
    if sample_weight is not None:
        weights = weights * sample_weight
    if label_weights is not None:
        weights = weights * jnp.asarray(label_weights).astype(dtype)[None]
    weights = jnp.broadcast_to(weights, y_pred.shape)
    # From here on: samples by labels, a single column where labels are not told apart.
    columns = y_pred.shape if multi_label else (-1, 1)
    label, y_pred, weights = (array.reshape(columns) for array in (y_true != 0, y_pred, weights))
    counts = (_bucket_counts if even else _compared_counts)(label, y_pred, weights, thresholds)
    return [old + counts[name].reshape(old.shape) for old, name in zip(state, which, strict=True)]


def _bucket_counts(label: Any, y_pred: Any, weights: Any, thresholds: tuple[float, ...]) -> dict[str, Any]:
    """Each prediction falls into one bucket; it is above the thresholds up to that of its bucket."""
    count = len(thresholds)
    bucket = jnp.ceil(jnp.clip(y_pred, 0.0, 1.0) * (count - 1)) - 1
    if thresholds[0] < 0.0 or thresholds[-1] > 1.0:
        bucket = jnp.maximum(bucket, 0)
    bucket = bucket.astype(jnp.int32)
    # A prediction of 0 is above no threshold: its bucket lies outside and is dropped.
    bucket = jnp.where(bucket < 0, count, bucket)
    column = jnp.broadcast_to(jnp.arange(label.shape[1], dtype=jnp.int32), label.shape)
    right, wrong = jnp.where(label, weights, 0), jnp.where(label, 0, weights)

    def above(values: Any) -> Any:
        buckets = jnp.zeros((count, label.shape[1]), values.dtype).at[bucket, column].add(values, mode="drop")
        return jnp.cumsum(buckets[::-1], axis=0)[::-1]

    positive, negative = above(right), above(wrong)
    return {
        "tp": positive,
        "fp": negative,
        "fn": jnp.sum(right, axis=0) - positive,
        "tn": jnp.sum(wrong, axis=0) - negative,
    }


def _compared_counts(label: Any, y_pred: Any, weights: Any, thresholds: tuple[float, ...]) -> dict[str, Any]:
    """Each prediction is compared with each threshold."""
    limits = jnp.asarray(thresholds, y_pred.dtype)[:, None, None]
    positive = y_pred[None] > limits

    def total(chosen: Any) -> Any:
        return jnp.sum(jnp.where(chosen, weights[None], 0), axis=1)

    return {
        "tp": total(label[None] & positive),
        "fp": total(~label[None] & positive),
        "fn": total(label[None] & ~positive),
        "tn": total(~label[None] & ~positive),
    }


def _only_top_k(y_pred: Any, k: int) -> Any:
    """Predictions outside the ``k`` largest of their row pushed below every threshold."""
    _, best = jax.lax.top_k(y_pred, k)
    chosen = jnp.any(best[..., None] == jnp.arange(y_pred.shape[-1], dtype=best.dtype), axis=-2)
    return jnp.where(chosen, y_pred, NEG_INF)
