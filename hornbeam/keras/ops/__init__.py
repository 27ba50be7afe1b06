"""``keras.ops``: the ops under Keras's names. References: Keras ``keras.ops``."""

import importlib
from typing import Any

from hornbeam import ops as _ops
from hornbeam.ops import *  # noqa: F403 - the list is that of hornbeam.ops

hard_swish = _ops.hard_silu
swish = _ops.silu

_FOLDERS = ("image", "linalg", "nn", "numpy")
__all__ = [*_ops.__all__, "hard_swish", "swish", *_FOLDERS]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _FOLDERS:
        return importlib.import_module(f"hornbeam.keras.ops.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
