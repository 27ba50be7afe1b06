"""Ragged tensors put together, repeated, turned and cut."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.tensor import HostTensor, Tensor, from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.ragged import rows
from hornbeam.ragged.construct import as_ragged, join_values
from hornbeam.ragged.tensor import RaggedTensor, gather_rows

__all__ = ["concatenated", "expanded", "gathered", "places_of", "reversed_along", "squeezed", "stacked"]


def _axis_of(axis: int, rank: int) -> int:
    found = axis + rank if axis < 0 else axis
    if not 0 <= found < rank:
        raise InvalidArgumentError(None, None, f"`axis` of a ragged tensor of rank {rank}: received {axis}.")
    return found


def concatenated(values: list[Any], axis: int) -> Any:
    """Ragged and dense tensors one after another along an axis."""
    parts = [as_ragged(rows.as_values(part) if not isinstance(part, RaggedTensor) else part) for part in values]
    axis = _axis_of(axis, parts[0].ndim)
    if axis == 0:
        return join_values(parts)
    counts = {len(part) for part in parts}
    if len(counts) > 1:
        raise InvalidArgumentError(
            None, None, f"tf.concat along axis {axis}: ragged tensors have {sorted(counts)} rows; they must be equal."
        )
    if axis == 1:
        count, number = counts.pop(), len(parts)
        order = np.arange(count * number).reshape(number, count).T.reshape(-1)
        mixed = gather_rows(join_values(parts), order)
        return RaggedTensor(mixed.values, mixed._splits[::number])
    return parts[0].with_values(_joined_inside([part.values for part in parts], axis - 1))


def _joined_inside(values: list[Any], axis: int) -> Any:
    if any(isinstance(part, RaggedTensor) for part in values):
        return concatenated(values, axis)
    if any(isinstance(part, HostTensor) for part in values):
        return HostTensor(np.concatenate([rows.host(part) for part in values], axis=axis))
    return ops.concatenate(values, axis=axis)


def expanded(x: RaggedTensor, axis: int) -> RaggedTensor:
    """One axis of size 1 more."""
    axis = _axis_of(axis, x.ndim + 1)
    if axis == 0:
        return RaggedTensor(x, np.array([0, len(x)], x._splits.dtype), len(x))
    if axis == 1:
        return RaggedTensor(x, np.arange(len(x) + 1, dtype=x._splits.dtype), 1)
    if isinstance(x.values, RaggedTensor):
        return x.with_values(expanded(x.values, axis - 1))
    if isinstance(x.values, HostTensor):
        return x.with_values(HostTensor(np.expand_dims(x.values._value, axis - 1)))
    return x.with_values(ops.expand_dims(x.values, axis - 1))


def squeezed(x: RaggedTensor, axis: int) -> Any:
    """Without an axis of size 1."""
    if axis == 0 and len(x) == 1:
        return x.values
    if axis == 1 and (np.diff(x._splits) == 1).all():
        return x.values
    if axis >= 2 and isinstance(x.values, RaggedTensor):
        return x.with_values(squeezed(x.values, axis - 1))
    if axis >= 2 and not isinstance(x.values, HostTensor):
        return x.with_values(ops.squeeze(x.values, axis - 1))
    raise InvalidArgumentError(None, None, f"tf.squeeze: axis {axis} of ragged shape {x.shape} is not of size 1.")


def stacked(values: list[Any], axis: int, ragged: bool = True) -> Any:
    """Tensors along a new axis; ``ragged`` says if dense ones of unequal length may become rows."""
    if not ragged and not any(isinstance(part, RaggedTensor) for part in values):
        made = [rows.as_values(part) for part in values]
        if any(isinstance(part, HostTensor) for part in made):
            return HostTensor(np.stack([rows.host(part) for part in made]))
        return ops.stack(made, axis=0)
    if axis == 0:
        parts = [part if isinstance(part, RaggedTensor) else rows.as_values(part) for part in values]
        lengths = [len(part) if isinstance(part, RaggedTensor) else int(part.shape[0]) for part in parts]
        kind = next((part._splits.dtype for part in parts if isinstance(part, RaggedTensor)), np.int64)
        return RaggedTensor(join_values(parts), rows.splits_of(np.asarray(lengths, kind)))
    parts = [as_ragged(rows.as_values(part) if not isinstance(part, RaggedTensor) else part) for part in values]
    axis = _axis_of(axis, parts[0].ndim + 1)
    return concatenated([expanded(part, axis) for part in parts], axis)


def reversed_along(x: RaggedTensor, axes: list[int]) -> Any:
    """Rows, or what is in them, in reverse order."""
    for axis in [_axis_of(axis, x.ndim) for axis in np.atleast_1d(axes).tolist()]:
        x = _reversed(x, axis)
    return x


def _reversed(x: RaggedTensor, axis: int) -> RaggedTensor:
    if axis == 0:
        return gather_rows(x, np.arange(len(x))[::-1])
    if axis == 1:
        last = x._splits[1:][rows.row_numbers(x._splits)] - 1
        places = last - rows.inside(x._splits)
        values = x.values
        turned = gather_rows(values, places) if isinstance(values, RaggedTensor) else rows.pick(values, places)
        return x.with_values(turned)
    if isinstance(x.values, RaggedTensor):
        return x.with_values(_reversed(x.values, axis - 1))
    return x.with_values(ops.flip(x.values, axis - 1))


def gathered(x: RaggedTensor, indices: Any, axis: int, batch_dims: int) -> Any:
    """Rows by number; with ``batch_dims=1`` entries of each row by their place in it."""
    if axis != batch_dims or batch_dims > 1:
        raise NotSupportedError(
            f"tf.gather of a ragged tensor takes axis=0, or axis=batch_dims=1. Received: axis={axis}, "
            f"batch_dims={batch_dims}"
        )
    if batch_dims == 0:
        if isinstance(indices, RaggedTensor):
            return indices.with_values(gathered(x, indices.values, 0, 0))
        places = rows.host(indices).astype(np.int64)
        _within(places, np.full(places.shape, len(x)))
        found = gather_rows(x, places.reshape(-1))
        if places.ndim == 1:
            return found
        return x[int(places)] if not places.ndim else RaggedTensor.from_tensor(from_host(places)).with_values(found)
    wanted = as_ragged(indices if isinstance(indices, RaggedTensor) else rows.as_values(indices))
    numbers, places = rows.row_numbers(wanted._splits), rows.host(wanted.values).astype(np.int64)
    _within(places, np.diff(x._splits)[numbers])
    return wanted.with_values(rows.pick(x.values, x._splits[:-1][numbers] + places))


def _within(places: np.ndarray, limits: np.ndarray) -> None:
    wrong = (places < 0) | (places >= limits)
    if wrong.any():
        first = int(places[wrong].reshape(-1)[0])
        raise InvalidArgumentError(None, None, f"tf.gather: index {first} lies outside the ragged tensor's rows.")


def places_of(condition: RaggedTensor) -> Tensor:
    """Indices (entries, rank) of the values that are true."""
    if condition.ragged_rank != 1 or condition.ndim != 2:
        raise NotSupportedError("tf.where(condition) takes ragged conditions of two axes; use x.to_tensor() first.")
    chosen = np.flatnonzero(rows.host(condition.values))
    numbers, inside = rows.row_numbers(condition._splits), rows.inside(condition._splits)
    return from_host(np.stack([numbers[chosen], inside[chosen]], axis=1).astype(np.int64))


class RaggedShape:
    """Sizes of a ragged tensor: ``shape[0]`` is its number of rows; a ragged axis has no one size.

    Args:
        x: the ragged tensor.
        dtype: of the sizes.

    References: TensorFlow `tf.experimental.DynamicRaggedShape`.
    """

    def __init__(self, x: RaggedTensor, dtype: Any) -> None:
        self._x, self._dtype = x, dtype

    @property
    def rank(self) -> int:
        """Number of axes."""
        return self._x.ndim

    @property
    def static_shape(self) -> Any:
        """Sizes, None for ragged axes."""
        return self._x.shape

    def __getitem__(self, axis: int) -> Any:
        size = self._x.shape[_axis_of(int(axis), self.rank)]
        if size is None:
            raise ValueError(
                f"Axis {axis} of a ragged tensor of shape {self._x.shape} has no one size; use x.row_lengths() or "
                "x.bounding_shape()."
            )
        return from_host(np.asarray(size, self._dtype))

    def __repr__(self) -> str:
        return f"RaggedShape({tuple(self._x.shape)})"
