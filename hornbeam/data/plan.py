"""The plan of a data set: nodes that know how to be read, and what one pass over them needs.

- ``Node``: one step (a source, a map, a shuffle ...) and the nodes before it. Holds no state of a pass.
- ``Cursor``: one pass over a node, read in blocks.
- ``Indexed``: the elements of one pass by their number, in any order. Nodes that can offer it let a shuffle draw
  numbers instead of elements.
- ``Run`` and ``Scope``: where the random numbers of a pass come from. A pass can be made again from ``Run.state()``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from hornbeam.core.random_state import pass_seed
from hornbeam.data.blocks import Block
from hornbeam.data.threads import Ahead

INFINITE = -1
UNKNOWN = -2
ENDLESS = 2**60
"""Size of what has no end."""
BLOCK_BYTES = 4 << 20
"""Bytes that a block of a cheap pipeline may take."""
_MASK = 2**64 - 1


def mix(*parts: int) -> int:
    """A hash of integers, 64 bits (splitmix64)."""
    state = 0x9E3779B97F4A7C15
    for part in parts:
        state = (state ^ (part & _MASK)) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


class Run:
    """Random numbers of one iterator: which pass of each node it makes, and a seed for nodes that have none.

    Args:
        state: what ``state()`` of an earlier run gave, to make the same passes again.
    """

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        self._entropy: int | None = state["entropy"] if state else None
        self._first: dict[str, int] = dict(state["passes"]) if state else {}
        self._next: dict[str, int] = {}

    @property
    def entropy(self) -> int:
        """Seed of everything that has no seed of its own."""
        if self._entropy is None:
            self._entropy = pass_seed()
        return self._entropy

    def number(self, path: str, node: Node) -> int:
        """Number of the pass over a node that begins now; the node counts its passes over all iterators."""
        number = self._next.get(path)
        if number is None:
            number = self._first.setdefault(path, node.passes)
        self._next[path] = number + 1
        node.passes = max(node.passes, number + 1)
        return number

    def state(self) -> dict[str, Any]:
        """What makes the same passes again; plain Python values."""
        return {"entropy": self.entropy, "passes": dict(self._first)}


class _InnerRun(Run):
    """Random numbers of a data set within a data set: they follow from its number, whatever was read before."""

    def __init__(self, seed: int, ordinal: int) -> None:
        super().__init__({"entropy": seed, "passes": {}})
        self._ordinal = ordinal

    def number(self, path: str, node: Node) -> int:
        """Numbers that passes of other elements do not share."""
        number = self._next.get(path, self._ordinal << 20)
        self._next[path] = number + 1
        return number


class Scope:
    """A place in the plan during one run.

    Args:
        run: the run.
        path: from the last node to this one.
    """

    __slots__ = ("path", "run")

    def __init__(self, run: Run, path: str = "") -> None:
        self.run = run
        self.path = path

    def at(self, key: int | str) -> Scope:
        """The place of a child."""
        return Scope(self.run, f"{self.path}.{key}")

    @classmethod
    def new(cls) -> Scope:
        """The last node of a run of its own."""
        return cls(Run())

    def inner(self, ordinal: int) -> Scope:
        """The last node of a data set that a function made of an element, or of several."""
        return Scope(_InnerRun(self.seed(ordinal), ordinal))

    def number(self, node: Node) -> int:
        """Number of the pass over ``node`` that begins now."""
        return self.run.number(self.path, node)

    def seed(self, *parts: int) -> int:
        """A seed for this place that differs between runs, unless the process seed says otherwise."""
        return mix(self.run.entropy, *map(ord, self.path), *parts)


class Cursor(ABC):
    """One pass over a node."""

    @abstractmethod
    def block(self, limit: int) -> Block | None:
        """The next elements, at least one and at most ``limit``; fewer where more would be dear. None at the end."""

    def skip(self, count: int) -> int:
        """Pass over elements; returns how many there were to pass over."""
        done = 0
        while done < count:
            block = self.block(count - done)
            if block is None:
                break
            done += block.count
        return done

    def close(self) -> None:  # noqa: B027 - most cursors hold nothing
        """Stop threads, close files."""


class Indexed(ABC):
    """Elements of a pass by number.

    Attributes:
        size: number of elements.
        skeleton: containers of an element.
        parallel: threads that may compute elements at the same time.
        changes: two passes differ (random numbers are drawn).
        settled: nothing that may change between two passes is read (variables).
    """

    size: int
    parallel = 1
    changes = False
    settled = True

    @abstractmethod
    def rows(self, places: np.ndarray) -> Block:
        """The elements of these numbers."""

    def structs(self) -> list[Any] | None:
        """Shape and dtype of each leaf, if all elements are numeric, alike and cheap; else None."""
        return None

    @property
    def cheap(self) -> bool:
        """True if many elements at once cost little more than one."""
        return self.structs() is not None

    @property
    def skeleton(self) -> Any:
        """Containers of an element; known where ``structs`` is."""
        return 0


class Wrapped(Indexed):
    """Elements that are those of other ones, under other numbers.

    Args:
        inner: the other ones.
        size: how many there are.
    """

    def __init__(self, inner: Indexed, size: int) -> None:
        self.inner, self.size = inner, size
        self.parallel, self.changes, self.settled = inner.parallel, inner.changes, inner.settled

    @property
    def skeleton(self) -> Any:
        """That of the elements."""
        return self.inner.skeleton

    @property
    def cheap(self) -> bool:
        """As the elements."""
        return self.inner.cheap

    def structs(self) -> list[Any] | None:
        """Those of the elements."""
        return self.inner.structs()


class Node(ABC):
    """One step of a plan.

    Args:
        *children: the steps before it.
    """

    def __init__(self, *children: Node) -> None:
        self.children = children
        self.passes = 0
        self.guessed = False

    @abstractmethod
    def make_spec(self) -> Any:
        """Spec of an element, worked out when first asked for."""

    @cached_property
    def spec(self) -> Any:
        """Spec of an element."""
        return self.make_spec()

    @abstractmethod
    def size(self) -> int:
        """Number of elements, ``INFINITE`` or ``UNKNOWN``."""

    def indexed(self, scope: Scope) -> Indexed | None:
        """The elements of one pass by number, if they can be had in any order."""
        return None

    @abstractmethod
    def stream(self, scope: Scope) -> Cursor:
        """One pass, for nodes whose elements come in order only."""

    def open(self, scope: Scope) -> Cursor:
        """Begin a pass."""
        found = self.indexed(scope)
        return IndexedCursor(found) if found is not None else self.stream(scope)


class IndexedNode(Node):
    """A step whose elements can always be had by number."""

    def stream(self, scope: Scope) -> Cursor:
        """One pass in order."""
        found = self.indexed(scope)
        if found is None:
            raise AssertionError(f"{type(self).__name__} offers no elements by number")
        return IndexedCursor(found)


def block_rows(structs: list[Any] | None) -> int:
    """Elements of these shapes that a block may hold."""
    width = sum(int(np.prod(struct.shape)) * struct.dtype.itemsize for struct in structs or ())
    return max(1, BLOCK_BYTES // max(width, 64))


class Numbers(ABC):
    """Numbers of elements in the order in which a pass takes them."""

    @abstractmethod
    def next(self, limit: int) -> np.ndarray:
        """The next ones, at most ``limit``; none at the end."""

    @abstractmethod
    def skip(self, count: int) -> int:
        """Pass over some; returns how many there were."""


class InOrder(Numbers):
    """0, 1, 2 ... up to a size."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._place = 0

    def next(self, limit: int) -> np.ndarray:
        """The next numbers."""
        stop = min(self._size, self._place + limit)
        found = np.arange(self._place, stop)
        self._place = stop
        return found

    def skip(self, count: int) -> int:
        """Pass over numbers."""
        done = min(count, self._size - self._place)
        self._place += done
        return done


