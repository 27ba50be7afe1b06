"""Shares of right answers."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.metrics import functional
from hornbeam.keras.metrics.reduction import MeanMetricWrapper

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
]


class Accuracy(MeanMetricWrapper):
    """Share of predictions that equal the labels.

    Example:
        >>> metric = Accuracy()
        >>> metric.update_state([[1], [2], [3], [4]], [[0], [2], [3], [4]])
        >>> float(metric.result())
        0.75

    References: Keras ``metrics.Accuracy``.
    """

    plain_config = True

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(functional.accuracy, name, dtype)
        self._direction = "up"


class BinaryAccuracy(MeanMetricWrapper):
    """Share of predictions on their label's side of the threshold.

    Args:
        threshold: predictions above it count as 1.

    References: Keras ``metrics.BinaryAccuracy``.
    """

    plain_config = True
    config_names = ("threshold",)

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(functional.binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold
        self._direction = "up"


class CategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose largest prediction stands at the label's class; one-hot labels.

    References: Keras ``metrics.CategoricalAccuracy``.
    """

    plain_config = True

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(functional.categorical_accuracy, name, dtype)
        self._direction = "up"


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose largest prediction stands at the label's class; labels are class numbers.

    References: Keras ``metrics.SparseCategoricalAccuracy``.
    """

    plain_config = True

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(functional.sparse_categorical_accuracy, name, dtype)
        self._direction = "up"


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose class is among the ``k`` largest predictions; one-hot labels.

    Args:
        k: how many count.

    References: Keras ``metrics.TopKCategoricalAccuracy``.
    """

    plain_config = True
    config_names = ("k",)

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(functional.top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k
        self._direction = "up"


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose class is among the ``k`` largest predictions; labels are class numbers.

    Args:
        k: how many count.
        from_sorted_ids: whether predictions are class numbers, the likeliest first.

    References: Keras ``metrics.SparseTopKCategoricalAccuracy``.
    """

    plain_config = True
    config_names = ("k",)
    config_extras = {"from_sorted_ids": False}

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            functional.sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids
        )
        self.k = k
        self.from_sorted_ids = from_sorted_ids
        self._direction = "up"
