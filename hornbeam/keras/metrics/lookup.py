"""Metrics by name, from configs, and to configs."""

from __future__ import annotations

from typing import Any

from hornbeam.base.names import to_snake_case
from hornbeam.keras.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from hornbeam.keras.metrics.auc import AUC
from hornbeam.keras.metrics.base import Metric
from hornbeam.keras.metrics.counts import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from hornbeam.keras.metrics.f_score import F1Score, FBetaScore
from hornbeam.keras.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from hornbeam.keras.metrics.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from hornbeam.keras.metrics.r2 import R2Score
from hornbeam.keras.metrics.rates import AveragePrecision, Sensitivity, Specificity
from hornbeam.keras.metrics.reduction import Mean, MeanMetricWrapper, Sum
from hornbeam.keras.metrics.regression import (
    ConcordanceCorrelation,
    CosineSimilarity,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    PearsonCorrelation,
    RootMeanSquaredError,
)
from hornbeam.keras.metrics.segmentation import FrequencyWeightedIoU, MeanClassAccuracy, PixelAccuracy
from hornbeam.keras.metrics.tradeoff import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from hornbeam.keras.saving.identifiers import interpret
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["ALL_OBJECTS", "ALL_OBJECTS_DICT", "deserialize", "get", "serialize"]

# fmt: off
ALL_OBJECTS: tuple[type[Metric], ...] = (
    Metric, Mean, Sum, MeanMetricWrapper,
    MeanSquaredError, RootMeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError, CosineSimilarity, LogCoshError, R2Score,
    AUC, FalseNegatives, FalsePositives, Precision, PrecisionAtRecall, Recall, RecallAtPrecision,
    SensitivityAtSpecificity, SpecificityAtSensitivity, TrueNegatives, TruePositives,
    ConcordanceCorrelation, PearsonCorrelation,
    Hinge, SquaredHinge, CategoricalHinge,
    KLDivergence, Poisson, BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy,
    Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, TopKCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    F1Score, FBetaScore, IoU, BinaryIoU, MeanIoU, OneHotIoU, OneHotMeanIoU,
    Sensitivity, Specificity, AveragePrecision, PixelAccuracy, MeanClassAccuracy, FrequencyWeightedIoU,
)
# fmt: on

ALL_OBJECTS_DICT: dict[str, Any] = {known.__name__: known for known in ALL_OBJECTS}
ALL_OBJECTS_DICT |= {to_snake_case(known.__name__): known for known in ALL_OBJECTS}
ALL_OBJECTS_DICT |= {
    "bce": BinaryCrossentropy,
    "BCE": BinaryCrossentropy,
    "kld": KLDivergence,
    "KLD": KLDivergence,
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "MAE": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "MAPE": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "MSLE": MeanSquaredLogarithmicError,
}


def serialize(metric: Any) -> Any:
    """Config of a metric or metric function.

    References: Keras ``metrics.serialize``.
    """
    return serialize_keras_object(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Metric or metric function from its config or name.

    Args:
        config: config, or the name of a built-in or custom metric.
        custom_objects: further classes and functions by name.

    References: Keras ``metrics.deserialize``.
    """
    return deserialize_keras_object(config, module_objects=ALL_OBJECTS_DICT, custom_objects=custom_objects)


def get(identifier: Any) -> Any:
    """Metric from whatever ``compile(metrics=[...])`` takes.

    Args:
        identifier: name of a class, config, class, object, function, or None.

    Raises:
        ValueError: nothing of that name is known.

    Example:
        >>> get("mean_squared_error").name
        'mean_squared_error'

    References: Keras ``metrics.get``.
    """
    return interpret("metric", identifier, ALL_OBJECTS_DICT)
