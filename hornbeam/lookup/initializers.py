"""What tables are filled from: tensors, or the lines of a text file."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.base.errors import explain
from hornbeam.errors import InvalidArgumentError, NotFoundError
from hornbeam.ragged import rows

__all__ = ["KeyValueTensorInitializer", "TextFileIndex", "TextFileInitializer"]


class KeyValueTensorInitializer:
    """Keys and values given as tensors.

    Args:
        keys: keys, strings or integers.
        values: a value for each key.
        key_dtype: dtype of the keys; their own by default.
        value_dtype: dtype of the values; their own by default.
        name: ignored, as eager tensors have no names.

    References: TensorFlow `tf.lookup.KeyValueTensorInitializer`.
    """

    def __init__(
        self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None, name: str | None = None
    ) -> None:
        self._keys, self._key_dtype = _column(keys, key_dtype)
        self._values, self._value_dtype = _column(values, value_dtype)
        if self._keys.shape != self._values.shape:
            raise ValueError(
                explain(
                    "tf.lookup.KeyValueTensorInitializer: `keys` and `values` do not fit each other.",
                    expected="one value for each key",
                    received=f"shapes {self._keys.shape} and {self._values.shape}",
                )
            )

    @property
    def key_dtype(self) -> dtypes.DType:
        """Dtype of the keys."""
        return self._key_dtype

    @property
    def value_dtype(self) -> dtypes.DType:
        """Dtype of the values."""
        return self._value_dtype

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Keys and values as NumPy arrays."""
        return self._keys.reshape(-1), self._values.reshape(-1)

    def initialize(self, table: Any) -> None:
        """Fill a table."""
        table.fill(*self.pairs())


def _column(x: Any, dtype: Any) -> tuple[np.ndarray, dtypes.DType]:
    array = rows.plain(rows.host(x), x, None if dtype is None or dtypes.as_dtype(dtype) == "string" else dtype)
    if array.dtype == object:
        return array, dtypes.string
    return array, dtypes.from_numpy(array.dtype)


class TextFileIndex:
    """Which part of a line is meant, where it is no column number."""

    WHOLE_LINE = -2
    LINE_NUMBER = -1


class TextFileInitializer:
    """Keys and values read from the lines of a text file.

    Args:
        filename: the file.
        key_dtype: ``int64`` or ``string``.
        key_index: column of the keys, or ``TextFileIndex.WHOLE_LINE`` or ``LINE_NUMBER``.
        value_dtype: ``int64``, ``string`` or a float.
        value_index: column of the values, likewise.
        vocab_size: number of lines to read; all by default.
        delimiter: what columns are separated by.
        name: ignored, as eager tensors have no names.
        value_index_offset: number added to line numbers.

    Raises:
        NotFoundError: there is no such file.

    References: TensorFlow `tf.lookup.TextFileInitializer`.
    """

    def __init__(
        self,
        filename: Any,
        key_dtype: Any,
        key_index: int,
        value_dtype: Any,
        value_index: int,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = None,
        value_index_offset: int = 0,
    ) -> None:
        path: Any = rows.host(filename)[()] if hasattr(filename, "dtype") else filename
        self._path = os.fspath(path)
        self._key_dtype, self._value_dtype = dtypes.as_dtype(key_dtype), dtypes.as_dtype(value_dtype)
        self._indices = (int(key_index), int(value_index))
        self._size, self._delimiter, self._offset = vocab_size, delimiter.encode(), int(value_index_offset)

    @property
    def key_dtype(self) -> dtypes.DType:
        """Dtype of the keys."""
        return self._key_dtype

    @property
    def value_dtype(self) -> dtypes.DType:
        """Dtype of the values."""
        return self._value_dtype

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Keys and values as NumPy arrays."""
        try:
            with open(self._path, "rb") as file:
                lines = file.read().splitlines()
        except FileNotFoundError as error:
            raise NotFoundError(None, None, f"Vocabulary file {self._path!r} does not exist.") from error
        if self._size is not None:
            if len(lines) < self._size:
                raise InvalidArgumentError(
                    None, None, f"{self._path}: `vocab_size` is {self._size}, but the file has {len(lines)} lines."
                )
            lines = lines[: self._size]
        key, value = self._indices
        return self._part(lines, key, self._key_dtype, 0), self._part(lines, value, self._value_dtype, self._offset)

    def _part(self, lines: list[bytes], index: int, dtype: dtypes.DType, offset: int) -> np.ndarray:
        if index == TextFileIndex.LINE_NUMBER:
            return np.arange(len(lines), dtype=np.int64) + offset
        parts = lines if index == TextFileIndex.WHOLE_LINE else [self._field(line, index) for line in lines]
        out = np.empty(len(parts), object)
        out[:] = parts
        return out if dtype == "string" else np.array([float(one) for one in parts]).astype(dtype.as_numpy_dtype)

    def _field(self, line: bytes, index: int) -> bytes:
        fields = line.split(self._delimiter)
        if index >= len(fields):
            raise InvalidArgumentError(None, None, f"{self._path}: line {line!r} has no column {index}.")
        return fields[index]

    def initialize(self, table: Any) -> None:
        """Fill a table."""
        table.fill(*self.pairs())
