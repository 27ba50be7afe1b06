"""Sums, means and their like over the axes of ragged tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.tensor import HostTensor
from hornbeam.ragged import joining, rows
from hornbeam.ragged.tensor import RaggedTensor

__all__ = ["REDUCTIONS", "reduced", "softmax"]

REDUCTIONS = frozenset(
    [
        "reduce_sum",
        "reduce_prod",
        "reduce_min",
        "reduce_max",
        "reduce_mean",
        "reduce_any",
        "reduce_all",
        "reduce_variance",
        "reduce_std",
    ]
)


def reduced(name: str, x: RaggedTensor, axis: Any, keepdims: bool, function: Callable) -> Any:
    """Reduction of a ragged tensor; `function` is the one on tensors, for axes that are not ragged."""
    if isinstance(x.flat_values, HostTensor):
        raise NotSupportedError(f"tf.{name} takes numbers, received a ragged tensor of texts.")
    if axis is None:
        found = function(x.flat_values, axis=None)
        return ops.reshape(found, (1,) * x.ndim) if keepdims else found
    axes = sorted({int(one) % x.ndim for one in np.atleast_1d(rows.host(axis)).tolist()}, reverse=True)
    if len(axes) == x.ndim:
        return reduced(name, x, None, keepdims, function)
    if name in ("reduce_mean", "reduce_variance", "reduce_std"):
        return _moments(name, x, axes, keepdims)
    for one in axes:
        x = _along(name, x, one)
        x = _expanded(x, one) if keepdims else x
    return x


def _expanded(x: Any, axis: int) -> Any:
    return joining.expanded(x, axis) if isinstance(x, RaggedTensor) else ops.expand_dims(x, axis)


def _moments(name: str, x: RaggedTensor, axes: list[int], keepdims: bool) -> Any:
    """Means, and variances as means of squares less the square of the mean."""
    values = x.flat_values
    if not values.dtype.is_floating and name != "reduce_mean":
        raise TypeError(f"tf.{name} takes floating point numbers, received a ragged tensor of {values.dtype.name}.")

    def total(flat: Any) -> Any:
        found: Any = x.with_flat_values(flat)
        for one in axes:
            found = _along("reduce_sum", found, one)
            found = _expanded(found, one) if keepdims else found
        return found

    counts = total(ops.ones_like(values))
    mean = _divided(total(values), counts)
    if name == "reduce_mean":
        return mean
    squares = _divided(total(ops.square(values)), counts)
    spread = ops.maximum(_values(squares) - ops.square(_values(mean)), 0)
    return _like(mean, ops.sqrt(spread) if name == "reduce_std" else spread)


def _values(x: Any) -> Any:
    return x.flat_values if isinstance(x, RaggedTensor) else x


def _like(x: Any, values: Any) -> Any:
    return x.with_flat_values(values) if isinstance(x, RaggedTensor) else values


def _divided(x: Any, y: Any) -> Any:
    left, right = _values(x), _values(y)
    whole = left.dtype.is_integer
    return _like(x, ops.floor_divide(left, right) if whole else ops.true_divide(left, right))


def _along(name: str, x: Any, axis: int) -> Any:
    """Reduction along one axis of a ragged or, after an inner one, dense tensor."""
    if not isinstance(x, RaggedTensor):
        return _DENSE[name](x, axis=axis)
    if axis == 0:
        one_row = _segments(name, x, np.zeros(len(x), np.int64), 1)
        return one_row.values
    if axis == 1:
        return _segments(name, x.values, rows.row_numbers(x._splits), len(x))
    return x.with_values(_along(name, x.values, axis - 1))


def _segments(name: str, values: Any, numbers: np.ndarray, count: int) -> Any:
    """Values of equal number reduced to one; ragged values place by place."""
    if isinstance(values, RaggedTensor):
        lengths = np.zeros(count, np.int64)
        np.maximum.at(lengths, numbers, np.diff(values._splits))
        splits = rows.splits_of(lengths)
        places = splits[:-1][numbers[rows.row_numbers(values._splits)]] + rows.inside(values._splits)
        return RaggedTensor(_segments(name, values.values, places, int(splits[-1])), splits)
    if name in ("reduce_any", "reduce_all"):
        whole = ops.cast(values, "int32")
        found = _segments("reduce_max" if name == "reduce_any" else "reduce_min", whole, numbers, count)
        return ops.greater(found, 0)
    found = _SEGMENT[name](values, numbers.astype(np.int32), num_segments=count)
    if name not in ("reduce_min", "reduce_max"):
        return found
    empty = (np.bincount(numbers, minlength=count) == 0).reshape(-1, *[1] * (len(values.shape) - 1))
    return ops.where(empty, np.asarray(_neutral(name, values.dtype)), found) if empty.any() else found


def _neutral(name: str, dtype: dtypes.DType) -> Any:
    kind = np.dtype(dtype.as_numpy_dtype)
    limits = np.iinfo(kind) if kind.kind in "iu" else np.finfo(kind)
    return kind.type(limits.min if name == "reduce_max" else limits.max)


_SEGMENT: dict[str, Callable] = {
    "reduce_sum": ops.segment_sum,
    "reduce_prod": ops.segment_prod,
    "reduce_min": ops.segment_min,
    "reduce_max": ops.segment_max,
}
_DENSE: dict[str, Callable] = {
    "reduce_sum": ops.sum,
    "reduce_prod": ops.prod,
    "reduce_min": ops.min,
    "reduce_max": ops.max,
    "reduce_any": ops.any,
    "reduce_all": ops.all,
}


def softmax(x: RaggedTensor, axis: int) -> RaggedTensor:
    """Shares that sum to 1 along a ragged axis (each row by itself), or a dense one."""
    if axis == 0:
        raise NotSupportedError("tf.nn.softmax of a ragged tensor works along its rows, not along axis 0.")
    if axis > 1:
        inner = x.values
        return x.with_values(
            softmax(inner, axis - 1) if isinstance(inner, RaggedTensor) else ops.softmax(inner, axis - 1)
        )
    if isinstance(x.values, RaggedTensor):
        raise NotSupportedError("tf.nn.softmax of a ragged tensor works along its last axis.")
    numbers = rows.row_numbers(x._splits).astype(np.int32)
    highest = ops.stop_gradient(_segments("reduce_max", x.values, numbers, len(x)))
    shares = ops.exp(x.values - ops.take(highest, numbers, axis=0))
    return x.with_values(shares / ops.take(ops.segment_sum(shares, numbers, num_segments=len(x)), numbers, axis=0))
