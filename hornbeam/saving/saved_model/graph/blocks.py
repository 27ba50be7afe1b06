"""Moving blocks of pixels between axes."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.saving.saved_model.graph.table import Node, op, static


@op("SpaceToBatchND")
def _space_to_batch(node: Node, x: Any, block: Any, paddings: Any) -> Any:
    sizes, pads = static(node, block, "block").tolist(), static(node, paddings, "paddings").tolist()
    count = len(sizes)
    padded = jnp.pad(x, [(0, 0), *map(tuple, pads), *[(0, 0)] * (np.ndim(x) - 1 - count)])
    batch, spatial, rest = padded.shape[0], padded.shape[1 : 1 + count], padded.shape[1 + count :]
    split = [
        size for pair in zip([s // b for s, b in zip(spatial, sizes, strict=True)], sizes, strict=True) for size in pair
    ]
    blocks = padded.reshape(batch, *split, *rest)
    order = [*range(2, 2 * count + 1, 2), 0, *range(1, 2 * count, 2), *range(2 * count + 1, blocks.ndim)]
    moved = blocks.transpose(order)
    return moved.reshape(batch * math.prod(sizes), *[s // b for s, b in zip(spatial, sizes, strict=True)], *rest)


@op("BatchToSpaceND")
def _batch_to_space(node: Node, x: Any, block: Any, crops: Any) -> Any:
    sizes, cuts = static(node, block, "block").tolist(), static(node, crops, "crops").tolist()
    count = len(sizes)
    spatial, rest = x.shape[1 : 1 + count], x.shape[1 + count :]
    blocks = x.reshape(*sizes, x.shape[0] // math.prod(sizes), *spatial, *rest)
    order = [count]
    for axis in range(count):
        order += [count + 1 + axis, axis]
    moved = blocks.transpose([*order, *range(2 * count + 1, blocks.ndim)])
    merged = moved.reshape(moved.shape[0], *[s * b for s, b in zip(spatial, sizes, strict=True)], *rest)
    cut = [slice(low, size - high) for (low, high), size in zip(cuts, merged.shape[1 : 1 + count], strict=True)]
    return merged[(slice(None), *cut)]


@op("DepthToSpace", "SpaceToDepth")
def _depth_space(node: Node, x: Any) -> Any:
    block, last = node.number("block_size"), node.text("data_format", "NHWC") == "NHWC"
    value = x if last else jnp.transpose(x, (0, 2, 3, 1))
    batch, rows, columns, depth = value.shape
    if node.op == "DepthToSpace":
        parts = value.reshape(batch, rows, columns, block, block, depth // block**2).transpose(0, 1, 3, 2, 4, 5)
        result = parts.reshape(batch, rows * block, columns * block, depth // block**2)
    else:
        parts = value.reshape(batch, rows // block, block, columns // block, block, depth).transpose(0, 1, 3, 2, 4, 5)
        result = parts.reshape(batch, rows // block, columns // block, depth * block**2)
    return result if last else jnp.transpose(result, (0, 3, 1, 2))
