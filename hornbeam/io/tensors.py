"""Tensors as bytes, in TensorFlow's own form."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.core.tensor import HostTensor, from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.io import wire
from hornbeam.tensors.texts import each, one

__all__ = ["parse_tensor", "serialize_tensor"]

_NUMBERS = {
    "float32": 1,
    "float64": 2,
    "int32": 3,
    "uint8": 4,
    "int16": 5,
    "int8": 6,
    "string": 7,
    "complex64": 8,
    "int64": 9,
    "bool": 10,
    "bfloat16": 14,
    "uint16": 17,
    "complex128": 18,
    "float16": 19,
    "uint32": 22,
    "uint64": 23,
}
"""Number of each dtype in the ``DataType`` enumeration."""

_NAMES = {number: name for name, number in _NUMBERS.items()}
# Fields of a TensorProto.
_DTYPE, _SHAPE, _CONTENT, _STRINGS, _HALVES = 1, 2, 4, 8, 13
_FLOATS, _DOUBLES, _INTS, _INT64S, _BOOLS, _UINT32S, _UINT64S = 5, 6, 7, 10, 11, 16, 17


def serialize_tensor(tensor: Any, name: str | None = None) -> Any:
    """A tensor as one string: a serialized TensorProto.

    References: TensorFlow `tf.io.serialize_tensor`.
    """
    made = tensor if isinstance(tensor, HostTensor) else ops.convert_to_tensor(tensor)
    array = made._value if isinstance(made, HostTensor) else np.asarray(made)
    kind = made.dtype.name
    sizes = b"".join(wire.bytes_field(2, wire.varint_field(1, size) if size else b"") for size in array.shape)
    out = wire.varint_field(_DTYPE, _NUMBERS[kind]) + wire.bytes_field(_SHAPE, sizes)
    if kind == "string":
        out += b"".join(wire.bytes_field(_STRINGS, item) for item in array.reshape(-1))
    elif array.size:
        little = array.astype(array.dtype.newbyteorder("<")) if array.dtype.kind in "iufc" else array
        out += wire.bytes_field(_CONTENT, np.ascontiguousarray(little).tobytes())
    return each(out, bytes, "tf.io.serialize_tensor")


def parse_tensor(serialized: Any, out_type: Any, name: str | None = None) -> Any:
    """The inverse of ``serialize_tensor``.

    Args:
        serialized: one string, a serialized TensorProto.
        out_type: dtype of the tensor; it must be the one stored.

    Raises:
        tf.errors.InvalidArgumentError: not a serialized tensor, or of another dtype.

    References: TensorFlow `tf.io.parse_tensor`.
    """
    data = one(serialized, "tf.io.parse_tensor")
    try:
        parts: dict[int, list[tuple[int, Any]]] = {}
        for number, form, value in wire.fields(data):
            parts.setdefault(number, []).append((form, value))
        array = _array(parts)
    except (ValueError, KeyError) as error:
        raise InvalidArgumentError(None, None, f"tf.io.parse_tensor: not a serialized tensor ({error}).") from error
    made = from_host(array)
    wanted = dtypes.as_dtype(out_type)
    if made.dtype != wanted:
        raise InvalidArgumentError(
            None,
            None,
            f"tf.io.parse_tensor: the string holds a tensor of {made.dtype.name}, out_type is {wanted.name}.",
        )
    return made


def _array(parts: dict[int, list]) -> np.ndarray:
    kind = _NAMES[parts[_DTYPE][0][1]]
    shape = tuple(
        next((wire.signed(value) for place, _, value in wire.fields(dim) if place == 1 and isinstance(value, int)), 0)
        for _, block in parts.get(_SHAPE, [])
        for number, _, dim in wire.fields(block)
        if number == 2 and isinstance(dim, bytes)
    )
    if kind == "string":
        out = np.empty(len(parts.get(_STRINGS, [])), object)
        out[:] = [value for _, value in parts.get(_STRINGS, [])]
        return _spread(out, shape)
    dtype = np.dtype(dtypes.as_dtype(kind).as_numpy_dtype)
    if _CONTENT in parts:
        return np.frombuffer(parts[_CONTENT][0][1], dtype).reshape(shape).copy()
    return _spread(_typed(parts, kind, dtype), shape)


def _typed(parts: dict[int, list], kind: str, dtype: np.dtype) -> np.ndarray:
    """Values that are stored one by one in the field of their kind."""
    if kind in ("float32", "complex64"):
        found = np.concatenate([wire.floats(form, value) for form, value in parts.get(_FLOATS, [])] or [[]])
        return found.astype(np.float32).view(dtype) if kind == "complex64" else found.astype(dtype)
    if kind in ("float64", "complex128"):
        found = np.concatenate([wire.doubles(value) for _, value in parts.get(_DOUBLES, [])] or [[]])
        return found.view(dtype) if kind == "complex128" else found
    field = {"int64": _INT64S, "bool": _BOOLS, "uint32": _UINT32S, "uint64": _UINT64S}.get(kind, _INTS)
    field = _HALVES if kind in ("float16", "bfloat16") else field
    found = np.concatenate([wire.integers(form, value) for form, value in parts.get(field, [])] or [[]])
    if field == _HALVES:
        return found.astype(np.uint16).view(dtype)
    return found.astype(dtype)


def _spread(values: np.ndarray, shape: tuple) -> np.ndarray:
    """Values in their shape; the last one stands for all that follow."""
    count = int(np.prod(shape)) if shape else 1
    if values.size < count:
        filler = values[-1] if values.size else np.zeros(1, values.dtype)[0]
        values = np.concatenate([values, np.full(count - values.size, filler, values.dtype)])
    return values.reshape(shape)
