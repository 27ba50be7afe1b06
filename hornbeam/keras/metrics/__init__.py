"""Metrics: classes, functions, and their lookup by name."""

from __future__ import annotations

from hornbeam.keras.losses.functional.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from hornbeam.keras.losses.functional.divergence import kl_divergence, poisson
from hornbeam.keras.losses.functional.focal import binary_focal_crossentropy, categorical_focal_crossentropy
from hornbeam.keras.losses.functional.hinge import categorical_hinge, hinge, squared_hinge
from hornbeam.keras.losses.functional.regression import (
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from hornbeam.keras.metrics import curves
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
from hornbeam.keras.metrics.functional import (
    binary_accuracy,
    categorical_accuracy,
    concordance_correlation,
    pearson_correlation,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from hornbeam.keras.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from hornbeam.keras.metrics.lookup import deserialize, get, serialize
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

KLD = kl_divergence
kld = kl_divergence
kullback_leibler_divergence = kl_divergence
MAE = mean_absolute_error
mae = mean_absolute_error
MAPE = mean_absolute_percentage_error
mape = mean_absolute_percentage_error
MSE = mean_squared_error
mse = mean_squared_error
MSLE = mean_squared_logarithmic_error
msle = mean_squared_logarithmic_error
logcosh = log_cosh

__all__ = [
    "AUC",
    "KLD",
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "Accuracy",
    "AveragePrecision",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "FrequencyWeightedIoU",
    "Hinge",
    "IoU",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanClassAccuracy",
    "MeanIoU",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PearsonCorrelation",
    "PixelAccuracy",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "Sensitivity",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "Specificity",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "concordance_correlation",
    "curves",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "kld",
    "kullback_leibler_divergence",
    "log_cosh",
    "logcosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "pearson_correlation",
    "poisson",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]
