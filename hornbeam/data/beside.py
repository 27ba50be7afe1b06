"""Elements side by side: zip and enumerate."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, trees
from hornbeam.core.spec import TensorSpec
from hornbeam.data.blocks import Block
from hornbeam.data.plan import ENDLESS, INFINITE, UNKNOWN, Carry, Cursor, Indexed, IndexedCursor, Node, Scope


def _nested(skeleton: Any, inner: list[Any]) -> Any:
    return trees.pack(skeleton, inner)


class _ZippedRows(Indexed):
    def __init__(self, skeleton: Any, parts: list[Indexed]) -> None:
        self._outer, self._parts = skeleton, parts
        self.size = min(part.size for part in parts)
        self.parallel = max(part.parallel for part in parts)
        self.changes = any(part.changes for part in parts)
        self.settled = all(part.settled for part in parts)

    @property
    def skeleton(self) -> Any:
        """Elements of the parts, nested."""
        return _nested(self._outer, [part.skeleton for part in self._parts])

    def structs(self) -> list[Any] | None:
        """Those of all parts."""
        found = [part.structs() for part in self._parts]
        if any(structs is None for structs in found):
            return None
        return [struct for structs in found for struct in structs or ()]

    @property
    def cheap(self) -> bool:
        """If all are."""
        return all(part.cheap for part in self._parts)

    def rows(self, places: np.ndarray) -> Block:
        """Elements of all parts."""
        blocks = [part.rows(places) for part in self._parts]
        return _side_by_side(self._outer, blocks)


def _side_by_side(outer: Any, blocks: list[Block]) -> Block:
    skeleton = _nested(outer, [block.skeleton for block in blocks])
    return Block(skeleton, [column for block in blocks for column in block.columns], blocks[0].count)


class Zip(Node):
    """``zip``: elements of several data sets side by side, as long as all have some."""

    def __init__(self, skeleton: Any, children: list[Node]) -> None:
        super().__init__(*children)
        self._skeleton = skeleton

    def make_spec(self) -> Any:
        """Specs of all, nested."""
        return trees.pack(self._skeleton, [child.spec for child in self.children])

    def size(self) -> int:
        """That of the shortest."""
        sizes = [child.size() for child in self.children]
        finite = [size for size in sizes if size >= 0]
        if 0 in finite:
            return 0
        if UNKNOWN in sizes:
            return UNKNOWN
        return min(finite) if finite else INFINITE

    def indexed(self, scope: Scope) -> Indexed | None:
        """Elements by number, if all offer them."""
        parts = []
        for place, child in enumerate(self.children):
            found = child.indexed(scope.at(place))
            if found is None:
                return None
            parts.append(found)
        return _ZippedRows(self._skeleton, parts)

    def stream(self, scope: Scope) -> Cursor:
        """One pass over all."""
        cursors = [child.open(scope.at(place)) for place, child in enumerate(self.children)]
        return _ZipCursor(self._skeleton, cursors)


class _ZipCursor(Cursor):
    def __init__(self, skeleton: Any, cursors: list[Cursor]) -> None:
        self._skeleton = skeleton
        self._parts = [Carry(cursor, 1) for cursor in cursors]

    def block(self, limit: int) -> Block | None:
        """The next elements: as many as each part has at hand."""
        blocks: list[Block] = []
        for part in self._parts:
            found = part.next(limit)
            if found is None:
                return None
            limit = min(limit, found.count)
            blocks.append(found)
        for part, block in zip(self._parts, blocks, strict=True):
            part.give_back(block.count - limit)
        return _side_by_side(self._skeleton, [block.cut(0, limit) for block in blocks])

    def skip(self, count: int) -> int:
        """Pass over elements of all parts."""
        return min(part.skip(count) for part in self._parts)

    def close(self) -> None:
        """Close all parts."""
        for part in self._parts:
            part.close()


class _Counted(Indexed):
    def __init__(self, start: int, size: int) -> None:
        self._start, self.size = start, size

    def structs(self) -> list[Any]:
        """A number."""
        return [jax.ShapeDtypeStruct((), np.dtype(np.int64))]

    def rows(self, places: np.ndarray) -> Block:
        """Numbers of elements."""
        return Block(0, [places.astype(np.int64) + self._start], len(places))


class Enumerate(Node):
    """``enumerate``: pairs of number and element."""

    def __init__(self, child: Node, start: int) -> None:
        super().__init__(child)
        self._start = start

    def make_spec(self) -> Any:
        """A number beside the element."""
        return (TensorSpec((), dtypes.int64), self.children[0].spec)

    def size(self) -> int:
        """As many as before."""
        return self.children[0].size()

    def indexed(self, scope: Scope) -> Indexed | None:
        """Pairs."""
        rows = self.children[0].indexed(scope.at(0))
        return None if rows is None else _ZippedRows((0, 0), [_Counted(self._start, rows.size), rows])

    def stream(self, scope: Scope) -> Cursor:
        """One pass."""
        numbers = IndexedCursor(_Counted(self._start, ENDLESS))
        return _ZipCursor((0, 0), [numbers, self.children[0].open(scope.at(0))])
