"""Rows of unequal length on the host: splits, lengths and row numbers, and the values rows are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.core.arguments import value_of
from hornbeam.core.tensor import HostTensor, Tensor, from_host


def host(x: Any) -> np.ndarray:
    """NumPy form of a tensor, list or array; strings as an object array of ``bytes``."""
    if isinstance(x, HostTensor):
        return x._value
    if isinstance(x, np.ndarray) and x.dtype.kind not in "SUO":
        return x
    array = np.asarray(value_of(x))
    return from_host(array)._value if array.dtype.kind in "SUO" else array


def whole_numbers(x: Any) -> np.ndarray:
    """Splits, lengths or row numbers as ``int64``; those that are ``int32`` stay so."""
    numbers = host(x)
    return numbers if numbers.dtype == np.int32 else numbers.astype(np.int64)


def as_values(x: Any, dtype: Any = None) -> Any:
    """Tensor of values; strings stay on the host."""
    if isinstance(x, Tensor):
        return x if dtype is None or x.dtype == dtype else ops.cast(x, dtype)
    if dtype == "string":
        return HostTensor(host(x))
    array = np.asarray(x) if not hasattr(x, "dtype") else x
    if isinstance(array, np.ndarray):
        return from_host(plain(array, x, dtype))
    made = ops.convert_to_tensor(x)
    return made if dtype is None or made.dtype == dtype else ops.cast(made, dtype)


def plain(array: np.ndarray, source: Any, dtype: Any) -> np.ndarray:
    """Numbers from Python lists as TensorFlow takes them: ``float32`` and ``int32`` unless a dtype is given."""
    if dtype is not None:
        return array.astype(dtypes.as_dtype(dtype).as_numpy_dtype)
    if not isinstance(source, np.ndarray) and not hasattr(source, "dtype"):
        if array.dtype == np.float64:
            return array.astype(np.float32)
        if array.dtype == np.int64 and (not array.size or np.abs(array).max() < 2**31):
            return array.astype(np.int32)
    return array


def pick(values: Any, places: Any) -> Any:
    """Entries along the first axis, by row numbers or slice."""
    if isinstance(values, HostTensor):
        found = values._value[places]
        return HostTensor(found)
    return values[places] if isinstance(places, slice) else ops.take(values, np.asarray(places, np.int32), axis=0)


def splits_of(lengths: np.ndarray) -> np.ndarray:
    """Where rows start and end, from their lengths; ``int32`` if those are."""
    kind = np.int32 if lengths.dtype == np.int32 else np.int64
    return np.concatenate([[0], np.cumsum(lengths)]).astype(kind)


def row_numbers(splits: np.ndarray) -> np.ndarray:
    """The row of each value."""
    return np.repeat(np.arange(len(splits) - 1), np.diff(splits))


def inside(splits: np.ndarray) -> np.ndarray:
    """The place of each value within its row."""
    return np.arange(splits[-1] if len(splits) else 0) - np.repeat(splits[:-1], np.diff(splits))


def ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The numbers ``start ... start + length - 1`` of all rows, one after another."""
    total = splits_of(lengths)
    return np.arange(total[-1]) - np.repeat(total[:-1], lengths) + np.repeat(starts, lengths)
