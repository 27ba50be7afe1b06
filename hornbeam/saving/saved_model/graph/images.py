"""Resizing of pictures, and colours."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.saving.saved_model.graph.table import Node, op, static


def _places(node: Node, size: int, target: int) -> np.ndarray:
    """Where the centres (or corners) of new pixels lie among the old ones."""
    if node.number("align_corners", False) and target > 1:
        return np.arange(target) * ((size - 1) / (target - 1))
    scale = size / target
    if node.number("half_pixel_centers", False):
        return (np.arange(target) + 0.5) * scale - 0.5
    return np.arange(target) * scale


@op("ResizeBilinear")
def _bilinear(node: Node, x: Any, size: Any) -> Any:
    rows, columns = (int(s) for s in static(node, size, "size"))
    value = jnp.asarray(x, jnp.float32)
    for axis, target in ((1, rows), (2, columns)):
        length = value.shape[axis]
        where = np.clip(_places(node, length, target), 0, length - 1)
        low = np.floor(where).astype(int)
        high = np.minimum(low + 1, length - 1)
        share = (where - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(4)])
        value = jnp.take(value, low, axis) * (1 - share) + jnp.take(value, high, axis) * share
    return value


@op("ResizeNearestNeighbor")
def _nearest(node: Node, x: Any, size: Any) -> Any:
    rows, columns = (int(s) for s in static(node, size, "size"))
    value = jnp.asarray(x)
    for axis, target in ((1, rows), (2, columns)):
        length = value.shape[axis]
        if node.number("align_corners", False):
            where = np.floor(_places(node, length, target) + 0.5)
        elif node.number("half_pixel_centers", False):
            where = np.floor((np.arange(target) + 0.5) * (length / target))
        else:
            where = np.floor(_places(node, length, target))
        value = jnp.take(value, np.clip(where, 0, length - 1).astype(int), axis)
    return value


@op("AdjustContrastv2")
def _contrast(node: Node, x: Any, factor: Any) -> Any:
    mean = jnp.mean(x, axis=(-3, -2), keepdims=True)
    return (x - mean) * factor + mean
