"""``tf.sparse``: how often numbers occur, and sums over segments of chosen rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base.errors import TraceError
from hornbeam.core.arguments import value_of
from hornbeam.core.tensor import from_host
from hornbeam.engine.jax_compat import Tracer
from hornbeam.errors import InvalidArgumentError
from hornbeam.sparse.tensor import SparseTensor

__all__ = ["bincount", "segment_mean", "segment_sqrt_n", "segment_sum"]


def _known(value: Any, name: str) -> np.ndarray:
    value = value_of(ops.convert_to_tensor(value) if isinstance(value, (list, tuple)) else value)
    if isinstance(value, Tracer):
        raise TraceError(f"tf.sparse.{name}: the values decide the shape of the result; call it eagerly.")
    return np.asarray(value)


def _rows_and_numbers(values: Any, weights: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, tuple[int, ...]]:
    """Flat numbers, the row of each, the weight of each, and the shape of the axis of rows (``()`` for none)."""
    if isinstance(values, SparseTensor):
        weights = weights.values if isinstance(weights, SparseTensor) else weights
        rows = values._indices[:, 0] if values.ndim > 1 else np.zeros(len(values._indices), np.int64)
        numbers, lead = _known(values.values, "bincount"), tuple(values._sizes[:-1].tolist())
    elif hasattr(values, "row_splits"):
        weights = getattr(weights, "values", weights)
        numbers = _known(values.values, "bincount")
        rows = np.repeat(np.arange(values.nrows()), np.diff(_known(values.row_splits, "bincount")))
        lead = (int(values.nrows()),)
    else:
        array = _known(values, "bincount")
        lead = array.shape[:-1]
        rows = np.repeat(np.arange(lead[0]), array.shape[-1]) if lead else np.zeros(array.size, np.int64)
        numbers = array.reshape(-1)
    flat = None if weights is None else _known(weights, "bincount").reshape(-1)
    if flat is not None and flat.shape != numbers.shape:
        raise InvalidArgumentError(
            None, None, f"tf.sparse.bincount: {len(numbers)} numbers need as many weights, received {len(flat)}."
        )
    return rows, numbers, flat, lead


def bincount(
    values: Any,
    weights: Any = None,
    axis: int | None = 0,
    minlength: int | None = None,
    maxlength: int | None = None,
    binary_output: bool = False,
    name: str | None = None,
) -> SparseTensor:
    """How often each number occurs, as a sparse tensor.

    Args:
        values: integers that are not negative: a tensor of one or two axes, a sparse or a ragged tensor.
        weights: what each occurrence counts, of the kind of ``values``; the result then has their dtype.
        axis: 0 counts over everything, -1 each row by itself.
        minlength: size of the last axis of the result at least.
        maxlength: size of the last axis of the result; larger numbers are left out.
        binary_output: 1 for every number that occurs.

    Raises:
        InvalidArgumentError: a negative number, or weights of another shape.

    References: TensorFlow `tf.sparse.bincount`.
    """
    if axis not in (None, 0, -1):
        raise ValueError(f"tf.sparse.bincount: `axis` must be 0 or -1. Received: axis={axis}")
    rows, numbers, flat, lead = _rows_and_numbers(values, weights)
    if numbers.size and numbers.min() < 0:
        raise InvalidArgumentError(None, None, "tf.sparse.bincount: numbers must not be negative.")
    if axis != -1:
        rows, lead = np.zeros_like(rows), ()
    if len(lead) > 1:
        raise InvalidArgumentError(None, None, "tf.sparse.bincount: axis=-1 takes one or two axes.")
    size = maxlength or max(int(numbers.max(initial=-1)) + 1, minlength or 0)
    kept = numbers < size
    places = rows[kept].astype(np.int64) * size + numbers[kept].astype(np.int64)
    unique, where = np.unique(places, return_inverse=True)
    counts = np.zeros(len(unique), numbers.dtype if flat is None else flat.dtype)
    if binary_output:
        counts[:] = 1
    else:
        np.add.at(counts, where.reshape(-1), 1 if flat is None else flat[kept])
    indices = np.stack(np.unravel_index(unique, (*lead, max(size, 1))), axis=1)
    return SparseTensor(indices, from_host(counts), (*lead, size))


# --- segments of rows ----------------------------------------------------------------------------
def _segments(data: Any, indices: Any, segment_ids: Any, num_segments: Any, name: str, weight: Callable) -> Any:
    ids = _known(segment_ids, name).astype(np.int64)
    if ids.size and (np.diff(ids) < 0).any():
        raise InvalidArgumentError(None, None, f"tf.sparse.{name}: `segment_ids` must not decrease.")
    needed = int(ids[-1]) + 1 if ids.size else 0
    count = needed if num_segments is None else int(_known(num_segments, name))
    if count < needed:
        raise InvalidArgumentError(
            None, None, f"tf.sparse.{name}: segment {needed - 1} does not exist with num_segments={count}."
        )
    data = ops.convert_to_tensor(data)
    total = ops.segment_sum(ops.take(data, indices, axis=0), ids.astype(np.int32), num_segments=count)
    scale = weight(np.maximum(np.bincount(ids, minlength=count), 1))
    if scale is None:
        return total
    shape = (-1,) + (1,) * (len(data.shape) - 1)
    return ops.divide(total, ops.cast(ops.convert_to_tensor(scale.reshape(shape), "float32"), total.dtype))


def segment_sum(data: Any, indices: Any, segment_ids: Any, num_segments: Any = None, name: str | None = None) -> Any:
    """Sums of the rows ``indices`` of the data, by segment; ids are sorted, empty segments are 0."""
    return _segments(data, indices, segment_ids, num_segments, "segment_sum", lambda counts: None)


def segment_mean(data: Any, indices: Any, segment_ids: Any, num_segments: Any = None, name: str | None = None) -> Any:
    """Means of the rows ``indices`` of the data, by segment; ids are sorted, empty segments are 0."""
    return _segments(data, indices, segment_ids, num_segments, "segment_mean", lambda counts: counts)


def segment_sqrt_n(data: Any, indices: Any, segment_ids: Any, num_segments: Any = None, name: str | None = None) -> Any:
    """Sums of the rows ``indices`` of the data over the square roots of their numbers, by segment; ids are sorted."""
    return _segments(data, indices, segment_ids, num_segments, "segment_sqrt_n", np.sqrt)
