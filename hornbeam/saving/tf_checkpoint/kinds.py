"""TensorFlow's numbers for dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.base.errors import UnsupportedFileError

__all__ = ["RESOURCE", "STRING", "VARIANT", "as_dtype", "dtype_name", "dtype_number", "numpy_dtype"]

_NAMES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string", 8: "complex64",
    9: "int64", 10: "bool", 14: "bfloat16", 17: "uint16", 18: "complex128", 19: "float16", 20: "resource",
    21: "variant", 22: "uint32", 23: "uint64", 24: "float8_e5m2", 25: "float8_e4m3fn",
}  # fmt: skip
_NUMBERS = {name: number for number, name in _NAMES.items()}
as_dtype = dtypes.as_dtype
STRING, RESOURCE, VARIANT = 7, 20, 21


def dtype_name(number: int) -> str:
    """Name of a dtype from its number in a file.

    Raises:
        UnsupportedFileError: no such dtype is known here.
    """
    # Reference dtypes of version 1 graphs are the plain ones plus 100.
    found = _NAMES.get(number - 100 if number > 100 else number)
    if found is None:
        raise UnsupportedFileError(f"The file uses dtype number {number}, which is not read here.")
    return found


def numpy_dtype(number: int) -> np.dtype:
    """NumPy dtype from TensorFlow's number; objects (bytes) for strings."""
    return np.dtype(dtypes.as_dtype(dtype_name(number)).as_numpy_dtype)


def dtype_number(dtype: Any) -> int:
    """TensorFlow's number for a NumPy dtype or a dtype's name.

    Raises:
        UnsupportedFileError: the files have no number for it.
    """
    name = str(dtype) if isinstance(dtype, str) else np.dtype(dtype).name
    if name in ("object", "str", "bytes") or name.startswith(("str", "bytes")):
        return STRING
    if name not in _NUMBERS:
        raise UnsupportedFileError(f"TensorFlow's files have no dtype for {name}; cast the variable before saving.")
    return _NUMBERS[name]
