"""``cache``: elements kept in memory once they were made."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from hornbeam.data.blocks import Block, join, stacked
from hornbeam.data.plan import ENDLESS, Cursor, Indexed, Node, Scope, Wrapped
from hornbeam.data.sources import ArrayRows
from hornbeam.data.structure import column_struct


def rows_of_block(block: Block) -> ArrayRows:
    """The elements of a block by number."""
    structs = [column_struct(column) for column in block.columns]
    return ArrayRows(block, None if any(struct is None for struct in structs) else structs)


class _CachedRows(Wrapped):
    """Elements by number, made when first asked for."""

    def __init__(self, inner: Indexed, owner: Cache) -> None:
        super().__init__(inner, inner.size)
        self._owner = owner
        self.changes = False

    def rows(self, places: np.ndarray) -> Block:
        """Some elements."""
        return self._owner.rows(self.inner, places)


class Cache(Node):
    """``cache`` in memory."""

    def __init__(self, child: Node) -> None:
        super().__init__(child)
        self._whole: Block | None = None
        self._lock = threading.Lock()
        self._columns: list[Any] | None = None
        self._skeleton: Any = 0
        self._known: np.ndarray | None = None
        self._missing = 0

    def make_spec(self) -> Any:
        """That of the elements."""
        return self.children[0].spec

    def size(self) -> int:
        """As many as before."""
        return self.children[0].size()

    def indexed(self, scope: Scope) -> Indexed | None:
        """Elements by number: those that are kept, or made when asked for."""
        if self._whole is not None:
            return rows_of_block(self._whole)
        rows = self.children[0].indexed(scope.at(0))
        if rows is None or rows.size >= ENDLESS:
            return None
        return rows if isinstance(rows, ArrayRows) else _CachedRows(rows, self)

    def stream(self, scope: Scope) -> Cursor:
        """Elements in order, kept on the way."""
        return _CacheCursor(self.children[0].open(scope.at(0)), self)

    def keep(self, block: Block) -> None:
        """Keep all elements."""
        columns = [column if (found := stacked(column)) is None else found for column in block.columns]
        self._whole = Block(block.skeleton, columns, block.count)

    def rows(self, inner: Indexed, places: np.ndarray) -> Block:
        """Elements by number, the unknown ones made now."""
        with self._lock:
            if self._known is None:
                self._known = np.zeros(inner.size, bool)
                self._missing = inner.size
            known = self._known
            unknown = np.unique(places[~known[places]])
        if len(unknown):
            made = inner.rows(unknown)
            with self._lock:
                self._store(unknown, made, inner.size)
        with self._lock:
            assert self._columns is not None
            columns = [
                column[places] if isinstance(column, np.ndarray) else [column[place] for place in places.tolist()]
                for column in self._columns
            ]
        return Block(self._skeleton, columns, len(places))

    def _store(self, places: np.ndarray, made: Block, size: int) -> None:
        if self._columns is None:
            self._skeleton = made.skeleton
            self._columns = [
                np.empty((size, *column.shape[1:]), column.dtype) if isinstance(column, np.ndarray) else [None] * size
                for column in made.columns
            ]
        assert self._known is not None
        for number, (kept, column) in enumerate(zip(self._columns, made.columns, strict=True)):
            fits = isinstance(column, np.ndarray) and isinstance(kept, np.ndarray)
            if fits and column.shape[1:] == kept.shape[1:] and column.dtype == kept.dtype:
                kept[places] = column
                continue
            if isinstance(kept, np.ndarray):  # elements turn out to differ in shape
                kept = self._columns[number] = list(kept)
            for place, item in zip(places.tolist(), column, strict=True):
                kept[place] = item
        self._missing -= int((~self._known[places]).sum())
        self._known[places] = True
        if not self._missing:
            self.keep(Block(self._skeleton, self._columns, size))


class _CacheCursor(Cursor):
    def __init__(self, child: Cursor, owner: Cache) -> None:
        self._child, self._owner = child, owner
        self._parts: list[Block] = []

    def block(self, limit: int) -> Block | None:
        """The next elements."""
        found = self._child.block(limit)
        if found is not None:
            self._parts.append(found)
        elif self._parts:
            # Only a pass that came to the end is kept.
            self._owner.keep(join(self._parts))
            self._parts = []
        return found

    def close(self) -> None:
        """Close the child; a pass cut short is not kept."""
        self._parts = []
        self._child.close()
