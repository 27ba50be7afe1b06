"""Layers whose own variables stand in files by number, as they are: most of them, and they are read without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.keras.layers import Layer
from hornbeam.keras.layers.base.low_rank import LowRank
from hornbeam.keras.layers.base.quantizable import Quantizable

__all__ = ["host_view", "loads_by_number", "saves_by_number"]

_HOMES = (Layer, LowRank, Quantizable)
_LOADERS = frozenset(home.load_own_variables for home in _HOMES)
_SAVERS = frozenset(home.save_own_variables for home in _HOMES)


def loads_by_number(item: Any) -> bool:
    """Whether a layer takes array ``i`` of a file for its ``i``-th own variable, unchanged."""
    return getattr(type(item), "load_own_variables", None) in _LOADERS and not _is_changed(item)


def saves_by_number(item: Any) -> bool:
    """Whether a layer gives its ``i``-th own variable, unchanged, as array ``i``."""
    return getattr(type(item), "save_own_variables", None) in _SAVERS and not _is_changed(item)


def _is_changed(layer: Any) -> bool:
    """Integers, or low-rank factors, stand in the place of the weights that files hold."""
    return getattr(layer, "_is_quantized", False) or getattr(layer, "lora_enabled", False)


def host_view(variable: Any) -> np.ndarray:
    """The value of a variable as of now, without a copy where it lies in host memory.

    Reading marks the array as lent, so that no later training step changes it.
    """
    return np.asarray(variable.read_array())
