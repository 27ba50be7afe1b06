"""Weights of a layer of 8-bit integers, read into one of floats as the floats they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["dequantized"]


def dequantized(shapes: list[tuple[int, ...]], store: Any) -> list[np.ndarray] | None:
    """Float arrays of a layer from integers and their scale, which stands last; ``None`` if it is stored otherwise.

    Args:
        shapes: shapes of the layer's variables.
        store: its stored arrays, by number.
    """
    parts = list(store.parts.values())
    if len(parts) != len(shapes) + 1 or not parts or parts[0].dtype != "int8":
        return None
    if [part.shape for part in parts[:-1]] != list(shapes):
        return None
    arrays = [part.read() for part in parts]
    scale = arrays[-1].astype(np.float64)
    try:
        value = arrays[0] / np.broadcast_to(scale, arrays[0].shape)
    except ValueError:
        return None
    return [value.astype(np.float32), *arrays[1:-1]]
