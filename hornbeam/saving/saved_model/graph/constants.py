"""Constants of graphs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam.base.errors import CorruptFileError
from hornbeam.saving.protos import Message
from hornbeam.saving.saved_model.structure import shape_of
from hornbeam.saving.tf_checkpoint.kinds import STRING, numpy_dtype

__all__ = ["MOST_ELEMENTS", "constant"]

_LISTS = {
    1: "float_val", 2: "double_val", 3: "int_val", 4: "int_val", 5: "int_val", 6: "int_val", 8: "scomplex_val",
    9: "int64_val", 10: "bool_val", 14: "half_val", 17: "int_val", 18: "dcomplex_val", 19: "half_val",
    22: "uint32_val", 23: "uint64_val",
}  # fmt: skip
MOST_ELEMENTS = 1 << 28


def constant(proto: Message) -> np.ndarray:
    """The array of a constant; strings as an array of ``bytes``.

    Raises:
        CorruptFileError: its values do not fill its shape.
    """
    shape = tuple(size or 0 for size in shape_of(proto.tensor_shape) or ())
    count = math.prod(shape)
    if proto.dtype == STRING:
        found = np.empty(len(proto.string_val), object)
        found[:] = proto.string_val
        if len(found) == 1 and count > 1 and count < MOST_ELEMENTS:
            found = np.repeat(found, count)
        return _shaped(found, shape)
    kind = numpy_dtype(proto.dtype)
    if proto.tensor_content:
        if len(proto.tensor_content) != count * kind.itemsize:
            raise CorruptFileError(f"A constant of shape {shape} has {len(proto.tensor_content)} bytes.")
        return np.frombuffer(proto.tensor_content, kind).reshape(shape)
    values = getattr(proto, _LISTS[proto.dtype])
    if proto.dtype in (14, 19):
        listed = np.array(values, np.uint16).view(kind)
    elif proto.dtype in (8, 18):
        listed = np.array(values, np.float64).view(np.complex128).astype(kind)
    else:
        listed = np.array(values).astype(kind)
    if listed.size < count:
        if count > MOST_ELEMENTS:
            raise CorruptFileError(f"A constant claims {count} elements and holds {listed.size}.")
        # The last value stands for all that follow.
        last = listed[-1:] if listed.size else np.zeros(1, kind)
        listed = np.concatenate([listed, np.repeat(last, count - listed.size)])
    return _shaped(listed, shape)


def _shaped(values: np.ndarray, shape: Any) -> np.ndarray:
    if values.size != math.prod(shape):
        raise CorruptFileError(f"A constant of shape {shape} has {values.size} values.")
    return values.reshape(shape)
