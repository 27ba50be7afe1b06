"""``tf.train``: checkpoints, and the messages of record files.

References: TensorFlow ``tf.train``.
"""

from __future__ import annotations

import importlib
from typing import Any

from hornbeam.base import registry

_HOMES: dict[str, tuple[str, ...]] = {
    "hornbeam.train.averages": ("ExponentialMovingAverage",),
    "hornbeam.train.checkpoint": ("Checkpoint",),
    "hornbeam.train.cluster": ("ClusterSpec",),
    "hornbeam.train.files": (
        "checkpoints_iterator",
        "get_checkpoint_state",
        "latest_checkpoint",
        "list_variables",
        "load_checkpoint",
        "load_variable",
    ),
    "hornbeam.train.manager": ("CheckpointManager",),
    "hornbeam.train.options": ("CheckpointOptions",),
    "hornbeam.io.example": (
        "BytesList",
        "Example",
        "Feature",
        "FeatureList",
        "FeatureLists",
        "Features",
        "FloatList",
        "Int64List",
        "SequenceExample",
    ),
}
_NAMES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted([*_NAMES, "experimental"])


def __getattr__(name: str) -> Any:
    if name == "experimental":
        return importlib.import_module("hornbeam.train.experimental")
    if name in _NAMES:
        found = getattr(importlib.import_module(_NAMES[name]), name)
        globals()[name] = found
        return found
    raise registry.missing("hornbeam.train", name, __all__)


def __dir__() -> list[str]:
    return [*__all__]
