"""Model files: reading and writing. ``keras`` finds these functions through ``base.registry``.

Loaded on first use (PEP 562), so that looking into a file (``hornbeam inspect``) needs no JAX.
"""

import importlib
from typing import Any

__all__ = ["load_model", "load_weights", "save_model", "save_weights"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("hornbeam.saving.files"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
