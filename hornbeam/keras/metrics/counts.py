"""True and false positives and negatives, precision and recall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.core.variable import Variable
from hornbeam.keras.losses.functional.arrays import divide_no_nan
from hornbeam.keras.metrics.base import Metric
from hornbeam.keras.metrics.confusion import (
    NEG_INF,
    confusion_step,
    is_evenly_distributed_thresholds,
    parse_thresholds,
)
from hornbeam.keras.metrics.program import accumulate, compute, narrowed

__all__ = [
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "Recall",
    "Share",
    "TrueNegatives",
    "TruePositives",
    "count_batch",
]


def count_batch(variables: Sequence[Variable], y_true: Any, y_pred: Any, sample_weight: Any, **options: Any) -> None:
    """Add a batch to variables that hold counts, see ``confusion_step``."""
    dtype = variables[0].dtype
    weights = options.pop("label_weights", None)
    inputs = [narrowed(value, dtype) for value in (y_true, y_pred, sample_weight, weights)]
    accumulate(variables, confusion_step, inputs, **options)


def _single(counts: Any) -> Any:
    return counts[0] if counts.shape[0] == 1 else counts


def _share(right: Any, wrong: Any) -> Any:
    return _single(divide_no_nan(right, right + wrong))


class _Counts(Metric):
    """One of the four counts at some thresholds."""

    which = ""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = parse_thresholds(thresholds)
        self._thresholds_distributed_evenly = is_evenly_distributed_thresholds(self.thresholds)
        self.accumulator = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: labels 0 and 1.
            y_pred: predictions in [0, 1], of that shape.
            sample_weight: weights, (batch,) or the shape of the labels.
        """
        count_batch(
            (self.accumulator,),
            y_true,
            y_pred,
            sample_weight,
            which=(self.which,),
            thresholds=tuple(self.thresholds),
            even=self._thresholds_distributed_evenly,
        )

    def result(self) -> Any:
        """The count, or one count per threshold."""
        return compute((self.accumulator,), _single)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        return super().get_config() | {"thresholds": self.init_thresholds}


class FalsePositives(_Counts):
    """Number of negatives above the threshold.

    Args:
        thresholds: number or list of numbers in [0, 1]; default 0.5.

    References: Keras ``metrics.FalsePositives``.
    """

    which = "fp"


class FalseNegatives(_Counts):
    """Number of positives not above the threshold.

    Args:
        thresholds: number or list of numbers in [0, 1]; default 0.5.

    References: Keras ``metrics.FalseNegatives``.
    """

    which = "fn"


class TrueNegatives(_Counts):
    """Number of negatives not above the threshold.

    Args:
        thresholds: number or list of numbers in [0, 1]; default 0.5.

    References: Keras ``metrics.TrueNegatives``.
    """

    which = "tn"


class TruePositives(_Counts):
    """Number of positives above the threshold.

    Args:
        thresholds: number or list of numbers in [0, 1]; default 0.5.

    References: Keras ``metrics.TruePositives``.
    """

    which = "tp"


class Share(Metric):
    """Right predictions of one kind as a share of themselves and one kind of error."""

    which: tuple[str, str] = ("", "")
    right_name, error_name = "true_positives", ""

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._direction = "up"
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        self.thresholds = parse_thresholds(thresholds, default=0.5 if top_k is None else NEG_INF)
        self._thresholds_distributed_evenly = is_evenly_distributed_thresholds(self.thresholds)
        count = len(self.thresholds)
        for kind in (self.right_name, self.error_name):
            setattr(self, kind, self.add_variable((count,), "zeros", name=kind))

    def _counts(self) -> tuple[Variable, Variable]:
        return getattr(self, self.right_name), getattr(self, self.error_name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: labels 0 and 1.
            y_pred: predictions in [0, 1], of that shape.
            sample_weight: weights, (batch,) or the shape of the labels.
        """
        count_batch(
            self._counts(),
            y_true,
            y_pred,
            sample_weight,
            which=self.which,
            thresholds=tuple(self.thresholds),
            even=self._thresholds_distributed_evenly,
            top_k=self.top_k,
            class_id=self.class_id,
        )

    def result(self) -> Any:
        """The share, or one per threshold; 0 where there is nothing to count."""
        return compute(self._counts(), _share)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return super().get_config() | own


class Precision(Share):
    """Share of the predicted positives that are positives: ``tp / (tp + fp)``.

    Args:
        thresholds: number or list of numbers in [0, 1]; default 0.5, with ``top_k`` none.
        top_k: count only the ``k`` largest predictions of a sample as positives.
        class_id: count only this class.

    Example:
        >>> metric = Precision()
        >>> metric.update_state([0, 1, 1, 1], [1, 0, 1, 1])
        >>> round(float(metric.result()), 4)
        0.6667

    References: Keras ``metrics.Precision``.
    """

    which = ("tp", "fp")
    error_name = "false_positives"


class Recall(Share):
    """Share of the positives that are predicted as such: ``tp / (tp + fn)``.

    Args:
        thresholds: number or list of numbers in [0, 1]; default 0.5, with ``top_k`` none.
        top_k: count only the ``k`` largest predictions of a sample as positives.
        class_id: count only this class.

    References: Keras ``metrics.Recall``.
    """

    which = ("tp", "fn")
    error_name = "false_negatives"
