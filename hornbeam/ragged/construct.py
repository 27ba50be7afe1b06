"""Ragged tensors from Python lists, ranges and other tensors, and what else ``tf.ragged`` offers."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.core.tensor import HostTensor, Tensor, from_host
from hornbeam.ragged import rows
from hornbeam.ragged.parts import reshaped
from hornbeam.ragged.tensor import RaggedTensor, gather_rows

__all__ = [
    "boolean_mask",
    "constant",
    "range",
    "row_splits_to_segment_ids",
    "segment_ids_to_row_splits",
    "stack",
    "stack_dynamic_partitions",
]


def constant(
    pylist: Any,
    dtype: Any = None,
    ragged_rank: int | None = None,
    inner_shape: Any = None,
    name: str | None = None,
    row_splits_dtype: Any = "int64",
) -> Any:
    """Ragged tensor from nested lists; an ordinary tensor if no axis is ragged (a flat list).

    Args:
        pylist: nested lists, tuples or arrays; all values at one depth.
        dtype: element type.
        ragged_rank: number of ragged axes; all but the innermost by default.
        inner_shape: shape of the values below the ragged axes.
        name: ignored, as eager tensors have no names.
        row_splits_dtype: ``int32`` or ``int64``.

    References: TensorFlow `tf.ragged.constant`.
    """
    depth = _depth(pylist)
    inner_rank = len(inner_shape) if inner_shape is not None else None
    if ragged_rank is None:
        ragged_rank = depth - 1 if inner_rank is None else depth - 1 - inner_rank
    ragged_rank = max(ragged_rank, 0)
    splits, flat = [], [pylist]
    for _ in [None] * (ragged_rank + 1):
        flat_next: list[Any] = []
        for part in flat:
            flat_next.extend(part)
        splits.append(rows.splits_of(np.array([len(part) for part in flat], np.int64)))
        flat = flat_next
    kind = None if dtype is None else dtypes.as_dtype(dtype)
    values = rows.as_values(flat if flat else np.zeros(0, np.float32), kind)
    if inner_shape is not None:
        values = reshaped(values, (-1, *inner_shape))
    # The first split is that of the outer list itself, whose length is the number of rows.
    made = values
    for part in reversed(splits[1:]):
        made = RaggedTensor(made, part)
    return made.with_row_splits_dtype(row_splits_dtype) if isinstance(made, RaggedTensor) else made


def _depth(item: Any) -> int:
    if isinstance(item, np.ndarray):
        return item.ndim
    if not isinstance(item, (list, tuple)):
        return 0
    return 1 + max((_depth(part) for part in item), default=0)


def range(
    starts: Any,
    limits: Any = None,
    deltas: Any = 1,
    dtype: Any = None,
    name: str | None = None,
    row_splits_dtype: Any = "int64",
) -> RaggedTensor:
    """Rows of evenly spaced numbers, each with a start, limit and step of its own.

    Args:
        starts: first number of each row; with ``limits`` left out, the limits of rows that start at 0.
        limits: where each row ends, itself not included.
        deltas: step of each row.
        dtype: element type of the numbers.
        name: ignored, as eager tensors have no names.
        row_splits_dtype: ``int32`` or ``int64``.

    References: TensorFlow `tf.ragged.range`.
    """
    if limits is None:
        starts, limits = 0, starts
    given = [rows.plain(rows.host(part), part, dtype) for part in (starts, limits, deltas)]
    kind = np.result_type(*given)
    first, last, step = np.broadcast_arrays(*(np.atleast_1d(part.astype(kind)) for part in given))
    if (step == 0).any():
        raise ValueError(f"tf.ragged.range: `deltas` must not be 0. Received: deltas={deltas}")
    counts = np.maximum(np.ceil((last.astype(np.float64) - first) / step), 0).astype(np.int64)
    splits = rows.splits_of(counts)
    numbers = rows.row_numbers(splits)
    values = first[numbers] + rows.inside(splits).astype(kind) * step[numbers]
    return RaggedTensor(from_host(values.astype(kind)), splits).with_row_splits_dtype(row_splits_dtype)


def row_splits_to_segment_ids(splits: Any, name: str | None = None, out_type: Any = None) -> Tensor:
    """Row number of each value, from row splits."""
    return _whole(rows.row_numbers(rows.whole_numbers(splits)), out_type)


def segment_ids_to_row_splits(
    segment_ids: Any, num_segments: Any = None, out_type: Any = None, name: str | None = None
) -> Tensor:
    """Row splits from the row number of each value."""
    ids = rows.whole_numbers(segment_ids)
    count = int(num_segments) if num_segments is not None else (int(ids.max()) + 1 if len(ids) else 0)
    return _whole(rows.splits_of(np.bincount(ids, minlength=count)), out_type)


def _whole(array: np.ndarray, dtype: Any) -> Tensor:
    return from_host(array.astype(dtypes.as_dtype(dtype or "int64").as_numpy_dtype))


def as_ragged(x: Any) -> RaggedTensor:
    """A tensor with its second axis counted as ragged; ragged tensors as they are."""
    return x if isinstance(x, RaggedTensor) else RaggedTensor.from_tensor(x)


def join_values(parts: list[Any]) -> Any:
    """Values (ragged or not) of several tensors, one after another."""
    if any(isinstance(part, RaggedTensor) for part in parts):
        ragged = [as_ragged(part) for part in parts]
        lengths = np.concatenate([np.diff(part._splits) for part in ragged])
        return RaggedTensor(join_values([part.values for part in ragged]), rows.splits_of(lengths))
    if any(isinstance(part, HostTensor) for part in parts):
        return HostTensor(np.concatenate([rows.host(part) for part in parts]))
    return ops.concatenate(parts, axis=0)


def stack(values: Any, axis: int = 0, name: str | None = None) -> RaggedTensor:
    """Tensors of different lengths as the rows of a ragged tensor.

    Args:
        values: tensors or ragged tensors of one rank.
        axis: the new axis; 0 only.
        name: ignored, as eager tensors have no names.

    References: TensorFlow `tf.ragged.stack`.
    """
    if axis != 0:
        raise ValueError(f"tf.ragged.stack joins along a new first axis: axis=0. Received: axis={axis}")
    parts = [part if isinstance(part, RaggedTensor) else rows.as_values(part) for part in values]
    lengths = [len(part) if isinstance(part, RaggedTensor) else int(part.shape[0]) for part in parts]
    kind = next((part._splits.dtype for part in parts if isinstance(part, RaggedTensor)), np.int64)
    return RaggedTensor(join_values(parts), rows.splits_of(np.asarray(lengths, kind)))


def stack_dynamic_partitions(data: Any, partitions: Any, num_partitions: Any, name: str | None = None) -> RaggedTensor:
    """Values sorted into rows by a row number each; within a row they keep their order."""
    ids = rows.whole_numbers(partitions).reshape(-1)
    order = np.argsort(ids, kind="stable")
    counts = np.bincount(ids, minlength=int(num_partitions))
    if isinstance(data, RaggedTensor):
        return RaggedTensor(gather_rows(data, order), rows.splits_of(counts))
    values = rows.as_values(data)
    flat = reshaped(values, (len(ids), *tuple(values.shape)[np.ndim(rows.host(partitions)) :]))
    return RaggedTensor(rows.pick(flat, order), rows.splits_of(counts))


def boolean_mask(data: Any, mask: Any, name: str | None = None) -> Any:
    """The values for which a mask is true, row by row.

    Args:
        data: tensor or ragged tensor.
        mask: booleans for its first axes; ragged where ``data`` is.
        name: ignored, as eager tensors have no names.

    References: TensorFlow `tf.ragged.boolean_mask`.
    """
    if isinstance(mask, RaggedTensor) or (np.ndim(rows.host(mask)) > 1):
        data, mask = as_ragged(data), as_ragged(mask)
        inner = boolean_mask(data.values, mask.values)
        if isinstance(mask.values, RaggedTensor):
            return RaggedTensor(inner, data._splits)
        kept = rows.splits_of(rows.host(mask.values).astype(data._splits.dtype))
        return RaggedTensor(inner, kept[data._splits])
    places = np.flatnonzero(rows.host(mask))
    if isinstance(data, RaggedTensor):
        return gather_rows(data, places)
    return rows.pick(rows.as_values(data), places)
