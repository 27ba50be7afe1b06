"""The ways to make a ragged tensor from values and from what says where rows start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from hornbeam import ops
from hornbeam.base.errors import explain
from hornbeam.core.tensor import HostTensor
from hornbeam.errors import InvalidArgumentError
from hornbeam.ragged import rows

__all__ = ["FromParts", "check", "count_of", "reshaped", "tensor_of"]


class FromParts:
    """Base of ``RaggedTensor``: its ``from_*`` class methods."""

    __slots__ = ()
    _splits: np.ndarray
    with_row_splits_dtype: Callable

    def __init__(self, values: Any, row_splits: Any, uniform_row_length: int | None = None) -> None:
        raise NotImplementedError("provided by RaggedTensor")

    def __len__(self) -> int:
        raise NotImplementedError("provided by RaggedTensor")

    @classmethod
    def from_row_splits(cls, values: Any, row_splits: Any, name: str | None = None, validate: bool = True) -> Self:
        """From values and the places where rows start and end."""
        values, splits = tensor_of(values), rows.whole_numbers(row_splits)
        if validate:
            check("row_splits", splits, len(splits) > 0 and splits[0] == 0 and (np.diff(splits) >= 0).all())
            check("row_splits", splits, splits[-1] == count_of(values), f"last entry {count_of(values)}")
        return cls(values, splits)

    @classmethod
    def from_row_lengths(cls, values: Any, row_lengths: Any, name: str | None = None, validate: bool = True) -> Self:
        """From values and the length of each row."""
        return cls.from_row_splits(values, rows.splits_of(rows.whole_numbers(row_lengths)), name, validate)

    @classmethod
    def from_row_starts(cls, values: Any, row_starts: Any, name: str | None = None, validate: bool = True) -> Self:
        """From values and the place where each row starts."""
        values = tensor_of(values)
        starts = rows.whole_numbers(row_starts)
        return cls.from_row_splits(values, np.append(starts, starts.dtype.type(count_of(values))), name, validate)

    @classmethod
    def from_row_limits(cls, values: Any, row_limits: Any, name: str | None = None, validate: bool = True) -> Self:
        """From values and the place where each row ends."""
        return cls.from_row_splits(values, np.insert(rows.whole_numbers(row_limits), 0, 0), name, validate)

    @classmethod
    def from_value_rowids(
        cls, values: Any, value_rowids: Any, nrows: Any = None, name: str | None = None, validate: bool = True
    ) -> Self:
        """From values and the (never falling) row number of each."""
        ids = rows.whole_numbers(value_rowids)
        if validate:
            check("value_rowids", ids, (np.diff(ids) >= 0).all(), "numbers that never fall")
        count = int(nrows) if nrows is not None else (int(ids[-1]) + 1 if len(ids) else 0)
        lengths = np.bincount(ids, minlength=count).astype(ids.dtype)
        return cls.from_row_lengths(values, lengths, name, validate)

    @classmethod
    def from_uniform_row_length(
        cls, values: Any, uniform_row_length: Any, nrows: Any = None, validate: bool = True, name: str | None = None
    ) -> Self:
        """From values and the one length of all rows."""
        values, length = tensor_of(values), int(uniform_row_length)
        count = int(nrows) if nrows is not None else count_of(values) // length if length else 0
        if validate:
            check("uniform_row_length", length, count * length == count_of(values), f"a divisor of {count_of(values)}")
        return cls(values, np.arange(count + 1) * length, length)

    @classmethod
    def from_nested_row_splits(
        cls, flat_values: Any, nested_row_splits: Any, name: str | None = None, validate: bool = True
    ) -> Self:
        """From values and the splits of each ragged axis, outermost first."""
        return _nested(cls.from_row_splits, flat_values, nested_row_splits, validate)

    @classmethod
    def from_nested_row_lengths(
        cls, flat_values: Any, nested_row_lengths: Any, name: str | None = None, validate: bool = True
    ) -> Self:
        """From values and the row lengths of each ragged axis, outermost first."""
        return _nested(cls.from_row_lengths, flat_values, nested_row_lengths, validate)

    @classmethod
    def from_nested_value_rowids(
        cls,
        flat_values: Any,
        nested_value_rowids: Any,
        nested_nrows: Any = None,
        name: str | None = None,
        validate: bool = True,
    ) -> Self:
        """From values and the row numbers of each ragged axis, outermost first."""
        made = tensor_of(flat_values)
        counts = list(nested_nrows) if nested_nrows is not None else [None] * len(nested_value_rowids)
        for ids, count in zip(reversed(list(nested_value_rowids)), reversed(counts), strict=True):
            made = cls.from_value_rowids(made, ids, count, name, validate)
        return made

    @classmethod
    def from_tensor(
        cls,
        tensor: Any,
        lengths: Any = None,
        padding: Any = None,
        ragged_rank: int = 1,
        name: str | None = None,
        row_splits_dtype: Any = "int64",
    ) -> Self:
        """From a dense tensor, cut to the given ``lengths``, or without the trailing ``padding`` of each row."""
        tensor = tensor_of(tensor)
        shape = tuple(tensor.shape)
        if ragged_rank < 1 or ragged_rank >= len(shape):
            raise ValueError(f"`ragged_rank` must lie in 1 ... {len(shape) - 1}. Received: ragged_rank={ragged_rank}")
        if lengths is not None and isinstance(lengths, (list, tuple)) and lengths and np.ndim(rows.host(lengths[0])):
            return _cut_nested(cls, tensor, lengths).with_row_splits_dtype(row_splits_dtype)
        if ragged_rank > 1 and lengths is None and padding is None:
            inner = cls.from_tensor(reshaped(tensor, (shape[0] * shape[1], *shape[2:])), ragged_rank=ragged_rank - 1)
            return cls(inner, np.arange(shape[0] + 1) * shape[1]).with_row_splits_dtype(row_splits_dtype)
        if lengths is None:
            counts = np.full(shape[0], shape[1]) if padding is None else _unpadded(rows.host(tensor), padding)
        else:
            counts = np.minimum(rows.whole_numbers(lengths), shape[1])
        flat = reshaped(tensor, (shape[0] * shape[1], *shape[2:]))
        kept = rows.pick(flat, rows.ranges(np.arange(shape[0]) * shape[1], counts))
        return cls(kept, rows.splits_of(counts)).with_row_splits_dtype(row_splits_dtype)

    @classmethod
    def from_sparse(cls, st_input: Any, name: str | None = None, row_splits_dtype: Any = "int64") -> Self:
        """From a sparse matrix whose rows are filled from the left without gaps."""
        indices = rows.host(st_input.indices)
        count = int(rows.host(st_input.dense_shape)[0])
        made = cls.from_value_rowids(st_input.values, indices[:, 0], count)
        check("st_input", "gaps", (rows.inside(made._splits) == indices[:, 1]).all(), "rows filled from the left")
        return made.with_row_splits_dtype(row_splits_dtype)


def tensor_of(x: Any) -> Any:
    """Values as a tensor; a ragged tensor as it is."""
    return x if isinstance(x, FromParts) else rows.as_values(x)


def count_of(values: Any) -> int:
    """Number of rows of a tensor or ragged tensor."""
    return len(values) if isinstance(values, FromParts) else int(values.shape[0])


def check(what: str, received: Any, holds: Any, expected: str = "0 first, then numbers that never fall") -> None:
    """Refuse an argument that does not hold.

    Raises:
        InvalidArgumentError: ``holds`` is false.
    """
    if not bool(holds):
        text = explain(f"RaggedTensor: argument `{what}` does not fit.", expected=expected, received=received)
        raise InvalidArgumentError(None, None, text)


def _nested(make: Callable, flat_values: Any, parts: Any, validate: bool) -> Any:
    made = tensor_of(flat_values)
    for part in reversed(list(parts)):
        made = make(made, part, None, validate)
    return made


def reshaped(tensor: Any, shape: tuple) -> Any:
    """A dense tensor of numbers or texts in another shape."""
    return HostTensor(tensor._value.reshape(shape)) if isinstance(tensor, HostTensor) else ops.reshape(tensor, shape)


def _unpadded(array: np.ndarray, padding: Any) -> np.ndarray:
    padding = padding.encode() if isinstance(padding, str) else padding
    filled = array != rows.host(padding)
    if array.ndim > 2:
        filled = filled.reshape(*array.shape[:2], -1).any(axis=-1)
    last = array.shape[1] - np.argmax(filled[:, ::-1], axis=1)
    return np.where(filled.any(axis=1), last, 0)


def _cut_nested(cls: Any, tensor: Any, lengths: Any) -> Any:
    shape = tuple(tensor.shape)
    outer = rows.whole_numbers(lengths[0])
    flat = reshaped(tensor, (shape[0] * shape[1], *shape[2:]))
    kept = rows.pick(flat, rows.ranges(np.arange(shape[0]) * shape[1], outer))
    if len(lengths) > 1:
        more = list(lengths[1:])
        kept = cls.from_tensor(kept, more if len(more) > 1 else more[0])
    return cls(kept, rows.splits_of(outer))
