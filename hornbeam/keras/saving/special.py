"""Values inside configs that are no objects: tensors, arrays, slices, bytes, symbolic tensors, type specs."""

from __future__ import annotations

import types
from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, registry, shapes
from hornbeam.base.errors import CorruptFileError, UnsupportedFileError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor, from_host

__all__ = ["MARKERS", "UNKNOWN", "read_special", "write_special"]

UNKNOWN = object()
"""Returned by ``write_special`` for anything that is not special."""

# Where TensorFlow defines the specs, because it looks them up by module when it reads a config.
_SPEC_MODULES = {
    "TensorSpec": "tensorflow.python.framework.tensor",
    "RaggedTensorSpec": "tensorflow.python.ops.ragged.ragged_tensor",
    "SparseTensorSpec": "tensorflow.python.framework.sparse_tensor",
}


def _entry(marker: str, **config: Any) -> dict[str, Any]:
    return {"class_name": marker, "config": config}


def write_special(obj: Any, recurse: Any) -> Any:
    """Config entry of a special value, ``UNKNOWN`` if it is none.

    Args:
        obj: the value.
        recurse: serialises a part of it.
    """
    if isinstance(obj, bytes):
        return _entry("__bytes__", value=obj.decode("utf-8"))
    if isinstance(obj, slice):
        return _entry("__slice__", start=recurse(obj.start), stop=recurse(obj.stop), step=recurse(obj.step))
    if isinstance(obj, types.EllipsisType):
        return _entry("__ellipsis__")
    if isinstance(obj, KerasTensor):
        history = getattr(obj, "_keras_history", None)
        if history:
            history = [history[0].name, *history[1:]]
        return _entry("__keras_tensor__", shape=tuple(obj.shape), dtype=obj.dtype.name, keras_history=history)
    if isinstance(obj, (Tensor, jax.Array)):
        return _entry("__tensor__", value=np.asarray(obj).tolist(), dtype=_dtype_name(obj.dtype))
    if isinstance(obj, np.ndarray) and obj.ndim:
        return _entry("__numpy__", value=obj.tolist(), dtype=_dtype_name(obj.dtype))
    if isinstance(obj, (np.ndarray, np.generic)):
        return obj.item()
    if type(obj).__name__ in registry.names("typespec"):
        return _write_spec(obj)
    return UNKNOWN


def _dtype_name(dtype: Any) -> str:
    name = dtypes.as_dtype(dtype).name
    if name == "string":
        raise ValueError(
            f"Invalid dtype: {dtype}. An array of text does not fit into a config; use a list of str instead."
        )
    return name


def _write_spec(obj: Any) -> dict[str, Any]:
    name = type(obj).__name__
    config: list[Any] = []
    for part in obj._serialize():
        if isinstance(part, shapes.TensorShape):
            config.append(None if part.rank is None else part.as_list())
        else:
            config.append(part.name if isinstance(part, dtypes.DType) else part)
    return {
        "class_name": "__typespec__",
        "spec_name": name,
        "module": _SPEC_MODULES.get(name, type(obj).__module__),
        "config": config,
        "registered_name": None,
    }


def _read_keras_tensor(inner: Any, recurse: Any) -> KerasTensor:
    tensor = KerasTensor(inner["shape"], dtype=inner["dtype"])
    tensor._pre_serialization_keras_history = inner["keras_history"]  # type: ignore[attr-defined]
    return tensor


def _read_array(inner: Any, recurse: Any) -> np.ndarray:
    return np.array(inner["value"], dtype=dtypes.as_dtype(inner["dtype"]).as_numpy_dtype)


def _read_slice(inner: Any, recurse: Any) -> slice:
    return slice(recurse(inner["start"]), recurse(inner["stop"]), recurse(inner["step"]))


MARKERS: dict[str, Any] = {
    "__bytes__": lambda inner, recurse: inner["value"].encode("utf-8"),
    "__ellipsis__": lambda inner, recurse: Ellipsis,
    "__keras_tensor__": _read_keras_tensor,
    "__numpy__": _read_array,
    "__slice__": _read_slice,
    "__tensor__": lambda inner, recurse: from_host(_read_array(inner, recurse)),
}


def read_special(config: dict[str, Any], recurse: Any) -> Any:
    """Value of a special entry.

    Args:
        config: entry whose class name is one of ``MARKERS`` or ``"__typespec__"``.
        recurse: rebuilds a part of it.

    Raises:
        CorruptFileError: the entry lacks one of its parts, or holds one of a wrong kind.
        UnsupportedFileError: a type spec that is not known here.
    """
    marker, inner = config["class_name"], config["config"]
    try:
        if marker == "__typespec__":
            return _read_spec(config)
        return MARKERS[marker](inner, recurse)
    except (KeyError, AttributeError, TypeError) as error:
        raise CorruptFileError(
            f"The config entry {marker!r} is not complete ({error!r}). Received: {config}"
        ) from error


def _read_spec(config: dict[str, Any]) -> Any:
    name, inner = config["spec_name"], config["config"]
    if name not in registry.names("typespec"):
        raise UnsupportedFileError(
            f"The config holds a TensorFlow type spec {name!r}, which is not known here "
            f"(known: {registry.names('typespec')}). Save the model again without it."
        )
    if not isinstance(inner, (list, tuple)):
        raise TypeError(f"expected a list, received {type(inner).__name__}")
    parts = [shapes.TensorShape(part) if isinstance(part, list) else part for part in inner]
    return registry.find("typespec", name)(*parts)
