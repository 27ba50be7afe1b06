"""Coefficient of determination."""

from __future__ import annotations

import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.engine.jax_compat import Tracer
from hornbeam.keras.losses.functional.arrays import squeeze_or_expand_to_same_rank
from hornbeam.keras.metrics.base import Metric
from hornbeam.keras.metrics.program import accumulate, compute, narrowed

__all__ = ["R2Score"]

_AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


class R2Score(Metric):
    """R²: the share of the labels' variance that the predictions explain, at most 1.

    Args:
        class_aggregation: over the outputs: ``"uniform_average"``, ``"variance_weighted_average"``, or None for one
            value per output.
        num_regressors: number of inputs of the model, for the adjusted R²; 0 gives the plain one.

    Raises:
        ValueError: an argument is none of these, or the labels and predictions have not two axes.

    References: Keras ``metrics.R2Score``.
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._direction = "up"
        if class_aggregation not in _AGGREGATIONS:
            raise ValueError(
                f"R2Score: no such `class_aggregation`: {class_aggregation!r}. Use one of {_AGGREGATIONS}."
            )
        if num_regressors < 0:
            raise ValueError(
                f"R2Score: `num_regressors` must not be below 0. Received: num_regressors={num_regressors}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def _build(self, y_true_shape: Any, y_pred_shape: Any) -> None:
        if len(y_pred_shape) != 2 or len(y_true_shape) != 2:
            raise ValueError(
                f"R2Score takes matrices (batch, outputs). Received: y_true of shape {tuple(y_true_shape)}, y_pred of "
                f"shape {tuple(y_pred_shape)}"
            )
        outputs = (y_pred_shape[-1],)
        self.squared_sum = self.add_variable(outputs, "zeros", name="squared_sum")
        self.sum = self.add_variable(outputs, "zeros", name="sum")
        self.total_mse = self.add_variable(outputs, "zeros", name="residual")
        self.count = self.add_variable(outputs, "zeros", name="count")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: labels, (batch, outputs).
            y_pred: predictions of that shape.
            sample_weight: weights, (batch,) or (batch, outputs).
        """
        y_true, y_pred = narrowed(y_true, self.dtype), narrowed(y_pred, self.dtype)
        if not self._built:
            true_shape, pred_shape = np.shape(y_true), np.shape(y_pred)
            if abs(len(true_shape) - len(pred_shape)) == 1:
                y_true_like, y_pred_like = squeeze_or_expand_to_same_rank(
                    np.broadcast_to(0, true_shape), np.broadcast_to(0, pred_shape)
                )
                true_shape, pred_shape = y_true_like.shape, y_pred_like.shape
            self._build(true_shape, pred_shape)
        variables = (self.sum, self.squared_sum, self.total_mse, self.count, self.num_samples)
        inputs = (y_true, y_pred, narrowed(sample_weight, self.dtype))
        accumulate(variables, _step, inputs, dtype=np.dtype(self.dtype.as_numpy_dtype))

    def result(self) -> Any:
        """R², over all outputs or one per output."""
        if self.num_regressors:
            self._warn_of_few_samples()
        variables = (self.sum, self.squared_sum, self.total_mse, self.count, self.num_samples)
        return compute(variables, _score, aggregation=self.class_aggregation, regressors=self.num_regressors)

    def _warn_of_few_samples(self) -> None:
        samples = self.num_samples.read_array()
        if isinstance(samples, Tracer):
            return
        left = float(samples) - 1 - self.num_regressors
        if left < 0:
            warnings.warn(
                "R2Score: there are more regressors than samples, so the plain R² is given, not the adjusted one.",
                stacklevel=3,
            )
        elif left == 0:
            warnings.warn(
                "R2Score: the adjusted R² would divide by zero, so the plain R² is given instead.", stacklevel=3
            )

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return super().get_config() | own


def _step(state: list, y_true: Any, y_pred: Any, weight: Any, *, dtype: Any) -> list:
    y_true, y_pred = (jnp.asarray(value).astype(dtype) for value in (y_true, y_pred))
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    weight = jnp.ones((), dtype) if weight is None else jnp.asarray(weight).astype(dtype)
    weight = jnp.broadcast_to(weight[:, None] if weight.ndim == 1 else weight, y_true.shape)
    batch = (
        jnp.sum(y_true * weight, axis=0),
        jnp.sum(y_true * y_true * weight, axis=0),
        jnp.sum(jnp.square(y_true - y_pred) * weight, axis=0),
        jnp.sum(weight, axis=0),
        jnp.asarray(y_true.size, state[-1].dtype),
    )
    return [old + new.astype(old.dtype) for old, new in zip(state, batch, strict=True)]


def _score(
    total: Any, squares: Any, residual: Any, count: Any, samples: Any, *, aggregation: Any, regressors: int
) -> Any:
    variation = squares - total * (total / count)
    score = 1.0 - residual / variation
    score = jnp.where(jnp.isinf(score), 0.0, score)
    if aggregation == "uniform_average":
        score = jnp.mean(score)
    elif aggregation == "variance_weighted_average":
        score = jnp.sum(variation * score) / jnp.sum(variation)
    if not regressors:
        return score
    left = samples - regressors - 1.0
    adjusted = 1.0 - (1.0 - score) * (samples - 1.0) / jnp.where(left > 0, left, 1.0)
    return jnp.where(left > 0, adjusted, score)
