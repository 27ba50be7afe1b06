"""Keras: layers, models, training. References: Keras 3 (``keras``), TensorFlow (``tf.keras``)."""

from __future__ import annotations

import importlib
from typing import Any

from hornbeam.base import registry
from hornbeam.version import KERAS_VERSION as __version__

_FOLDERS = (
    "activations",
    "applications",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "distillation",
    "distribution",
    "dtype_policies",
    "export",
    "initializers",
    "layers",
    "legacy",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "quantizers",
    "random",
    "regularizers",
    "saving",
    "tree",
    "utils",
    "visualization",
    "wrappers",
)
_HOMES: dict[str, tuple[str, ...]] = {
    "hornbeam.core.variable": ("Variable",),
    "hornbeam.core.symbolic": ("KerasTensor",),
    "hornbeam.core.scopes": ("name_scope",),
    "hornbeam.core.stateless": ("StatelessScope", "SymbolicScope"),
    "hornbeam.keras.constraints": ("Constraint",),
    "hornbeam.keras.dtype_policies": ("DTypePolicy", "FloatDTypePolicy"),
    "hornbeam.keras.initializers": ("Initializer",),
    "hornbeam.keras.layers": ("Input", "InputSpec", "Layer"),
    "hornbeam.keras.layers.base.remat": ("RematScope", "remat"),
    "hornbeam.keras.losses": ("Loss",),
    "hornbeam.keras.metrics": ("Metric",),
    "hornbeam.keras.models": ("Model", "Sequential"),
    "hornbeam.keras.models.operation": ("Function", "Operation"),
    "hornbeam.keras.optimizers": ("Optimizer",),
    "hornbeam.keras.quantizers": ("Quantizer",),
    "hornbeam.keras.regularizers": ("Regularizer",),
    "hornbeam.tensors.scopes": ("device",),
}
_NAMES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted([*_FOLDERS, *_NAMES, "version"])


def version() -> str:
    """The release of Keras that is followed."""
    return __version__


def __getattr__(name: str) -> Any:
    if name in _FOLDERS:
        return importlib.import_module(f"hornbeam.keras.{name}")
    if name in _NAMES:
        found = getattr(importlib.import_module(_NAMES[name]), name)
        globals()[name] = found
        return found
    raise registry.missing("hornbeam.keras", name, __all__)


def __dir__() -> list[str]:
    return [*__all__]
