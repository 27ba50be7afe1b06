"""``padded_batch``: elements filled up to one shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import explain
from hornbeam.base.shapes import TensorShape
from hornbeam.core.spec import TensorSpec
from hornbeam.data.batching import batch_count, collected
from hornbeam.data.blocks import Block, join
from hornbeam.data.plan import Carry, Cursor, Node, Scope
from hornbeam.data.structure import host_leaf, to_host
from hornbeam.errors import InvalidArgumentError


class PaddedBatch(Node):
    """``padded_batch``: elements filled up to one shape.

    Args:
        child: elements.
        batch_size: elements in a batch.
        shapes: shape per leaf, unknown sizes None: as large as the largest of the batch. None for all unknown.
        values: what to fill with, per leaf; None for 0 (empty text).
        drop_remainder: leave out a short last batch.
    """

    def __init__(self, child: Node, batch_size: int, shapes: Any, values: Any, drop_remainder: bool) -> None:
        super().__init__(child)
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1. Received: batch_size={batch_size}")
        self.batch_size, self.drop_remainder = batch_size, drop_remainder
        self._shapes, self._values = shapes, values

    def make_spec(self) -> Any:
        """Elements with an axis more, their unknown sizes as the padded shapes say."""
        spec = self.children[0].spec
        shapes = self._shapes_for(trees.map_structure(lambda _: 0, spec))
        rows = self.batch_size if self.drop_remainder else None
        found = []
        for leaf, shape in zip(trees.flatten(spec), shapes, strict=True):
            inner = tuple(leaf.shape) if shape is None else tuple(shape)
            found.append(TensorSpec((rows, *inner), leaf.dtype))
        return trees.pack(spec, found)

    def size(self) -> int:
        """Number of batches."""
        return batch_count(self.children[0].size(), self.batch_size, self.drop_remainder)

    def _shapes_for(self, skeleton: Any) -> list[Any]:
        count = len(trees.flatten(skeleton))
        if self._shapes is None:
            return [None] * count
        shapes = shape_leaves(skeleton, self._shapes)
        if len(shapes) != count:
            raise ValueError(
                f"padded_batch(): `padded_shapes` has {len(shapes)} shapes, but the elements have {count} leaves."
            )
        return shapes

    def stream(self, scope: Scope) -> Cursor:
        """Batches in order."""
        return _PaddedCursor(self.children[0].open(scope.at(0)), self)

    def batch(self, block: Block) -> Block:
        """One batch of all elements of a block."""
        shapes = self._shapes_for(block.skeleton)
        values = padding_values(block.skeleton, self._values)
        columns = [[pad_column(*given)] for given in zip(block.columns, shapes, values, strict=True)]
        return Block(block.skeleton, columns, 1)


def shape_leaves(skeleton: Any, shapes: Any) -> list[Any]:
    """Shapes given as a nesting, per leaf."""
    found: list[Any] = []

    def collect(_: Any, shape: Any) -> None:
        if isinstance(shape, np.ndarray) or hasattr(shape, "numpy"):
            shape = [int(size) for size in np.asarray(host_leaf(shape)).reshape(-1)]
        found.append(None if shape is None else TensorShape(shape))

    if not trees.is_nested(skeleton):
        collect(0, shapes)
        return found
    trees.map_up_to(skeleton, collect, skeleton, shapes)
    return found


def padding_values(skeleton: Any, values: Any) -> list[Any]:
    """Values to fill with, per leaf; one value counts for all leaves."""
    count = len(trees.flatten(skeleton))
    if values is None or not trees.is_nested(values):
        return [None if values is None else host_leaf(values)] * count
    return to_host(values)[1]


def pad_column(column: Any, shape: Any, value: Any) -> np.ndarray:
    """Values of one leaf, filled up to one shape.

    Raises:
        InvalidArgumentError: a value is larger than the shape, or its kind differs from the filler's.
    """
    arrays = [np.asarray(item, object if isinstance(item, bytes) else None) for item in column]
    rank = arrays[0].ndim
    sizes = [max(array.shape[axis] for array in arrays) for axis in range(rank)]
    if shape is not None:
        if len(shape) != rank:
            raise InvalidArgumentError(
                None,
                None,
                f"padded_batch(): the padded shape {tuple(shape)} does not have the rank {rank} of the elements.",
            )
        for axis, size in enumerate(shape):
            if size is not None and sizes[axis] > size:
                raise InvalidArgumentError(
                    None,
                    None,
                    explain(
                        "padded_batch(): an element is larger than the padded shape.",
                        expected=f"at most {size} along axis {axis}",
                        received=f"{sizes[axis]}",
                        fix="give None there, or cut the elements first",
                    ),
                )
            sizes[axis] = size if size is not None else sizes[axis]
    dtype = arrays[0].dtype
    filler = (b"" if dtype.kind == "O" else 0) if value is None else _same_kind(value, dtype)
    out = np.empty((len(arrays), *sizes), dtype)
    out[...] = filler
    for place, array in enumerate(arrays):
        # Without axes the text itself, which would else stay wrapped in an array.
        out[(place, *map(slice, array.shape))] = array if rank else array[()]
    return out


def _same_kind(value: Any, dtype: np.dtype) -> Any:
    if (dtype.kind == "O") != isinstance(value, bytes):
        raise TypeError(f"padded_batch(): a padding value {value!r} does not fit elements of dtype {dtype}.")
    return value if dtype.kind == "O" else np.asarray(value).astype(dtype)


class _PaddedCursor(Cursor):
    def __init__(self, child: Cursor, node: PaddedBatch) -> None:
        self._child = Carry(child)
        self._node = node

    def block(self, limit: int) -> Block | None:
        """The next batch."""
        node = self._node
        parts = collected(self._child, node.batch_size)
        have = sum(part.count for part in parts)
        if not have or (node.drop_remainder and have < node.batch_size):
            return None
        return node.batch(join(parts))

    def skip(self, count: int) -> int:
        """Pass over batches."""
        return batch_count(self._child.skip(count * self._node.batch_size), self._node.batch_size, False)

    def close(self) -> None:
        """Close the child."""
        self._child.close()
