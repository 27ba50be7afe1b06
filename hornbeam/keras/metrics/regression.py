"""Means of distances between real numbers, and correlations."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.keras.losses.functional import regression as functions
from hornbeam.keras.losses.functional.arrays import divide_no_nan, squeeze_or_expand_to_same_rank, working_dtype
from hornbeam.keras.metrics import functional
from hornbeam.keras.metrics.program import compute, narrowed
from hornbeam.keras.metrics.reduction import Mean, MeanMetricWrapper, mean_step

__all__ = [
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "PearsonCorrelation",
    "RootMeanSquaredError",
]


class MeanSquaredError(MeanMetricWrapper):
    """Mean of the squared errors.

    References: Keras ``metrics.MeanSquaredError``.
    """

    plain_config = True

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(functions.mean_squared_error, name, dtype)
        self._direction = "down"


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of the absolute errors.

    References: Keras ``metrics.MeanAbsoluteError``.
    """

    plain_config = True

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(functions.mean_absolute_error, name, dtype)
        self._direction = "down"


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """Mean of the absolute errors in percent of the labels.

    References: Keras ``metrics.MeanAbsolutePercentageError``.
    """

    plain_config = True

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(functions.mean_absolute_percentage_error, name, dtype)
        self._direction = "down"


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """Mean of the squared differences of ``log(1 + value)``.

    References: Keras ``metrics.MeanSquaredLogarithmicError``.
    """

    plain_config = True

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(functions.mean_squared_logarithmic_error, name, dtype)
        self._direction = "down"


class LogCoshError(MeanMetricWrapper):
    """Mean of ``log(cosh(error))``.

    References: Keras ``metrics.LogCoshError``.
    """

    plain_config = True

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(functions.log_cosh, name, dtype)
        self._direction = "down"


class CosineSimilarity(MeanMetricWrapper):
    """Mean of the cosine between labels and predictions: 1 for equal directions.

    Args:
        axis: axis of the vectors' components.

    References: Keras ``metrics.CosineSimilarity``.
    """

    plain_config = True
    config_extras = {"axis": -1}

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(functional.cosine, name, dtype, axis=axis)
        self.axis = axis
        self._direction = "up"


class PearsonCorrelation(MeanMetricWrapper):
    """Mean of Pearson's correlation coefficient.

    Args:
        axis: axis of the observations.

    References: Keras ``metrics.PearsonCorrelation``.
    """

    plain_config = True
    config_names = ("axis",)

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(functional.pearson_correlation, name, dtype, axis=axis)
        self.axis = axis
        self._direction = "up"


class ConcordanceCorrelation(MeanMetricWrapper):
    """Mean of Lin's concordance correlation coefficient.

    Args:
        axis: axis of the observations.

    References: Keras ``metrics.ConcordanceCorrelation``.
    """

    plain_config = True
    config_names = ("axis",)

    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(functional.concordance_correlation, name, dtype, axis=axis)
        self.axis = axis
        self._direction = "up"


class RootMeanSquaredError(Mean):
    """Square root of the mean of the squared errors.

    References: Keras ``metrics.RootMeanSquaredError``.
    """

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self._direction = "down"

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add a batch.

        Args:
            y_true: labels.
            y_pred: predictions.
            sample_weight: weights that broadcast against the labels.
        """
        self._add(_squared_error_step, tuple(narrowed(value, self.dtype) for value in (y_true, y_pred, sample_weight)))

    def result(self) -> Any:
        """The root of the mean."""
        return compute((self.total, self.count), _root_of_mean)


def _squared_error_step(state: list, y_true: Any, y_pred: Any, weight: Any, *, dtype: Any) -> list:
    work = working_dtype(np.dtype(dtype))
    y_true, y_pred = (jnp.asarray(value).astype(work) for value in (y_true, y_pred))
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    return mean_step(state, jnp.square(y_pred - y_true), weight, None, dtype=dtype)


def _root_of_mean(total: Any, count: Any) -> Any:
    return jnp.sqrt(divide_no_nan(total, count))
