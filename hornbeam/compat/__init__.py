"""Old spellings and foreign import names, translated at the edge: nothing below this room knows that it exists.

As ``tf.compat`` it also holds ``v1`` and ``v2``, and the few helpers that TensorFlow has there.
"""

from __future__ import annotations

import importlib
from typing import Any

_FOLDERS = ("v1", "v2")
_HELPERS = ("as_bytes", "as_str", "as_str_any", "as_text", "path_to_str", "bytes_or_text_types", "forward_compatible")
_SIZES = ("dimension_at_index", "dimension_value")

__all__ = [*_FOLDERS, *_HELPERS, *_SIZES]


def __getattr__(name: str) -> Any:
    if name in _FOLDERS:
        return importlib.import_module(f"hornbeam.compat.{name}")
    if name in _HELPERS:
        return getattr(importlib.import_module("hornbeam.compat.text"), name)
    if name in _SIZES:
        return getattr(importlib.import_module("hornbeam.compat.sizes"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    return [*__all__]
