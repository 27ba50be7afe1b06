"""Preparing data: pictures, sequences, texts, folders of files.

References: Keras ``keras.preprocessing``.
"""

from __future__ import annotations

import importlib
from typing import Any

from hornbeam.base import registry

_FOLDERS = ("image", "sequence", "text")
_NAMES = {
    "image_dataset_from_directory": "hornbeam.keras.utils.image_dataset",
    "text_dataset_from_directory": "hornbeam.keras.utils.text_dataset",
    "timeseries_dataset_from_array": "hornbeam.keras.utils.timeseries_dataset",
}

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]


def __getattr__(name: str) -> Any:
    if name in _FOLDERS:
        return importlib.import_module(f"hornbeam.keras.preprocessing.{name}")
    if name in _NAMES:
        found = getattr(importlib.import_module(_NAMES[name]), name)
        globals()[name] = found
        return found
    raise registry.missing("hornbeam.keras.preprocessing", name, __all__)


def __dir__() -> list[str]:
    return [*__all__]
