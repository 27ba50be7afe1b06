"""Losses, metrics and constraints that Keras dropped."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.keras import metrics
from hornbeam.keras.constraints import Constraint


def cosine_proximity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between label and prediction.

    References: Keras 2 ``losses.cosine_proximity``.
    """
    return -ops.sum(ops.normalize(y_true, axis=axis) * ops.normalize(y_pred, axis=axis), axis=axis)


cosine = cosine_proximity


def _counts(y_true: Any, y_pred: Any) -> tuple[Any, Any, Any]:
    """Numbers of true positives, predicted positives and real positives."""
    if len(y_true.shape) == len(y_pred.shape) - 1 and y_pred.shape[-1] == 1:
        y_true = ops.expand_dims(y_true, -1)  # labels (n,) beside predictions (n, 1)
    real, found = ops.round(ops.clip(y_true, 0, 1)), ops.round(ops.clip(y_pred, 0, 1))
    return ops.sum(real * found), ops.sum(found), ops.sum(real)


def precision(y_true: Any, y_pred: Any) -> Any:
    """Share of real positives among those called positive, in this batch.

    References: Keras 1 ``metrics.precision``.
    """
    hits, found, _ = _counts(y_true, y_pred)
    return hits / (found + settings.epsilon())


def recall(y_true: Any, y_pred: Any) -> Any:
    """Share of positives that are found, in this batch.

    References: Keras 1 ``metrics.recall``.
    """
    hits, _, real = _counts(y_true, y_pred)
    return hits / (real + settings.epsilon())


def fbeta_score(y_true: Any, y_pred: Any, beta: float = 1) -> Any:
    """Weighted harmonic mean of precision and recall of this batch; recall counts ``beta`` times as much.

    References: Keras 1 ``metrics.fbeta_score``.
    """
    if beta < 0:
        raise ValueError(f"fbeta_score: `beta` must not be below 0. Received: beta={beta}")
    _, _, real = _counts(y_true, y_pred)
    first, second = precision(y_true, y_pred), recall(y_true, y_pred)
    score = (1 + beta**2) * (first * second) / (beta**2 * first + second + settings.epsilon())
    # Without a positive label there is nothing to find.
    return ops.where(real == 0, ops.zeros_like(score), score)


def fmeasure(y_true: Any, y_pred: Any) -> Any:
    """Harmonic mean of precision and recall of this batch.

    References: Keras 1 ``metrics.fmeasure``.
    """
    return fbeta_score(y_true, y_pred, beta=1)


def matthews_correlation(y_true: Any, y_pred: Any) -> Any:
    """Correlation of labels and predictions of this batch, -1 to 1.

    References: Keras 1 ``metrics.matthews_correlation``.
    """
    if len(y_true.shape) == len(y_pred.shape) - 1 and y_pred.shape[-1] == 1:
        y_true = ops.expand_dims(y_true, -1)  # labels (n,) beside predictions (n, 1)
    real, found = ops.round(ops.clip(y_true, 0, 1)), ops.round(ops.clip(y_pred, 0, 1))
    true_positives, true_negatives = ops.sum(real * found), ops.sum((1 - real) * (1 - found))
    false_positives, false_negatives = ops.sum((1 - real) * found), ops.sum(real * (1 - found))
    above = true_positives * true_negatives - false_positives * false_negatives
    below = ops.sqrt(
        (true_positives + false_positives)
        * (true_positives + false_negatives)
        * (true_negatives + false_positives)
        * (true_negatives + false_negatives)
    )
    return above / (below + settings.epsilon())


class MeanRelativeError(metrics.Mean):
    """Mean of ``|y_true - y_pred| / normalizer``; 0 where the normalizer is 0.

    Args:
        normalizer: numbers of the predictions' shape.
        name: name.
        dtype: dtype of the result.

    References: Keras 2 ``metrics.MeanRelativeError``.
    """

    def __init__(self, normalizer: Any, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name or "mean_relative_error", dtype=dtype)
        self.normalizer = ops.cast(normalizer, self.dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch."""
        real, found = ops.cast(y_true, self.dtype), ops.cast(y_pred, self.dtype)
        errors = ops.divide_no_nan(ops.absolute(real - found), self.normalizer)
        super().update_state(errors, sample_weight=sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        return {**super().get_config(), "normalizer": self.normalizer.numpy().tolist()}


class MeanTensor(metrics.Metric):
    """Weighted mean of the tensors given, element by element.

    Args:
        name: name.
        dtype: dtype of the result.
        shape: shape of the tensors; that of the first one, if not given.

    References: Keras 2 ``metrics.MeanTensor``.
    """

    total: Any
    count: Any

    def __init__(self, name: str = "mean_tensor", dtype: Any = None, shape: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total, self.count = None, None
        if shape is not None:
            self._start(tuple(shape))

    def _start(self, shape: tuple) -> None:
        self.total = self.add_variable(shape, "zeros", dtype=self.dtype, name="total")
        self.count = self.add_variable(shape, "zeros", dtype=self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add a tensor.

        Raises:
            ValueError: its shape is not that of the first one.
        """
        values = ops.cast(values, self.dtype)
        if self.total is None:
            self._start(tuple(values.shape))
        elif tuple(values.shape) != tuple(self.total.shape):
            raise ValueError(
                f"MeanTensor '{self.name}' takes tensors of one shape. Expected: {tuple(self.total.shape)}. Received: "
                f"{tuple(values.shape)}."
            )
        weight = ops.ones_like(values)
        if sample_weight is not None:
            given = ops.cast(sample_weight, self.dtype)
            while len(given.shape) < len(values.shape):
                given = ops.expand_dims(given, -1)
            weight = weight * given
        self._add(values * weight, weight)

    def _add(self, values: Any, weight: Any) -> None:
        self.total.assign_add(values)
        self.count.assign_add(weight)

    def result(self) -> Any:
        """The mean."""
        if self.total is None:
            raise ValueError(
                f"MeanTensor '{self.name}' has no shape yet: call `update_state` first, or give `shape` to "
                "the constructor."
            )
        return ops.divide_no_nan(self.total, self.count)

    def reset_state(self) -> None:
        """Start anew, with the same shape."""
        if self.total is not None:
            super().reset_state()


class RadialConstraint(Constraint):
    """Kernels of a 2D convolution made radially symmetric: one number per ring, taken from the diagonal.

    References: Keras 2 ``constraints.RadialConstraint``.
    """

    def __call__(self, w: Any) -> Any:
        """The weight with equal numbers in each ring.

        Args:
            w: (rows, columns, channels, filters).
        """
        if len(w.shape) != 4:
            raise ValueError(f"RadialConstraint takes weights of 4 axes. Received: shape {tuple(w.shape)}")
        size = int(w.shape[0])
        middle = size // 2
        odd = size % 2
        # The place on the diagonal that each ring takes its number from, from the middle outwards.
        rings = [middle - 1, *range(middle + (0 if odd else 1), size - (1 if odd else 0))]
        distance = [abs(2 * position - size + 1) // 2 for position in range(size)]
        places = [[rings[max(row, column)] for column in distance] for row in distance]
        diagonal = ops.stack([w[place, place] for place in range(size)])
        return ops.take(diagonal, ops.convert_to_tensor(places, "int32"), axis=0)
