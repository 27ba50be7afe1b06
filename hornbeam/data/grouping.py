"""Elements in groups: window, group_by_window, bucket_by_sequence_length; and data sets that are elements."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import explain
from hornbeam.core.spec import TensorSpec
from hornbeam.data.batching import batched_spec
from hornbeam.data.blocks import Block, join, must_stack
from hornbeam.data.functions import ElementFunction
from hornbeam.data.padding import PaddedBatch, shape_leaves
from hornbeam.data.plan import INFINITE, UNKNOWN, Cursor, Indexed, IndexedNode, Node, Scope
from hornbeam.data.sources import ArrayRows
from hornbeam.data.structure import DatasetSpec, column_struct, spec_of


class Held(IndexedNode):
    """Elements that are held already."""

    def __init__(self, block: Block, spec: Any = None) -> None:
        super().__init__()
        self._block = block
        self._spec = spec

    def make_spec(self) -> Any:
        """Spec of the first element, if none was given."""
        if self._spec is not None:
            return self._spec
        return trees.pack(self._block.skeleton, [spec_of(leaf) for leaf in self._block.leaves(0)])

    def size(self) -> int:
        """Number of elements."""
        return self._block.count

    def indexed(self, scope: Scope) -> Indexed:
        """The elements."""
        structs = [column_struct(column) for column in self._block.columns]
        return ArrayRows(self._block, None if any(struct is None for struct in structs) else structs)


class Window(Node):
    """``window``: data sets of successive elements.

    Args:
        child: elements.
        size: elements in a window.
        shift: elements between the starts of two windows.
        stride: elements between two elements of a window.
        drop_remainder: leave out windows that are not full.
        wrap: makes a public data set of a node.
    """

    def __init__(
        self, child: Node, size: int, shift: int, stride: int, drop_remainder: bool, wrap: Callable[[Node], Any]
    ) -> None:
        super().__init__(child)
        for name, value in (("size", size), ("shift", shift), ("stride", stride)):
            if value < 1:
                raise ValueError(f"Dataset.window(): `{name}` must be at least 1. Received: {name}={value}")
        self.width, self.shift, self.stride, self.drop = size, shift, stride, drop_remainder
        self._wrap = wrap

    def make_spec(self) -> Any:
        """A data set for each leaf."""
        return trees.map_structure(DatasetSpec, self.children[0].spec)

    def size(self) -> int:
        """Number of windows."""
        size = self.children[0].size()
        if size < 0:
            return size
        if not self.drop:
            return -(-size // self.shift)
        reach = (self.width - 1) * self.stride + 1
        return max(0, (size - reach) // self.shift + 1)

    def stream(self, scope: Scope) -> Cursor:
        """Windows in order."""
        return _WindowCursor(self.children[0].open(scope.at(0)), self, self._wrap)


class _WindowCursor(Cursor):
    def __init__(self, child: Cursor, node: Window, wrap: Callable[[Node], Any]) -> None:
        self._child, self._node, self._wrap = child, node, wrap
        self._held: Block | None = None
        self._owed = 0
        self._ended = False

    def block(self, limit: int) -> Block | None:
        """The next window."""
        node = self._node
        reach = (node.width - 1) * node.stride + 1
        self._drop_owed()
        self._fill(reach)
        held = self._held
        if held is None or not held.count or (node.drop and held.count < reach):
            return None
        stop = min(reach, held.count)
        window = held.cut(0, stop) if node.stride == 1 else held.take(np.arange(0, stop, node.stride))
        self._owed = node.shift
        leaves = [
            self._wrap(Held(Block(0, [column], window.count), spec))
            for column, spec in zip(window.columns, trees.flatten(node.children[0].spec), strict=True)
        ]
        return Block.of_element(window.skeleton, leaves)

    def _drop_owed(self) -> None:
        """Pass over the elements between the starts of two windows."""
        owed, self._owed = self._owed, 0
        if not owed:
            return
        held = self._held
        count = held.count if held is not None else 0
        if held is not None and owed < count:
            self._held = held.cut(owed, count)
            return
        self._held = None
        if owed > count and not self._ended:
            self._child.skip(owed - count)

    def _fill(self, reach: int) -> None:
        parts = [self._held] if self._held is not None else []
        have = sum(part.count for part in parts)
        if have >= reach:
            return
        while have < reach and not self._ended:
            part = self._child.block(max(reach - have, 1024))
            if part is None:
                self._ended = True
            else:
                parts.append(part)
                have += part.count
        self._held = join(parts) if parts else None

    def close(self) -> None:
        """Close the child."""
        self._child.close()


class GroupByWindow(Node):
    """``group_by_window``: windows of elements of equal key, each reduced to a data set.

    Args:
        child: elements.
        key: function of an element; gives an int64 scalar.
        reduce: function of a key and the data set of a window; gives a data set.
        width: function of a key; elements in its windows.
        wrap: makes a public data set of a node.
    """

    def __init__(
        self, child: Node, key: Callable, reduce: Callable, width: Callable[[Any], int], wrap: Callable[[Node], Any]
    ) -> None:
        super().__init__(child)
        self._key = ElementFunction(key, "Dataset.group_by_window(key_func=)")
        self._reduce, self._width, self._wrap = reduce, width, wrap

    def make_spec(self) -> Any:
        """Spec of what a window is reduced to."""
        cursor = _GroupCursor(self, Scope.new())
        try:
            first = cursor.advance()
            return self.children[0].spec if first is None else first.spec
        finally:
            cursor.close()

    def size(self) -> int:
        """Not known."""
        return UNKNOWN

    def stream(self, scope: Scope) -> Cursor:
        """Elements of the reduced windows."""
        return _GroupCursor(self, scope)

    def keys(self, block: Block, seed: int, first: int) -> list[int]:
        """Keys of all elements of a block."""
        found = self._key.apply(block, seed, np.arange(first, first + block.count))
        return [int(key) for key in must_stack(found.columns[0], "group_by_window").reshape(block.count).tolist()]

    def width_of(self, key: int) -> int:
        """Elements in the windows of a key."""
        return self._width(np.int64(key))

    def reduced(self, key: int, elements: list[Block]) -> Node:
        """What a window is reduced to."""
        return self._reduce(np.int64(key), self._wrap(Held(join(elements), self.children[0].spec)))


class _GroupCursor(Cursor):
    def __init__(self, node: GroupByWindow, scope: Scope) -> None:
        self._node, self._scope = node, scope
        self._child = node.children[0].open(scope.at(0))
        self._seed = scope.seed(0)
        self._groups: dict[int, list[Block]] = {}
        self._widths: dict[int, int] = {}
        self._pending: deque[tuple[int, Block]] = deque()
        self._first = 0
        self._emitted = 0
        self._open: Cursor | None = None
        self._ended = False

    def block(self, limit: int) -> Block | None:
        """The next elements."""
        while True:
            if self._open is not None:
                found = self._open.block(limit)
                if found is not None:
                    return found
                self._open.close()
                self._open = None
            if self.advance() is None:
                return None

    def advance(self) -> Node | None:
        """Read on until a window is full; what it is reduced to, None at the end."""
        while True:
            while self._pending:
                key, element = self._pending.popleft()
                if (node := self._grow(key, element)) is not None:
                    return node
            if self._ended:
                return self._emit(min(self._groups)) if self._groups else None
            block = self._child.block(64)
            if block is None:
                self._ended = True
                continue
            keys = self._node.keys(block, self._seed, self._first)
            self._first += block.count
            self._pending.extend((key, block.cut(place, place + 1)) for place, key in enumerate(keys))

    def _grow(self, key: int, element: Block) -> Node | None:
        group = self._groups.setdefault(key, [])
        if not group:
            self._widths[key] = self._node.width_of(key)
            if self._widths[key] < 1:
                raise ValueError(f"group_by_window(): the window size must be at least 1, for key {key} it is not.")
        group.append(element)
        return None if len(group) < self._widths[key] else self._emit(key)

    def _emit(self, key: int) -> Node:
        self._emitted += 1
        node = self._node.reduced(key, self._groups.pop(key))
        self._open = node.open(self._scope.inner(self._emitted))
        return node

    def close(self) -> None:
        """Close what is open."""
        if self._open is not None:
            self._open.close()
        self._child.close()


class Buckets(Node):
    """``bucket_by_sequence_length``: batches of elements of like length.

    Args:
        child: elements.
        length: function of an element; gives its length.
        bounds: upper bounds of the buckets, not included.
        sizes: elements in a batch, per bucket; one more than bounds.
        shapes: padded shapes, see ``PaddedBatch``.
        values: padding values.
        to_bound: fill unknown sizes up to the bucket's bound less 1.
        padding: False to batch without padding.
        drop_remainder: leave out batches that are not full.
    """

    def __init__(
        self,
        child: Node,
        length: Callable,
        bounds: list[int],
        sizes: list[int],
        shapes: Any,
        values: Any,
        to_bound: bool,
        padding: bool,
        drop_remainder: bool,
    ) -> None:
        super().__init__(child)
        if len(sizes) != len(bounds) + 1:
            raise ValueError(
                explain(
                    "bucket_by_sequence_length() needs a batch size for each bucket.",
                    expected=f"{len(bounds) + 1} sizes for {len(bounds)} bounds",
                    received=f"{len(sizes)}",
                )
            )
        self._length = ElementFunction(length, "Dataset.bucket_by_sequence_length()")
        self.bounds, self.sizes = list(bounds), list(sizes)
        self._shapes, self._values = shapes, values
        self._to_bound, self._padding, self.drop = to_bound, padding, drop_remainder
        self._fillers: dict[int, PaddedBatch] = {}

    def make_spec(self) -> Any:
        """Elements with an axis more."""
        if self._padding and self._shapes is not None:
            return PaddedBatch(self.children[0], 1, self._shapes, self._values, False).spec
        return batched_spec(self.children[0].spec, None)

    def size(self) -> int:
        """Not known."""
        return INFINITE if self.children[0].size() == INFINITE else UNKNOWN

    def buckets(self, block: Block, seed: int, first: int) -> list[int]:
        """Bucket of each element of a block."""
        found = self._length.apply(block, seed, np.arange(first, first + block.count))
        lengths = must_stack(found.columns[0], "bucket_by_sequence_length").reshape(block.count)
        return np.searchsorted(self.bounds, lengths, side="right").tolist()

    def batch(self, bucket: int, block: Block) -> Block:
        """One batch."""
        if not self._padding:
            return Block(block.skeleton, [must_stack(column)[None] for column in block.columns], 1)
        filler = self._fillers.get(bucket)
        if filler is None:
            shapes = self._shapes
            if self._to_bound:
                if bucket == len(self.bounds):
                    raise ValueError(
                        "bucket_by_sequence_length(): with pad_to_bucket_boundary=True all elements must be "
                        "shorter than "
                        f"the last boundary ({self.bounds[-1]})."
                    )
                shapes = self._bounded(block, bucket)
            filler = self._fillers[bucket] = PaddedBatch(self.children[0], 1, shapes, self._values, False)
        return filler.batch(block)

    def _bounded(self, block: Block, bucket: int) -> Any:
        spec = self.children[0].spec
        shapes = shape_leaves(spec, self._shapes) if self._shapes is not None else [None] * len(block.columns)
        found = []
        for leaf, shape in zip(trees.flatten(spec), shapes, strict=True):
            given = tuple(leaf.shape) if shape is None else tuple(shape)
            found.append([self.bounds[bucket] - 1 if size is None else size for size in given])
        # Shapes are leaves here: as TensorShape they are not walked into.
        return trees.pack(block.skeleton, [TensorSpec(shape).shape for shape in found])

    def stream(self, scope: Scope) -> Cursor:
        """Batches as they get full."""
        return _BucketCursor(self, self.children[0].open(scope.at(0)), scope.seed(0))


class _BucketCursor(Cursor):
    def __init__(self, node: Buckets, child: Cursor, seed: int) -> None:
        self._node, self._child, self._seed = node, child, seed
        self._held: dict[int, list[Block]] = {}
        self._pending: deque[tuple[int, Block]] = deque()
        self._first = 0
        self._ended = False

    def block(self, limit: int) -> Block | None:
        """The next batch."""
        node = self._node
        while True:
            while self._pending:
                bucket, element = self._pending.popleft()
                group = self._held.setdefault(bucket, [])
                group.append(element)
                if len(group) == node.sizes[bucket]:
                    return node.batch(bucket, join(self._held.pop(bucket)))
            if self._ended:
                if node.drop or not self._held:
                    return None
                bucket = min(self._held)
                return node.batch(bucket, join(self._held.pop(bucket)))
            block = self._child.block(64)
            if block is None:
                self._ended = True
                continue
            buckets = node.buckets(block, self._seed, self._first)
            self._first += block.count
            self._pending.extend((bucket, block.cut(i, i + 1)) for i, bucket in enumerate(buckets))

    def close(self) -> None:
        """Close the child."""
        self._child.close()
