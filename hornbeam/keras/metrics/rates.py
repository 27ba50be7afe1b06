"""Sensitivity, specificity and average precision, gathered batch by batch."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.keras.losses.functional.arrays import divide_no_nan
from hornbeam.keras.metrics.base import Metric
from hornbeam.keras.metrics.counts import Recall, Share
from hornbeam.keras.metrics.program import accumulate, compute, narrowed

__all__ = ["AveragePrecision", "Sensitivity", "Specificity"]


class Sensitivity(Recall):
    """Share of the positives that are predicted as such, ``tp / (tp + fn)``: another name of ``Recall``.

    Args:
        thresholds: number or list of numbers in [0, 1]; default 0.5, with ``top_k`` none.
        top_k: count only the ``k`` largest predictions of a sample as positives.
        class_id: count only this class.
    """


class Specificity(Share):
    """Share of the negatives that are predicted as such: ``tn / (tn + fp)``.

    Args:
        thresholds: number or list of numbers in [0, 1]; default 0.5, with ``top_k`` none.
        top_k: count only the ``k`` largest predictions of a sample as positives.
        class_id: count only this class.

    Example:
        >>> metric = Specificity()
        >>> metric.update_state([0, 0, 0, 1], [0.1, 0.7, 0.2, 0.9])
        >>> round(float(metric.result()), 4)
        0.6667
    """

    which = ("tn", "fp")
    right_name, error_name = "true_negatives", "false_positives"


class AveragePrecision(Metric):
    """Area under the precision-recall curve without interpolation, from counts of scores in narrow bins.

    Scores in one bin count as equal, so the result is that of scores rounded to ``1 / bins``. For the exact number of
    a whole data set see ``keras.metrics.curves.average_precision``.

    Args:
        bins: number of bins between the scores 0 and 1.
        from_logits: whether predictions are logits.
        class_id: count only this class (last axis).

    References: scikit-learn ``average_precision_score``.
    """

    def __init__(
        self,
        bins: int = 65536,
        from_logits: bool = False,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if bins < 2:
            raise ValueError(f"AveragePrecision: `bins` must be at least 2. Received: bins={bins}")
        self._direction = "up"
        self.bins, self.from_logits, self.class_id = int(bins), bool(from_logits), class_id
        self.positives = self.add_variable((self.bins,), "zeros", dtype="float32", name="positives")
        self.negatives = self.add_variable((self.bins,), "zeros", dtype="float32", name="negatives")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: labels 0 and 1.
            y_pred: predictions in [0, 1] (or logits), of that shape.
            sample_weight: weights, (batch,) or the shape of the labels.
        """
        accumulate(
            (self.positives, self.negatives),
            _bin,
            (narrowed(y_true), narrowed(y_pred), narrowed(sample_weight)),
            from_logits=self.from_logits,
            class_id=self.class_id,
        )

    def result(self) -> Any:
        """The area; 0 without positives."""
        return compute((self.positives, self.negatives), _average_precision)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        own = {"bins": self.bins, "from_logits": self.from_logits, "class_id": self.class_id}
        return super().get_config() | own


def _bin(state: list, y_true: Any, y_pred: Any, weight: Any, *, from_logits: bool, class_id: int | None) -> list:
    positives, negatives = state
    labels, scores = jnp.asarray(y_true).astype(jnp.float32), jnp.asarray(y_pred).astype(jnp.float32)
    if labels.ndim == scores.ndim - 1 and scores.shape[-1] == 1:
        labels = labels[..., None]
    if class_id is not None:
        labels, scores = labels[..., class_id], scores[..., class_id]
    if from_logits:
        scores = 1.0 / (1.0 + jnp.exp(-scores))
    counted = jnp.ones((), jnp.float32) if weight is None else jnp.asarray(weight).astype(jnp.float32)
    while 0 < counted.ndim < scores.ndim:
        counted = counted[..., None]
    counted = jnp.broadcast_to(counted, scores.shape).reshape(-1)
    labels, scores = jnp.broadcast_to(labels, scores.shape).reshape(-1), scores.reshape(-1)
    place = jnp.clip(jnp.round(scores * (positives.shape[0] - 1)), 0, positives.shape[0] - 1).astype(jnp.int32)
    right = labels > 0.5
    return [
        positives.at[place].add(jnp.where(right, counted, 0.0)),
        negatives.at[place].add(jnp.where(right, 0.0, counted)),
    ]


def _average_precision(positives: Any, negatives: Any) -> Any:
    hits, misses = jnp.cumsum(positives[::-1]), jnp.cumsum(negatives[::-1])
    precision = divide_no_nan(hits, hits + misses)
    return divide_no_nan(jnp.sum(precision * positives[::-1]), hits[-1])
