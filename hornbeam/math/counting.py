"""Ranking, counting and segments: ``top_k``, ``bincount``, ``confusion_matrix``, ``segment_sum`` ..."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.base.errors import TraceError
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.core.symbolic import KerasTensor
from hornbeam.errors import InvalidArgumentError
from hornbeam.ops.promotion import promote, to_dtype
from hornbeam.tensors.face import concrete, face, is_known, kept, tensor, tensors

__all__ = [
    "bincount",
    "confusion_matrix",
    "in_top_k",
    "invert_permutation",
    "is_non_decreasing",
    "is_strictly_increasing",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "top_k",
    "unsorted_segment_max",
    "unsorted_segment_mean",
    "unsorted_segment_min",
    "unsorted_segment_prod",
    "unsorted_segment_sqrt_n",
    "unsorted_segment_sum",
]


class TopK(NamedTuple):
    """Result of ``top_k``."""

    values: Any
    indices: Any


# --- ranking -------------------------------------------------------------------------------------
@face
def top_k(input: Any, k: Any = 1, sorted: bool = True, index_type: Any = "int32", name: str | None = None) -> TopK:
    """The ``k`` largest elements along the last axis, and their places; largest first, also if ``sorted`` is False."""
    values, places = ops.top_k(tensor(input), int(static_value(k, "k")), sorted=bool(sorted))
    return TopK(values, kept(places, dtypes.as_dtype(index_type)))


@face
def in_top_k(targets: Any, predictions: Any, k: Any, name: str | None = None) -> Any:
    """Whether the target class is among the ``k`` highest predictions of its row; ties count as in."""
    return ops.in_top_k(tensor(targets), tensor(predictions), int(static_value(k, "k")))


@op
def _inverse(x: Any) -> Any:
    x = promote(x)[0]
    return jnp.zeros_like(x).at[x].set(jnp.arange(x.shape[0], dtype=x.dtype))


@face
def invert_permutation(x: Any, name: str | None = None) -> Any:
    """The permutation that undoes ``x``."""
    x = tensor(x)
    values = concrete(x)
    if values is not None and not np.array_equal(np.sort(values), np.arange(values.size)):
        raise InvalidArgumentError(None, None, f"tf.math.invert_permutation: {values} is not a permutation.")
    return _inverse(x)


@face
def is_non_decreasing(x: Any, name: str | None = None) -> Any:
    """Whether no element of the flattened tensor is below the one before."""
    x = ops.ravel(tensor(x))
    return ops.all(ops.less_equal(x[:-1], x[1:]))


@face
def is_strictly_increasing(x: Any, name: str | None = None) -> Any:
    """Whether every element of the flattened tensor is above the one before."""
    x = ops.ravel(tensor(x))
    return ops.all(ops.less(x[:-1], x[1:]))


# --- counting ------------------------------------------------------------------------------------
@op(static=("size", "dtype", "binary"))
def _counts(arr: Any, weights: Any, size: int, dtype: Any, binary: bool) -> Any:
    arr = promote(arr)[0]
    kind = dtypes.as_dtype(dtype).as_numpy_dtype
    weights = jnp.ones(arr.shape, kind) if weights is None else to_dtype(weights, dtype)
    places = jnp.where(arr < 0, size, arr)
    rows = jnp.zeros((*arr.shape[:-1], size), kind)
    where = (*jnp.indices(arr.shape, sparse=True, dtype=jnp.int32)[:-1], places) if arr.ndim > 1 else (places,)
    return rows.at[where].set(1, mode="drop") if binary else rows.at[where].add(weights, mode="drop")


@face
def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = "int32",
    name: str | None = None,
    axis: int | None = None,
    binary_output: bool = False,
) -> Any:
    """How often each number from 0 on occurs.

    Args:
        arr: integers that are not negative.
        weights: what each occurrence counts; the result then has their dtype.
        minlength: size of the result at least.
        maxlength: size of the result at most; larger numbers are left out.
        dtype: dtype of counts.
        axis: None or 0 counts over the whole tensor, -1 counts each row (last axis) by itself.
        binary_output: 1 for every number that occurs.

    Raises:
        TraceError: inside compiled functions, unless ``minlength`` and ``maxlength`` are equal.
    """
    arr = tensor(arr)
    if axis not in (None, 0, -1):
        raise ValueError(f"tf.math.bincount: `axis` must be None, 0 or -1, received {axis}.")
    low = None if minlength is None else int(static_value(minlength, "minlength"))
    high = None if maxlength is None else int(static_value(maxlength, "maxlength"))
    if high is not None and low == high:
        size = high
    elif not is_known(arr):
        raise TraceError("tf.math.bincount: give equal `minlength` and `maxlength` inside compiled functions.")
    else:
        values = np.asarray(arr)
        if values.size and values.min() < 0:
            raise InvalidArgumentError(None, None, "tf.math.bincount: numbers must not be negative.")
        size = max(int(values.max()) + 1 if values.size else 0, low or 0)
        size = size if high is None else min(size, high)
    if axis != -1 and arr.ndim != 1:
        arr = ops.ravel(arr)
        weights = None if weights is None else ops.ravel(tensor(weights))
    weights = None if weights is None else tensor(weights)
    return _counts(
        arr, weights, size, dtypes.as_dtype(dtype) if weights is None else weights.dtype, bool(binary_output)
    )


@face
def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    weights: Any = None,
    dtype: Any = "int32",
    name: str | None = None,
) -> Any:
    """Matrix whose entry ``[i, j]`` counts samples of class ``i`` that were predicted as ``j``.

    ``num_classes`` is one more than the largest class by default, which must then be known now.
    """
    labels, predictions = tensors(labels, predictions)
    if len(labels.shape) == 2 and labels.shape[1] == 1 and len(predictions.shape) == 1:
        labels = ops.squeeze(labels, -1)
    if len(predictions.shape) == 2 and predictions.shape[1] == 1 and len(labels.shape) == 1:
        predictions = ops.squeeze(predictions, -1)
    known = is_known(labels, predictions)
    if num_classes is None:
        if not known:
            raise TraceError("tf.math.confusion_matrix: give `num_classes` inside compiled functions.")
        num_classes = max(int(np.max(np.asarray(item), initial=-1)) for item in (labels, predictions)) + 1
    count = int(static_value(num_classes, "num_classes"))
    for item in (labels, predictions):
        values = concrete(item)
        if values is not None and values.size and not (values.min() >= 0 and values.max() < count):
            raise InvalidArgumentError(None, None, f"tf.math.confusion_matrix: classes must lie in [0, {count}).")
    pairs = ops.add(ops.multiply(ops.cast(labels, "int32"), count), ops.cast(predictions, "int32"))
    weights = None if weights is None else tensor(weights)
    return ops.reshape(_counts(pairs, weights, count * count, dtypes.as_dtype(dtype), False), (count, count))


# --- segments ------------------------------------------------------------------------------------
def _sorted_segments(data: Any, segment_ids: Any, reduction: Any, empty: Any = None) -> Any:
    """Reduction over segments whose ids do not decrease, so that the last one tells their number."""
    data, ids = tensor(data), tensor(segment_ids)
    if isinstance(ids, KerasTensor) or not is_known(ids):
        raise TraceError(
            "tf.math.segment_*: the number of segments is not known inside compiled functions; "
            "use tf.math.unsorted_segment_* with `num_segments`."
        )
    values = np.asarray(ids)
    if values.size and (np.diff(values) < 0).any():
        raise InvalidArgumentError(None, None, "tf.math.segment_*: segment ids are not increasing.")
    count = int(values[-1]) + 1 if values.size else 0
    out = reduction(data, ids, count)
    if empty is None:
        return kept(out, data.dtype)
    present = np.bincount(values, minlength=count) > 0
    return kept(ops.where(present.reshape((-1,) + (1,) * (data.ndim - 1)), out, empty), data.dtype)


@face
def segment_sum(data: Any, segment_ids: Any, name: str | None = None) -> Any:
    """Sum of the rows of each segment; ids are sorted."""
    return _sorted_segments(data, segment_ids, ops.segment_sum)


@face
def segment_prod(data: Any, segment_ids: Any, name: str | None = None) -> Any:
    """Product of the rows of each segment; ids are sorted."""
    return _sorted_segments(data, segment_ids, ops.segment_prod)


@face
def segment_max(data: Any, segment_ids: Any, name: str | None = None) -> Any:
    """Largest elements of each segment, 0 for empty ones; ids are sorted."""
    return _sorted_segments(data, segment_ids, ops.segment_max, 0)


@face
def segment_min(data: Any, segment_ids: Any, name: str | None = None) -> Any:
    """Smallest elements of each segment, 0 for empty ones; ids are sorted."""
    return _sorted_segments(data, segment_ids, ops.segment_min, 0)


@face
def segment_mean(data: Any, segment_ids: Any, name: str | None = None) -> Any:
    """Mean of the rows of each segment, 0 for empty ones; ids are sorted."""
    return _sorted_segments(data, segment_ids, lambda d, i, n: _per_count(d, i, n, 1.0))


def _flat(data: Any, segment_ids: Any) -> tuple[Any, Any]:
    """Data and ids with the axes that the ids have joined to one."""
    data, ids = tensor(data), tensor(segment_ids)
    rank = len(ids.shape)
    if tuple(data.shape)[:rank] != tuple(ids.shape):
        raise InvalidArgumentError(
            None, None, f"data.shape {tuple(data.shape)} does not start with segment_ids.shape {tuple(ids.shape)}."
        )
    ids = ops.reshape(ids, (-1,))
    return ops.reshape(data, (ids.shape[0], *tuple(data.shape)[rank:])), ids


def _unsorted(data: Any, segment_ids: Any, num_segments: Any, reduction: Any) -> Any:
    data, ids = _flat(data, segment_ids)
    return kept(reduction(data, ids, int(static_value(num_segments, "num_segments"))), data.dtype)


@face
def unsorted_segment_sum(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """Sum of the rows of each segment; rows with a negative id are left out."""
    return _unsorted(data, segment_ids, num_segments, ops.segment_sum)


@face
def unsorted_segment_prod(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """Product of the rows of each segment, 1 for empty ones."""
    return _unsorted(data, segment_ids, num_segments, ops.segment_prod)


@op
def _finite_limits(x: Any) -> Any:
    x = promote(x)[0]
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return x
    limit = jnp.finfo(x.dtype).max
    return jnp.where(jnp.isinf(x), jnp.sign(x) * limit, x)


@face
def unsorted_segment_max(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """Largest elements of each segment, the lowest finite value for empty ones."""
    return _unsorted(data, segment_ids, num_segments, lambda d, i, n: _finite_limits(ops.segment_max(d, i, n)))


@face
def unsorted_segment_min(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """Smallest elements of each segment, the highest finite value for empty ones."""
    return _unsorted(data, segment_ids, num_segments, lambda d, i, n: _finite_limits(ops.segment_min(d, i, n)))


def _per_count(data: Any, ids: Any, count: int, power: float) -> Any:
    """Sums of segments divided by a power of the number of their rows."""
    total = ops.segment_sum(data, ids, count)
    rows = ops.segment_sum(ops.ones_like(ids, dtype=data.dtype), ids, count)
    rows = ops.reshape(ops.maximum(rows, 1), (count,) + (1,) * (len(data.shape) - 1))
    return ops.divide(total, rows if power == 1.0 else ops.sqrt(rows))


@face
def unsorted_segment_mean(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """Mean of the rows of each segment, 0 for empty ones."""
    return _unsorted(data, segment_ids, num_segments, lambda d, i, n: _per_count(d, i, n, 1.0))


@face
def unsorted_segment_sqrt_n(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """Sum of the rows of each segment divided by the square root of their number."""
    return _unsorted(data, segment_ids, num_segments, lambda d, i, n: _per_count(d, i, n, 0.5))
