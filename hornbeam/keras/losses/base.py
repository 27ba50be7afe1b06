"""``Loss``: the base class of losses."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.base import dtypes, names
from hornbeam.base.errors import explain
from hornbeam.core.door import op
from hornbeam.keras.losses.inputs import compute_dtype, on_host, structure_of_tensors
from hornbeam.keras.losses.reduction import joined_masks, reduce_weighted_values, standardize_reduction

__all__ = ["Loss"]


class Loss:
    """Base class of losses: subclasses define ``call(y_true, y_pred)``, one value per sample.

    Calling a loss converts labels and predictions to its dtype, runs ``call``, multiplies by the sample weights,
    leaves out what the mask of the predictions leaves out, and reduces.

    Args:
        name: name; a default one is made from the class name.
        reduction: ``"sum_over_batch_size"`` or ``"mean"`` (sum over the number of values), ``"sum"``,
            ``"mean_with_sample_weight"`` (sum over the sum of the weights), ``"none"`` or None (no reduction).
        dtype: dtype of the computation, or a dtype policy, whose compute dtype counts; default floatx.

    Example:
        >>> class Largest(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return tf.reduce_max(tf.abs(y_true - y_pred), axis=-1)

    References: Keras ``Loss``.
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        self.name = name or names.auto_name(type(self).__name__)
        self.reduction = standardize_reduction(reduction)
        self._dtype = compute_dtype(dtype)

    @property
    def dtype(self) -> dtypes.DType:
        """Dtype of the computation."""
        return self._dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Loss of a batch.

        Args:
            y_true: labels: a tensor, an array, or a nesting of them.
            y_pred: predictions, nested like the labels. The mask of a single tensor counts.
            sample_weight: weights that broadcast against the values of ``call``.
        """
        in_mask = getattr(y_pred, "_keras_mask", None)
        y_pred = structure_of_tensors(y_pred, self._dtype)
        y_true = structure_of_tensors(y_true, self._dtype)
        values = self.call(y_true, y_pred)
        if values is None:
            raise ValueError(
                explain(
                    f"Loss {self.name!r} gave None.",
                    expected="a tensor with one value per sample",
                    received="None",
                    fix="end the function, or `call` of the class, with `return`",
                )
            )
        out_mask = getattr(values, "_keras_mask", None)
        reduce = _reducer(standardize_reduction(self.reduction), self._dtype)
        weight = on_host(sample_weight, np.dtype(self._dtype.as_numpy_dtype))
        if weight is None and in_mask is None and out_mask is None:
            return reduce(values)
        return reduce(values, weight, in_mask, out_mask)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Loss values of a batch, usually one per sample; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} does not define `call(self, y_true, y_pred)`.")

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal loss."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """Loss from its config."""
        return cls(**config)

    def _obj_type(self) -> str:
        return "Loss"


@functools.lru_cache(maxsize=256)
def _reducer(reduction: str | None, dtype: dtypes.DType) -> Callable:
    target = np.dtype(dtype.as_numpy_dtype)

    def weighted_reduction(values: Any, sample_weight: Any = None, in_mask: Any = None, out_mask: Any = None) -> Any:
        return reduce_weighted_values(values, sample_weight, joined_masks(in_mask, out_mask), reduction, target)

    return op(weighted_reduction, wide=dtype in dtypes.WIDE)
