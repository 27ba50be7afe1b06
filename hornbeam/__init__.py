"""Hornbeam: Keras on JAX/XLA. ``import hornbeam as tf``, or ``from hornbeam import keras``.

Everything is found on first use (PEP 562): importing the package itself loads neither JAX nor NumPy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hornbeam.base import registry as _registry
from hornbeam.version import VERSION as __version__  # noqa: F401 - what tf.__version__ is

if TYPE_CHECKING:
    from hornbeam import keras as keras
    from hornbeam.compat.install import install as install

# Formats stand above Keras; Keras finds them by these names.
for _name in ("save_model", "load_model", "save_weights", "load_weights"):
    _registry.provide("saving", _name, f"hornbeam.saving.files:{_name}")
_registry.provide("keras", "summary", "hornbeam.keras.utils.summary_table:print_summary")

_FOLDERS = (
    "keras",
    "ops",
    "version",
)
"""Public folders and modules, imported when first touched."""

_HOMES: dict[str, tuple[str, ...]] = {
    "hornbeam.compat.install": ("install",),
    "hornbeam.core.tape": ("GradientTape",),
    "hornbeam.core.tensor": ("Tensor",),
    "hornbeam.core.function": ("TensorSpec", "function"),
    "hornbeam.core.scopes": ("name_scope",),
    "hornbeam.base.shapes": ("TensorShape",),
    "hornbeam.base.dtypes": (
        "DType",
        "as_dtype",
        "bfloat16",
        "complex128",
        "complex64",
        "float16",
        "float32",
        "float64",
        "int16",
        "int32",
        "int64",
        "int8",
        "string",
        "uint16",
        "uint32",
        "uint64",
        "uint8",
        "variant",
        "resource",
    ),
}
"""Module that holds each public name."""

_NAMES = {name: module for module, names in _HOMES.items() for name in names}
_RENAMED = {"bool": ("hornbeam.base.dtypes", "bool_")}

__all__ = sorted([*_FOLDERS, *_NAMES, *_RENAMED])


def __getattr__(name: str) -> Any:
    if name in _FOLDERS:
        return importlib.import_module(f"hornbeam.{name}")
    if name in _NAMES:
        found = getattr(importlib.import_module(_NAMES[name]), name)
    elif name in _RENAMED:
        module, attribute = _RENAMED[name]
        found = getattr(importlib.import_module(module), attribute)
    elif name == "newaxis":
        return None
    else:
        raise AttributeError(f"module 'hornbeam' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*__all__, "newaxis"]
