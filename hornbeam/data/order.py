"""Which elements, and how often: repeat, take, skip, shard, concatenate."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.core.spec import TensorSpec
from hornbeam.data.blocks import Block, join
from hornbeam.data.plan import ENDLESS, INFINITE, UNKNOWN, Cursor, Indexed, Node, Scope, Wrapped
from hornbeam.data.structure import RowSpec


# --- repeat --------------------------------------------------------------------------------------
class _RepeatedRows(Wrapped):
    def rows(self, places: np.ndarray) -> Block:
        """Elements of any pass."""
        return self.inner.rows(places % self.inner.size)


class Repeat(Node):
    """``repeat``; a count of None or -1 has no end."""

    def __init__(self, child: Node, count: int | None) -> None:
        super().__init__(child)
        self.count = None if count is None or count < 0 else count

    def make_spec(self) -> Any:
        """That of the elements."""
        return self.children[0].spec

    def size(self) -> int:
        """Product of both."""
        size = self.children[0].size()
        if self.count == 0 or size == 0:
            return 0
        if self.count is None or size == INFINITE:
            return INFINITE
        return UNKNOWN if size == UNKNOWN else size * self.count

    def indexed(self, scope: Scope) -> Indexed | None:
        """All passes in one, if they are alike."""
        rows = self.children[0].indexed(scope.at(0))
        if rows is None or rows.changes:
            return None
        size = ENDLESS if self.count is None and rows.size else (self.count or 0) * rows.size
        return _RepeatedRows(rows, min(size, ENDLESS))

    def stream(self, scope: Scope) -> Cursor:
        """Pass after pass."""
        return _RepeatCursor(self.children[0], scope.at(0), self.count)


class _RepeatCursor(Cursor):
    def __init__(self, child: Node, scope: Scope, count: int | None) -> None:
        self._child, self._scope = child, scope
        self._left = count
        self._cursor: Cursor | None = None
        self._gave = False

    def block(self, limit: int) -> Block | None:
        """The next elements."""
        while self._ready():
            assert self._cursor is not None
            found = self._cursor.block(limit)
            if found is not None:
                self._gave = True
                return found
            self._next_pass()
        return None

    def _ready(self) -> bool:
        if self._cursor is None:
            if self._left == 0:
                return False
            self._cursor = self._child.open(self._scope)
            self._gave = False
        return True

    def _next_pass(self) -> None:
        assert self._cursor is not None
        self._cursor.close()
        self._cursor = None
        if self._left is not None:
            self._left -= 1
        if not self._gave:
            self._left = 0  # an empty data set, however often

    def skip(self, count: int) -> int:
        """Pass over elements, and over whole passes."""
        done = 0
        while done < count and self._ready():
            assert self._cursor is not None
            passed = self._cursor.skip(count - done)
            self._gave = self._gave or passed > 0
            done += passed
            if done < count:
                self._next_pass()
        return done

    def close(self) -> None:
        """Close the pass under way."""
        if self._cursor is not None:
            self._cursor.close()


# --- parts ---------------------------------------------------------------------------------------
class _PartRows(Wrapped):
    """Every ``step``-th element from ``start`` on."""

    def __init__(self, rows: Indexed, start: int, step: int, size: int) -> None:
        super().__init__(rows, max(0, size))
        self._start, self._step = start, step

    def rows(self, places: np.ndarray) -> Block:
        """Elements of the part."""
        return self.inner.rows(places * self._step + self._start)


class Part(Node):
    """``take``, ``skip`` and ``shard``: of every ``step`` elements from ``start`` on one, at most ``count`` of them."""

    def __init__(self, child: Node, start: int, step: int, count: int) -> None:
        super().__init__(child)
        self.start, self.step, self.count = start, step, count

    def make_spec(self) -> Any:
        """That of the elements."""
        return self.children[0].spec

    def _of(self, size: int) -> int:
        return min(self.count, max(0, -(-(size - self.start) // self.step)))

    def size(self) -> int:
        """What is left of them."""
        size = self.children[0].size()
        if size == INFINITE:
            return INFINITE if self.count >= ENDLESS else self.count
        if size == UNKNOWN:
            return 0 if self.count == 0 else UNKNOWN
        return self._of(size)

    def indexed(self, scope: Scope) -> Indexed | None:
        """Elements of the part."""
        rows = self.children[0].indexed(scope.at(0))
        if rows is None:
            return None
        return _PartRows(rows, self.start, self.step, self._of(rows.size))

    def stream(self, scope: Scope) -> Cursor:
        """One pass."""
        return _PartCursor(self.children[0].open(scope.at(0)), self.start, self.step, self.count)


class _PartCursor(Cursor):
    def __init__(self, child: Cursor, start: int, step: int, count: int) -> None:
        self._child, self._wait, self._step, self._left = child, start, step, count

    def block(self, limit: int) -> Block | None:
        """The next elements of the part."""
        limit = min(limit, self._left)
        if limit <= 0:
            return None
        if self._wait:
            self._child.skip(self._wait)
            self._wait = 0
        if self._step == 1:
            found = self._child.block(limit)
        else:
            found = self._child.block(1)
            self._wait = self._step - 1
        if found is not None:
            self._left -= found.count
        return found

    def skip(self, count: int) -> int:
        """Pass over elements."""
        if self._step > 1:
            return super().skip(count)
        passed = self._child.skip(self._wait)
        if passed < self._wait:
            return 0
        self._wait = 0
        done = self._child.skip(min(count, self._left))
        self._left -= done
        return done

    def close(self) -> None:
        """Close the child."""
        self._child.close()


class _JoinedRows(Indexed):
    def __init__(self, first: Indexed, second: Indexed) -> None:
        self._first, self._second = first, second
        self.size = min(ENDLESS, first.size + second.size)
        self.parallel = max(first.parallel, second.parallel)
        self.changes = first.changes or second.changes
        self.settled = first.settled and second.settled

    @property
    def skeleton(self) -> Any:
        """That of the elements."""
        return self._first.skeleton

    def structs(self) -> list[Any] | None:
        """Those of both, if they are alike."""
        one, other = self._first.structs(), self._second.structs()
        if one is None or other is None:
            return None
        alike = all(a.shape == b.shape and a.dtype == b.dtype for a, b in zip(one, other, strict=True))
        return one if alike else None

    @property
    def cheap(self) -> bool:
        """If both are."""
        return self._first.cheap and self._second.cheap

    def rows(self, places: np.ndarray) -> Block:
        """Elements of either."""
        late = places >= self._first.size
        if not late.any():
            return self._first.rows(places)
        if late.all():
            return self._second.rows(places - self._first.size)
        both = join([self._first.rows(places[~late]), self._second.rows(places[late] - self._first.size)])
        back = np.empty(len(places), np.int64)
        back[np.concatenate([np.flatnonzero(~late), np.flatnonzero(late)])] = np.arange(len(places))
        return both.take(back)


class Concatenate(Node):
    """``concatenate``: one data set after another."""

    def __init__(self, first: Node, second: Node) -> None:
        super().__init__(first, second)

    def make_spec(self) -> Any:
        """What both have in common."""
        one, other = (child.spec for child in self.children)
        if not trees.same_structure(one, other):
            raise TypeError(f"Dataset.concatenate(): the elements differ in structure: {one} and {other}.")
        return trees.map_structure(_common_spec, one, other)

    def size(self) -> int:
        """Sum of both."""
        sizes = [child.size() for child in self.children]
        if INFINITE in sizes:
            return INFINITE
        return UNKNOWN if UNKNOWN in sizes else sum(sizes)

    def indexed(self, scope: Scope) -> Indexed | None:
        """Elements of either."""
        first = self.children[0].indexed(scope.at(0))
        second = self.children[1].indexed(scope.at(1)) if first is not None else None
        return _JoinedRows(first, second) if first is not None and second is not None else None

    def stream(self, scope: Scope) -> Cursor:
        """The first, then the second."""
        return _ConcatenateCursor([(child, scope.at(place)) for place, child in enumerate(self.children)])


def _common_spec(one: Any, other: Any) -> Any:
    if not isinstance(one, TensorSpec) or not isinstance(other, TensorSpec):
        return one
    if one.dtype != other.dtype:
        raise TypeError(f"Dataset.concatenate(): the elements differ in dtype: {one.dtype} and {other.dtype}.")
    if one.shape.rank is None or other.shape.rank is None or len(one.shape) != len(other.shape):
        return TensorSpec(None, one.dtype)
    kind = RowSpec if isinstance(one, RowSpec) and isinstance(other, RowSpec) else TensorSpec
    return kind([a if a == b else None for a, b in zip(one.shape, other.shape, strict=True)], one.dtype)


class _ConcatenateCursor(Cursor):
    def __init__(self, parts: list[tuple[Node, Scope]]) -> None:
        self._parts = parts
        self._cursor: Cursor | None = None

    def _ready(self) -> bool:
        if self._cursor is None:
            if not self._parts:
                return False
            node, scope = self._parts.pop(0)
            self._cursor = node.open(scope)
        return True

    def block(self, limit: int) -> Block | None:
        """The next elements."""
        while self._ready():
            assert self._cursor is not None
            found = self._cursor.block(limit)
            if found is not None:
                return found
            self.close()
            self._cursor = None
        return None

    def skip(self, count: int) -> int:
        """Pass over elements."""
        done = 0
        while done < count and self._ready():
            assert self._cursor is not None
            done += self._cursor.skip(count - done)
            if done < count:
                self.close()
                self._cursor = None
        return done

    def close(self) -> None:
        """Close the part under way."""
        if self._cursor is not None:
            self._cursor.close()
