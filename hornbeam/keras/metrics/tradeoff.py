"""The best of one rate where another reaches a given value."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.keras.losses.functional.arrays import divide_no_nan
from hornbeam.keras.metrics.base import Metric
from hornbeam.keras.metrics.counts import count_batch
from hornbeam.keras.metrics.program import compute

__all__ = ["PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity"]

COUNTS = ("tp", "fp", "tn", "fn")


class _Tradeoff(Metric):
    """Counts at evenly spread thresholds; subclasses say which rate is given and which is sought."""

    given = ""
    sought = ""
    argument = ""

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any) -> None:
        if value < 0 or value > 1:
            raise ValueError(
                f"Argument `{self.argument}` must be in the range [0, 1]. Received: {self.argument}={value}"
            )
        super().__init__(name=name, dtype=dtype)
        if num_thresholds <= 0:
            raise ValueError(
                f"{type(self).__name__}: `num_thresholds` must be 1 or more. Received: num_thresholds={num_thresholds}"
            )
        self._direction = "up"
        self.value = value
        self.num_thresholds = num_thresholds
        self.class_id = class_id
        self._thresholds_distributed_evenly = num_thresholds > 1
        self.thresholds = [i / (num_thresholds - 1) for i in range(num_thresholds)] if num_thresholds > 1 else [0.5]
        shape = (num_thresholds,)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self.false_positives = self.add_variable(shape, "zeros", name="false_positives")
        self.true_negatives = self.add_variable(shape, "zeros", name="true_negatives")
        self.false_negatives = self.add_variable(shape, "zeros", name="false_negatives")

    def _counts(self) -> tuple:
        return self.true_positives, self.false_positives, self.true_negatives, self.false_negatives

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
            which=COUNTS,
            thresholds=tuple(self.thresholds),
            even=self._thresholds_distributed_evenly,
            class_id=self.class_id,
        )

    def result(self) -> Any:
        """The largest rate sought among the thresholds where the given one is reached; 0 if there is none."""
        return compute(self._counts(), _best, given=self.given, sought=self.sought, value=self.value)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        own = {"class_id": self.class_id, "num_thresholds": self.num_thresholds, self.argument: self.value}
        return super().get_config() | own


def _best(tp: Any, fp: Any, tn: Any, fn: Any, *, given: str, sought: str, value: float) -> Any:
    rates = {
        "recall": divide_no_nan(tp, tp + fn),
        "precision": divide_no_nan(tp, tp + fp),
        "specificity": divide_no_nan(tn, tn + fp),
    }
    return jnp.max(jnp.where(rates[given] >= value, rates[sought], 0), initial=0)


class SensitivityAtSpecificity(_Tradeoff):
    """Largest sensitivity ``tp / (tp + fn)`` at which the specificity ``tn / (tn + fp)`` is at least the given one.

    Args:
        specificity: in [0, 1].
        num_thresholds: how many thresholds are tried.
        class_id: count only this class.

    References: Keras ``metrics.SensitivityAtSpecificity``.
    """

    given, sought, argument = "specificity", "recall", "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity


class SpecificityAtSensitivity(_Tradeoff):
    """Largest specificity ``tn / (tn + fp)`` at which the sensitivity ``tp / (tp + fn)`` is at least the given one.

    Args:
        sensitivity: in [0, 1].
        num_thresholds: how many thresholds are tried.
        class_id: count only this class.

    References: Keras ``metrics.SpecificityAtSensitivity``.
    """

    given, sought, argument = "recall", "specificity", "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity


class PrecisionAtRecall(_Tradeoff):
    """Largest precision ``tp / (tp + fp)`` at which the recall ``tp / (tp + fn)`` is at least the given one.

    Args:
        recall: in [0, 1].
        num_thresholds: how many thresholds are tried.
        class_id: count only this class.

    References: Keras ``metrics.PrecisionAtRecall``.
    """

    given, sought, argument = "recall", "precision", "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall


class RecallAtPrecision(_Tradeoff):
    """Largest recall ``tp / (tp + fn)`` at which the precision ``tp / (tp + fp)`` is at least the given one.

    Args:
        precision: in [0, 1].
        num_thresholds: how many thresholds are tried.
        class_id: count only this class.

    References: Keras ``metrics.RecallAtPrecision``.
    """

    given, sought, argument = "precision", "recall", "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision
