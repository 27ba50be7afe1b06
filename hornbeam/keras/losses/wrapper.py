"""``LossFunctionWrapper``: a loss from a function; built-in functions run as one compiled program."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.base import dtypes, settings, trees
from hornbeam.core.arguments import static_value
from hornbeam.core.door import Op, op
from hornbeam.keras.losses.base import Loss
from hornbeam.keras.losses.functional.arrays import Masked, squeeze_or_expand_to_same_rank, working_dtype
from hornbeam.keras.losses.inputs import on_host
from hornbeam.keras.losses.reduction import joined_masks, reduce_weighted_values, standardize_reduction
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["LossFunctionWrapper", "array_form", "frozen"]


def array_form(function: Any) -> Callable | None:
    """Function of arrays behind a built-in loss or op, or None for any other function."""
    form = getattr(function, "array_form", None)
    if form is None:
        inner = getattr(function, "op", None)
        form = inner.function if isinstance(inner, Op) and inner.compiled else None
    return form


def frozen(options: dict[str, Any]) -> tuple[tuple[str, Any], ...] | None:
    """Options as a hashable key, or None if one of them is no plain value (an array, say)."""
    if any(getattr(value, "shape", ()) != () for value in options.values()):
        return None
    try:
        items = tuple(sorted((name, static_value(value, name)) for name, value in options.items()))
        hash(items)
    except TypeError:
        return None
    return items


class LossFunctionWrapper(Loss):
    """Loss from a function ``fn(y_true, y_pred, **kwargs)`` that returns one value per sample.

    Args:
        fn: the function.
        reduction: how the values are reduced, see ``Loss``.
        name: name.
        dtype: dtype of the computation.
        **kwargs: further arguments of the function.

    References: Keras ``losses.LossFunctionWrapper``.
    """

    config_names: tuple[str, ...] = ()
    """Arguments that always stand in the config."""
    config_extras: dict[str, Any] = {}
    """Arguments that stand in the config where they differ from these defaults."""
    plain_config = False
    """True for built-in losses, whose function follows from the class."""

    def __init__(
        self,
        fn: Callable,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs
        self._frozen = frozen(kwargs) if array_form(fn) is not None else None

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Loss of a batch, see ``Loss``."""
        form = array_form(self.fn)
        if form is None or self._frozen is None or type(self).call is not LossFunctionWrapper.call:
            return super().__call__(y_true, y_pred, sample_weight)
        dtype = self._dtype
        target = np.dtype(dtype.as_numpy_dtype)
        y_pred, y_true = on_host(y_pred, target), on_host(y_true, working_dtype(target))
        if isinstance(y_pred, dict) or isinstance(y_true, dict):
            return super().__call__(y_true, y_pred, sample_weight)
        program = _program(form, self._frozen, standardize_reduction(self.reduction), dtype, settings.epsilon())
        mask = getattr(y_pred, "_keras_mask", None)
        if sample_weight is None and mask is None:
            return program(y_true, y_pred)
        return program(y_true, y_pred, on_host(sample_weight, target), mask)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Values of the function, ranks that differ by a last axis of 1 made equal before."""
        pairs = [
            _same_rank(true, pred) for true, pred in zip(trees.flatten(y_true), trees.flatten(y_pred), strict=True)
        ]
        if trees.is_nested(y_true):
            y_true = trees.pack(y_true, [pair[0] for pair in pairs])
            y_pred = trees.pack(y_pred, [pair[1] for pair in pairs])
        else:
            ((y_true, y_pred),) = pairs
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal loss."""
        config = super().get_config()
        if self.plain_config:
            config.update({name: getattr(self, name) for name in self.config_names})
            changed = {name: getattr(self, name) for name, default in self.config_extras.items()}
            return config | {name: value for name, value in changed.items() if value != self.config_extras[name]}
        return config | {"fn": serialize_keras_object(self.fn)} | serialize_keras_object(self._fn_kwargs)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """Loss from its config."""
        return cls(**(deserialize_keras_object(config) if "fn" in config else config))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.fn}, kwargs={self._fn_kwargs})>"


@op
def _squeezed(x: Any) -> Any:
    return x[..., 0]


@op
def _expanded(x: Any) -> Any:
    return x[..., None]


def _same_rank(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """``squeeze_or_expand_to_same_rank`` for tensors; tensors of fitting rank stay the same objects."""
    if y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        return (y_true, _expanded(y_pred)) if y_pred.ndim == 1 else (_squeezed(y_true), y_pred)
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        return (_expanded(y_true), y_pred) if y_true.ndim == 1 else (y_true, _squeezed(y_pred))
    return y_true, y_pred


@functools.lru_cache(maxsize=1024)
def _program(form: Callable, options: tuple, reduction: str | None, dtype: dtypes.DType, epsilon: float) -> Callable:
    """Whole loss call as one op; ``epsilon`` is part of the key because the functions read it when compiled."""
    target = np.dtype(dtype.as_numpy_dtype)
    fixed = dict(options)

    def weighted_loss(y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> Any:
        y_pred = jnp.asarray(y_pred).astype(target)
        # Labels keep 32 bits in a 16-bit loss: class numbers above 256 have no exact bfloat16.
        y_true = jnp.asarray(y_true).astype(working_dtype(target))
        out = form(*squeeze_or_expand_to_same_rank(y_true, y_pred), **fixed)
        values, out_mask = out if isinstance(out, Masked) else (out, None)
        return reduce_weighted_values(values, sample_weight, joined_masks(mask, out_mask), reduction, target)

    weighted_loss.__name__ = f"{form.__name__}_loss"
    return op(weighted_loss, wide=dtype in dtypes.WIDE)
