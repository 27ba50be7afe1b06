"""``Sum``, ``Mean``, and means of functions of labels and predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.core.door import op
from hornbeam.keras.losses.functional.arrays import (
    Masked,
    divide_no_nan,
    squeeze_or_expand_to_same_rank,
    working_dtype,
)
from hornbeam.keras.losses.lookup import ALL_OBJECTS as LOSSES
from hornbeam.keras.losses.reduction import apply_mask
from hornbeam.keras.losses.wrapper import array_form, frozen
from hornbeam.keras.metrics.base import Metric
from hornbeam.keras.metrics.program import accumulate, compute, narrowed
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["Mean", "MeanMetricWrapper", "Sum", "mean_step"]


def _samplewise(values: Any, weight: Any, mask: Any, reduce: Callable, dtype: Any) -> tuple[Any, Any]:
    """Values reduced to one per sample, and the weights of the samples (or None).

    A mask of the values counts only beside weights, as in Keras.
    """
    # Integers are added up as integers, narrow floats in 32 bits.
    work = np.dtype(dtype) if jnp.issubdtype(dtype, jnp.integer) else working_dtype(dtype)
    values = jnp.asarray(values).astype(work)
    if weight is not None:
        weight = apply_mask(jnp.asarray(weight).astype(work), mask, work, "sum")
        values, weight = squeeze_or_expand_to_same_rank(values, weight)
        rank = weight.ndim
        if values.ndim > rank:
            values = reduce(values, axis=tuple(range(rank, values.ndim)))
        weight = jnp.broadcast_to(weight, values.shape)
        values = values * weight
        if rank > 1:
            weight = reduce(weight, axis=tuple(range(1, rank)))
    if values.ndim > 1:
        values = reduce(values, axis=tuple(range(1, values.ndim)))
    return values, weight


def sum_step(state: list, values: Any, weight: Any, mask: Any, *, dtype: Any) -> list:
    """State of ``Sum`` after a batch."""
    values, _ = _samplewise(values, weight, mask, jnp.sum, dtype)
    return [state[0] + jnp.sum(values).astype(dtype)]


def mean_step(state: list, values: Any, weight: Any, mask: Any, *, dtype: Any) -> list:
    """State of ``Mean`` after a batch."""
    values, weight = _samplewise(values, weight, mask, jnp.mean, dtype)
    if weight is not None:
        count = jnp.sum(weight)
    else:
        count = jnp.asarray(values.shape[0] if values.ndim else 1, values.dtype)
    return [state[0] + jnp.sum(values).astype(dtype), state[1] + count.astype(dtype)]


def function_step(
    state: list, y_true: Any, y_pred: Any, weight: Any, mask: Any, *, form: Callable, options: tuple, dtype: Any
) -> list:
    """State of a mean of ``form(y_true, y_pred)`` after a batch; ``mask`` is the predictions' one."""
    out = form(y_true, y_pred, **dict(options))
    values, out_mask = out if isinstance(out, Masked) else (out, None)
    weight = apply_mask(None if weight is None else jnp.asarray(weight), mask, working_dtype(dtype), "sum")
    return mean_step(state, values, weight, out_mask, dtype=dtype)


@op(static=("dtype",))
def _masked_weight(mask: Any, weight: Any = None, dtype: Any = None) -> Any:
    return apply_mask(weight, mask, working_dtype(dtype.as_numpy_dtype), "sum")


class Sum(Metric):
    """Weighted sum of the values given.

    References: Keras ``metrics.Sum``.
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self.dtype, name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values.

        Args:
            values: numbers, (batch, ...).
            sample_weight: weights that broadcast against the values.
        """
        inputs = (
            narrowed(values, self.dtype),
            narrowed(sample_weight, self.dtype),
            getattr(values, "_keras_mask", None),
        )
        accumulate((self.total,), sum_step, inputs, dtype=np.dtype(self.dtype.as_numpy_dtype))

    def result(self) -> Any:
        """The sum."""
        return compute((self.total,), _itself)


def _itself(total: Any) -> Any:
    return total


class Mean(Metric):
    """Weighted mean of the values given; 0 before any value.

    Values of each sample are averaged first, so every sample counts once, or by its weight.

    References: Keras ``metrics.Mean``.
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self.dtype, name="total")
        self.count = self.add_variable((), "zeros", dtype=self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values.

        Args:
            values: numbers, (batch, ...).
            sample_weight: weights that broadcast against the values.
        """
        inputs = (
            narrowed(values, self.dtype),
            narrowed(sample_weight, self.dtype),
            getattr(values, "_keras_mask", None),
        )
        self._add(mean_step, inputs)

    def _add(self, step: Callable, inputs: tuple, **options: Any) -> None:
        accumulate((self.total, self.count), step, inputs, dtype=np.dtype(self.dtype.as_numpy_dtype), **options)

    def result(self) -> Any:
        """The mean."""
        return compute((self.total, self.count), divide_no_nan)


class MeanMetricWrapper(Mean):
    """Mean of ``fn(y_true, y_pred, **kwargs)`` over the samples.

    Args:
        fn: function of labels and predictions, one value per sample.
        name: name.
        dtype: dtype of the state and the result.
        **kwargs: further arguments of the function.

    References: Keras ``metrics.MeanMetricWrapper``.
    """

    config_names: tuple[str, ...] = ()
    """Arguments that always stand in the config."""
    config_extras: dict[str, Any] = {}
    """Arguments that stand in the config where they differ from these defaults."""
    plain_config = False
    """True for built-in metrics, whose function follows from the class."""

    def __init__(self, fn: Callable, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs
        self._frozen = frozen(kwargs) if array_form(fn) is not None else None
        if any(fn is known or type(fn) is known for known in LOSSES):
            self._direction = "down"

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: labels.
            y_pred: predictions; their mask counts.
            sample_weight: weights that broadcast against the values of the function.
        """
        mask = getattr(y_pred, "_keras_mask", None)
        form = array_form(self._fn)
        if form is not None and self._frozen is not None:
            weight = narrowed(sample_weight, self.dtype)
            inputs = (narrowed(y_true), narrowed(y_pred), weight, mask)
            self._add(function_step, inputs, form=form, options=self._frozen)
            return
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        weight = narrowed(sample_weight, self.dtype)
        if mask is not None:
            weight = _masked_weight(mask, weight, dtype=self.dtype)
        super().update_state(values, sample_weight=weight)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        config = super().get_config()
        if self.plain_config:
            config.update({name: getattr(self, name) for name in self.config_names})
            changed = {name: getattr(self, name) for name, default in self.config_extras.items()}
            return config | {name: value for name, value in changed.items() if value != self.config_extras[name]}
        return config | {"fn": serialize_keras_object(self._fn)} | serialize_keras_object(self._fn_kwargs)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Metric from its config."""
        return cls(**(deserialize_keras_object(config) if "fn" in config else config))
