"""``RaggedTensor``: rows of unequal length, as one tensor of values and the places where rows start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.base.errors import ShapeError
from hornbeam.base.shapes import TensorShape
from hornbeam.core.tensor import HostTensor, Tensor, from_host
from hornbeam.ragged import rows
from hornbeam.ragged.parts import FromParts, check, count_of, reshaped, tensor_of
from hornbeam.sparse.tensor import SparseTensor

__all__ = ["RaggedTensor", "gather_rows"]


class RaggedTensor(FromParts):
    """A tensor with one or more axes along which rows differ in length.

    Made by the ``from_*`` class methods, ``tf.ragged.constant``, ``tf.strings.split`` and their like. The places where
    rows start lie on the host; the values are an ordinary (differentiable) tensor, or a string tensor.

    Args:
        values: tensor of the rows' values, one row after another; or a ragged tensor, for several ragged axes.
        row_splits: ``int64`` or ``int32`` array of rows + 1 places: row ``i`` is
            ``values[row_splits[i]:row_splits[i + 1]]``.
        uniform_row_length: the common length, if it is known that all rows have it.

    References: TensorFlow `tf.RaggedTensor`.
    """

    __slots__ = ("__weakref__", "_keras_mask", "_splits", "_uniform", "_values")
    __array_priority__ = 200
    call_function: Callable
    dynamic_shape: Callable
    map_rows: Callable

    def __init__(self, values: Any, row_splits: Any, uniform_row_length: int | None = None) -> None:
        self._values = values
        self._splits = rows.whole_numbers(row_splits)
        self._uniform = uniform_row_length

    # --- facts -----------------------------------------------------------------------------------
    @property
    def values(self) -> Any:
        """The rows' values, one row after another."""
        return self._values

    @property
    def flat_values(self) -> Any:
        """The values below all ragged axes."""
        return self._values.flat_values if isinstance(self._values, RaggedTensor) else self._values

    @property
    def row_splits(self) -> Tensor:
        """Where rows start and end."""
        return from_host(self._splits)

    @property
    def nested_row_splits(self) -> tuple[Tensor, ...]:
        """Splits of all ragged axes, outermost first."""
        inner = self._values.nested_row_splits if isinstance(self._values, RaggedTensor) else ()
        return (self.row_splits, *inner)

    @property
    def ragged_rank(self) -> int:
        """Number of ragged axes."""
        return 1 + (self._values.ragged_rank if isinstance(self._values, RaggedTensor) else 0)

    @property
    def uniform_row_length(self) -> Any:
        """The common length of all rows if it is known, else None."""
        return None if self._uniform is None else from_host(np.asarray(self._uniform, self._splits.dtype))

    @property
    def dtype(self) -> dtypes.DType:
        """Element type."""
        return self._values.dtype

    @property
    def shape(self) -> TensorShape:
        """Sizes of the axes, None for ragged ones."""
        return TensorShape([len(self._splits) - 1, self._uniform, *tuple(self._values.shape)[1:]])

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def get_shape(self) -> TensorShape:
        """Same as ``shape``."""
        return self.shape

    def consumers(self) -> list[Any]:
        """Operations that use the tensor: none are kept."""
        return []

    def nrows(self, out_type: Any = None, name: str | None = None) -> Tensor:
        """Number of rows."""
        return _number(len(self._splits) - 1, out_type or self._splits.dtype)

    def row_lengths(self, axis: int = 1, name: str | None = None) -> Any:
        """Length of each row, along any ragged axis."""
        axis = axis + self.ndim if axis < 0 else axis
        if axis == 1:
            return from_host(np.diff(self._splits))
        if isinstance(self._values, RaggedTensor):
            return RaggedTensor(self._values.row_lengths(axis - 1), self._splits)
        return self.with_values(
            from_host(np.full(count_of(self._values), self._values.shape[axis - 1], self._splits.dtype))
        )

    def nested_row_lengths(self, name: str | None = None) -> tuple[Tensor, ...]:
        """Row lengths of all ragged axes, outermost first."""
        inner = self._values.nested_row_lengths() if isinstance(self._values, RaggedTensor) else ()
        return (self.row_lengths(), *inner)

    def row_starts(self, name: str | None = None) -> Tensor:
        """Where each row starts."""
        return from_host(self._splits[:-1])

    def row_limits(self, name: str | None = None) -> Tensor:
        """Where each row ends."""
        return from_host(self._splits[1:])

    def value_rowids(self, name: str | None = None) -> Tensor:
        """Row number of each value."""
        return from_host(rows.row_numbers(self._splits).astype(self._splits.dtype))

    def nested_value_rowids(self, name: str | None = None) -> tuple[Tensor, ...]:
        """Row numbers for all ragged axes, outermost first."""
        inner = self._values.nested_value_rowids() if isinstance(self._values, RaggedTensor) else ()
        return (self.value_rowids(), *inner)

    def bounding_shape(self, axis: Any = None, name: str | None = None, out_type: Any = None) -> Tensor:
        """Sizes of the smallest dense tensor that holds all rows."""
        sizes = np.asarray(_bounds(self), self._splits.dtype)
        if axis is not None:
            sizes = sizes[axis]
        return from_host(sizes if out_type is None else sizes.astype(dtypes.as_dtype(out_type).as_numpy_dtype))

    # --- other forms -----------------------------------------------------------------------------
    def with_values(self, new_values: Any) -> RaggedTensor:
        """The same rows with other values."""
        count = count_of(new_values)
        check("new_values", count, count == self._splits[-1], f"{self._splits[-1]} values")
        return RaggedTensor(new_values, self._splits, self._uniform)

    def with_flat_values(self, new_values: Any) -> RaggedTensor:
        """The same rows with other values below all ragged axes."""
        if isinstance(self._values, RaggedTensor):
            return self.with_values(self._values.with_flat_values(new_values))
        return self.with_values(tensor_of(new_values))

    def with_row_splits_dtype(self, dtype: Any) -> RaggedTensor:
        """The same rows with splits of that dtype on all ragged axes."""
        kind = dtypes.as_dtype(dtype)
        if kind not in ("int32", "int64"):
            raise ValueError(f"Row splits are of dtype int32 or int64. Received: dtype={dtype!r}")
        values = self._values.with_row_splits_dtype(kind) if isinstance(self._values, RaggedTensor) else self._values
        return RaggedTensor(values, self._splits.astype(kind.as_numpy_dtype), self._uniform)

    def merge_dims(self, outer_axis: int, inner_axis: int) -> Any:
        """Two or more neighbouring axes as one."""
        outer, inner = (axis + self.ndim if axis < 0 else axis for axis in (outer_axis, inner_axis))
        if not 0 <= outer <= inner < self.ndim:
            raise ValueError(f"Axes out of order: outer_axis={outer_axis}, inner_axis={inner_axis}, rank {self.ndim}")
        if outer == inner:
            return self
        if outer == 0:
            values = self._values
            if inner == 1:
                return values
            return values.merge_dims(0, inner - 1) if isinstance(values, RaggedTensor) else _merged(values, inner)
        if outer == 1 and isinstance(self._values, RaggedTensor):
            splits = self._values._splits[self._splits]
            made = RaggedTensor(self._values._values, splits)
            return made if inner == 2 else made.merge_dims(1, inner - 1)
        if outer == 1:
            size = int(np.prod(tuple(self._values.shape)[1:inner]))
            return RaggedTensor(_merged(self._values, inner), self._splits * size)
        return self.with_values(_inner_merge(self._values, outer - 1, inner - 1))

    def to_tensor(self, default_value: Any = None, name: str | None = None, shape: Any = None) -> Any:
        """Dense tensor: short rows are filled up with ``default_value`` (0, or empty text)."""
        sizes = _bounds(self)
        if shape is not None:
            wanted = list(TensorShape(shape))
            sizes = [size if want is None else int(want) for size, want in zip(sizes, wanted, strict=False)]
            sizes += _bounds(self)[len(sizes) :]
        return _dense(self, default_value, sizes)

    def to_sparse(self, name: str | None = None) -> SparseTensor:
        """Sparse tensor with an entry for each value."""
        places = _places(self)
        return SparseTensor(places, _merged_all(self.flat_values), np.asarray(_bounds(self), np.int64))

    def to_list(self) -> list[Any]:
        """Nested Python lists."""
        inner = self._values.to_list() if isinstance(self._values, RaggedTensor) else _listed(self._values)
        return [inner[start:stop] for start, stop in zip(self._splits[:-1], self._splits[1:], strict=True)]

    def numpy(self) -> np.ndarray:
        """Array of the rows' arrays; a plain array if all rows are of one length."""
        values = self._values.numpy()
        parts = [values[start:stop] for start, stop in zip(self._splits[:-1], self._splits[1:], strict=True)]
        if len({part.shape for part in parts}) == 1 and not any(part.dtype == object for part in parts):
            return np.stack(parts)
        out = np.empty(len(parts), object)
        for place, part in enumerate(parts):
            out[place] = part
        return out

    # --- Python protocols ------------------------------------------------------------------------
    def __len__(self) -> int:
        return len(self._splits) - 1

    def __iter__(self) -> Iterator[Any]:
        return (self[place] for place in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        first, *rest = key if isinstance(key, tuple) else (key,)
        if isinstance(first, (Tensor, np.generic)):
            first = int(first)
        if isinstance(first, int):
            place = first + len(self) if first < 0 else first
            if not 0 <= place < len(self):
                raise IndexError(f"Row {first} of a ragged tensor with {len(self)} rows.")
            row = rows.pick(self._values, slice(int(self._splits[place]), int(self._splits[place + 1])))
            return row if not rest else _indexed(row, rest)
        if first is Ellipsis:
            first, rest = slice(None), [slice(None)] * (self.ndim - 1 - len(rest)) + rest
        if not isinstance(first, slice):
            raise TypeError(f"A ragged tensor is indexed by integers and slices. Received: {key!r}")
        chosen = self if first == slice(None) else gather_rows(self, np.arange(len(self))[first])
        return _sliced(chosen, rest) if rest else chosen

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise TypeError("A ragged tensor has no truth value; reduce it first, e.g. with tf.reduce_any.")

    def __repr__(self) -> str:
        return f"<tf.RaggedTensor {self.to_list()}>"

    __str__ = __repr__


# --- making --------------------------------------------------------------------------------------


def _number(value: int, dtype: Any) -> Tensor:
    return from_host(np.asarray(value, dtypes.as_dtype(dtype or "int64").as_numpy_dtype))


def _merged(values: Any, count: int) -> Any:
    shape = tuple(values.shape)
    return reshaped(values, (int(np.prod(shape[:count])), *shape[count:]))


def _inner_merge(values: Any, outer: int, inner: int) -> Any:
    if isinstance(values, RaggedTensor):
        return values.merge_dims(outer, inner)
    shape = tuple(values.shape)
    return reshaped(values, (*shape[:outer], int(np.prod(shape[outer : inner + 1])), *shape[inner + 1 :]))


def _merged_all(values: Any) -> Any:
    return reshaped(values, (-1,))


# --- other forms ---------------------------------------------------------------------------------
def _bounds(x: Any) -> list[int]:
    if not isinstance(x, RaggedTensor):
        return list(x.shape)
    lengths = np.diff(x._splits)
    return [len(lengths), int(lengths.max()) if len(lengths) else 0, *_bounds(x._values)[1:]]


def _dense(x: Any, default: Any, sizes: list[int]) -> Any:
    """Rows cut or filled up to the given sizes."""
    values = _dense(x._values, default, [0, *sizes[2:]]) if isinstance(x._values, RaggedTensor) else x._values
    if isinstance(values, HostTensor):
        table = HostTensor(np.concatenate([values._value, _filler(values, default)]))
    else:
        table = ops.concatenate([values, ops.cast(_filler(values, default), values.dtype)], axis=0)
    count, width = sizes[0] or len(x), sizes[1]
    places = np.full((count, width), count_of(values), np.int32)
    numbers, inner = rows.row_numbers(x._splits), rows.inside(x._splits)
    kept = (numbers < count) & (inner < width)
    places[numbers[kept], inner[kept]] = np.flatnonzero(kept)
    return rows.pick(table, places)


def _filler(values: Any, default: Any) -> Any:
    """One value to fill up with."""
    shape = (1, *tuple(values.shape)[1:])
    if isinstance(values, HostTensor):
        out = np.empty(shape, object)
        out[...] = b"" if default is None else rows.host(default)
        return out
    if default is None:
        return np.zeros(shape, values.dtype.as_numpy_dtype)
    return ops.broadcast_to(ops.cast(default, values.dtype), shape)


def _places(x: Any) -> np.ndarray:
    """Indices of all values in the dense form."""
    if not isinstance(x, RaggedTensor):
        return np.argwhere(np.ones(tuple(x.shape), bool)).astype(np.int64)
    inner = _places(x._values)
    numbers, places = rows.row_numbers(x._splits), rows.inside(x._splits)
    return np.concatenate([numbers[inner[:, 0], None], places[inner[:, 0], None], inner[:, 1:]], axis=1)


def _listed(values: Any) -> list[Any]:
    return rows.host(values).tolist()


# --- indexing ------------------------------------------------------------------------------------
def gather_rows(x: RaggedTensor, chosen: np.ndarray) -> RaggedTensor:
    """The rows of the given numbers, in that order."""
    lengths = np.diff(x._splits)[chosen]
    places = rows.ranges(x._splits[:-1][chosen], lengths)
    values = gather_rows(x._values, places) if isinstance(x._values, RaggedTensor) else rows.pick(x._values, places)
    return RaggedTensor(values, rows.splits_of(lengths), x._uniform)


def _indexed(row: Any, rest: list) -> Any:
    if isinstance(row, HostTensor):
        found = row._value[tuple(rest)]
        return HostTensor(found if isinstance(found, np.ndarray) else np.array(found, object))
    return row[tuple(rest)]


def _sliced(x: RaggedTensor, rest: list) -> Any:
    """Apply an index to every row."""
    first, *more = rest
    if isinstance(first, (Tensor, np.generic)):
        first = int(first)
    lengths = np.diff(x._splits)
    if isinstance(first, int):
        if (lengths <= first).any() or (first < 0 and (lengths < -first).any()):
            raise ShapeError(f"Not every row of the ragged tensor has an entry {first}. Row lengths: {lengths}")
        places = x._splits[:-1] + (first if first >= 0 else lengths + first)
        picked = gather_rows(x._values, places) if isinstance(x._values, RaggedTensor) else rows.pick(x._values, places)
        return picked if not more else picked[(slice(None), *more)]
    bounds = [np.arange(length)[first] for length in lengths]
    counts = np.array([len(part) for part in bounds], x._splits.dtype)
    places = np.concatenate(
        [start + part for start, part in zip(x._splits[:-1], bounds, strict=True)] or [np.arange(0)]
    )
    nested = isinstance(x._values, RaggedTensor)
    values = gather_rows(x._values, places) if nested else rows.pick(x._values, places)
    if more:
        values = values[(slice(None), *more)]
    return RaggedTensor(values, rows.splits_of(counts))
