"""F-scores."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.base import settings
from hornbeam.keras.metrics.base import Metric
from hornbeam.keras.metrics.program import accumulate, compute, narrowed

__all__ = ["F1Score", "FBetaScore"]

_AVERAGES = (None, "micro", "macro", "weighted")


class FBetaScore(Metric):
    """``(1 + beta²) * precision * recall / (beta² * precision + recall)``.

    Args:
        average: None for one score per class, ``"micro"`` over all decisions together, ``"macro"`` the mean over the
            classes, ``"weighted"`` the mean weighted by how often each class occurs.
        beta: above 1 recall counts more, below 1 precision.
        threshold: in (0, 1]: predictions above it are positives; None takes the largest prediction of each sample.

    Raises:
        ValueError: an argument is not one of these, or a batch has not two axes.

    References: Keras ``metrics.FBetaScore``.
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._direction = "up"
        if average not in _AVERAGES:
            raise ValueError(f"Invalid `average` argument value. Expected one of: {_AVERAGES}. Received: {average=}")
        if not isinstance(beta, float) or beta <= 0.0:
            raise ValueError(
                f"{type(self).__name__}: `beta` takes a float above 0. Received: {beta=} of type {type(beta).__name__}"
            )
        if threshold is not None and (not isinstance(threshold, float) or not 0.0 < threshold <= 1.0):
            raise ValueError(
                f"{type(self).__name__}: `threshold` takes None or a float above 0, at most 1. "
                f"Received: {threshold=} of type {type(threshold).__name__}"
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self.axis = None if average == "micro" else 0
        self._built = False

    def _build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        if len(y_pred_shape) != 2 or len(y_true_shape) != 2:
            raise ValueError(
                f"{type(self).__name__} takes labels and predictions of shape (samples, classes). Received: "
                f"y_true.shape={tuple(y_true_shape)}, y_pred.shape={tuple(y_pred_shape)}."
            )
        shape = () if self.average == "micro" else (y_pred_shape[-1],)
        self.true_positives = self.add_variable(shape, "zeros", dtype=self.dtype, name="true_positives")
        self.false_positives = self.add_variable(shape, "zeros", dtype=self.dtype, name="false_positives")
        self.false_negatives = self.add_variable(shape, "zeros", dtype=self.dtype, name="false_negatives")
        self.intermediate_weights = self.add_variable(shape, "zeros", dtype=self.dtype, name="intermediate_weights")
        self._built = True

    def _counts(self) -> tuple:
        return self.true_positives, self.false_positives, self.false_negatives, self.intermediate_weights

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: labels 0 and 1, (batch, classes).
            y_pred: predictions of that shape.
            sample_weight: weights, (batch,).
        """
        y_true, y_pred = narrowed(y_true, self.dtype), narrowed(y_pred, self.dtype)
        if not self._built:
            self._build(np.shape(y_true), np.shape(y_pred))
        accumulate(
            self._counts(),
            _step,
            (y_true, y_pred, narrowed(sample_weight, self.dtype)),
            threshold=self.threshold,
            axis=self.axis,
        )

    def result(self) -> Any:
        """The score, or one per class."""
        if not self._built:
            raise ValueError(
                f"{self.name}: the number of classes is known from the first batch on; call `update_state` before "
                "`result`."
            )
        return compute(self._counts(), _score, average=self.average, beta=self.beta)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        return super().get_config() | {"average": self.average, "beta": self.beta, "threshold": self.threshold}


class F1Score(FBetaScore):
    """Harmonic mean of precision and recall.

    Args:
        average: see ``FBetaScore``.
        threshold: see ``FBetaScore``.

    References: Keras ``metrics.F1Score``.
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        config = super().get_config()
        del config["beta"]
        return config


def _step(state: list, y_true: Any, y_pred: Any, weight: Any, *, threshold: float | None, axis: int | None) -> list:
    dtype = state[0].dtype
    y_true, y_pred = jnp.asarray(y_true).astype(dtype), jnp.asarray(y_pred).astype(dtype)
    if threshold is None:
        # A row of zeros predicts nothing, although each of its entries is the largest.
        chosen = (y_pred >= jnp.max(y_pred, axis=-1, keepdims=True)) & (jnp.abs(y_pred) > 1e-9)
    else:
        chosen = y_pred > threshold
    chosen = chosen.astype(dtype)
    weight = 1 if weight is None else jnp.asarray(weight).astype(dtype)[:, None]
    batch = (chosen * y_true, chosen * (1 - y_true), (1 - chosen) * y_true, y_true)
    return [old + jnp.sum(new * weight, axis=axis).astype(dtype) for old, new in zip(state, batch, strict=True)]


def _score(tp: Any, fp: Any, fn: Any, occurrences: Any, *, average: str | None, beta: float) -> Any:
    epsilon = settings.epsilon()
    precision, recall = tp / (tp + fp + epsilon), tp / (tp + fn + epsilon)
    score = precision * recall / (beta**2 * precision + recall + epsilon) * (1 + beta**2)
    if average == "weighted":
        return jnp.sum(score * (occurrences / (jnp.sum(occurrences) + epsilon)))
    return score if average is None else jnp.mean(score)