class IndexedCursor(Cursor):
    """One pass over elements that are got by number.

    Args:
        indexed: the elements.
        numbers: their order; by default as they lie.
    """

    def __init__(self, indexed: Indexed, numbers: Numbers | None = None) -> None:
        self._indexed = indexed
        self._numbers = numbers if numbers is not None else InOrder(indexed.size)
        self._most = block_rows(indexed.structs()) if indexed.cheap else 1
        self._ahead = Ahead(indexed.parallel) if not indexed.cheap and indexed.parallel > 1 else None
        self._rest = np.empty(0, np.int64)

    def block(self, limit: int) -> Block | None:
        """The next elements."""
        if self._ahead is not None:
            return self._parallel()
        if not len(self._rest):
            self._rest = self._numbers.next(limit)
        if not len(self._rest):
            return None
        count = min(limit, self._most)
        places, self._rest = self._rest[:count], self._rest[count:]
        return self._indexed.rows(places)

    def _parallel(self) -> Block | None:
        ahead, indexed = self._ahead, self._indexed
        assert ahead is not None
        while ahead.wants_more():
            places = self._numbers.next(1)
            if not len(places):
                break
            ahead.submit(indexed.rows, places)
        return ahead.next()

    def skip(self, count: int) -> int:
        """Pass over elements without computing them."""
        waiting = min(count, len(self._rest))
        self._rest = self._rest[waiting:]
        if self._ahead is not None:
            waiting += self._ahead.drop(count - waiting)
        return waiting + self._numbers.skip(count - waiting)

    def close(self) -> None:
        """Stop the threads."""
        if self._ahead is not None:
            self._ahead.close()


class Carry:
    """Elements of a cursor one at a time, or a given number at a time, whatever its blocks are."""

    def __init__(self, cursor: Cursor, limit: int = 64) -> None:
        self.cursor = cursor
        self._limit = limit
        self._block: Block | None = None
        self._place = 0

    def next(self, limit: int) -> Block | None:
        """Up to ``limit`` elements; None at the end."""
        block = self._block
        if block is None or self._place >= block.count:
            block = self._block = self.cursor.block(max(limit, self._limit))
            self._place = 0
            if block is None:
                return None
        start = self._place
        self._place = min(block.count, start + limit)
        return block.cut(start, self._place)

    def element(self) -> tuple[Any, list[Any]] | None:
        """Skeleton and leaves of one element; None at the end."""
        block = self._block
        if block is None or self._place >= block.count:
            block = self._block = self.cursor.block(self._limit)
            self._place = 0
            if block is None:
                return None
        leaves = block.leaves(self._place)
        self._place += 1
        return block.skeleton, leaves

    def give_back(self, count: int) -> None:
        """Take back the last elements that were given."""
        self._place -= count

    def elements(self) -> Iterator[tuple[Any, list[Any]]]:
        """All elements that are left."""
        while (found := self.element()) is not None:
            yield found

    def skip(self, count: int) -> int:
        """Pass over elements."""
        held = 0
        if self._block is not None:
            held = min(count, self._block.count - self._place)
            self._place += held
        return held + (self.cursor.skip(count - held) if count > held else 0)

    def close(self) -> None:
        """Close the cursor."""
        self.cursor.close()
