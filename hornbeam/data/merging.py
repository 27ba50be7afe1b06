"""Several data sets as one: flat_map, interleave, sample_from_datasets, choose_from_datasets; and unique."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.base.errors import explain
from hornbeam.data.blocks import Block
from hornbeam.data.functions import ElementFunction
from hornbeam.data.plan import INFINITE, UNKNOWN, Carry, Cursor, Node, Scope, mix
from hornbeam.data.specs import longer_elements, merged_spec
from hornbeam.data.structure import spec_of
from hornbeam.errors import InvalidArgumentError


def node_of(value: Any, where: str) -> Node:
    """The plan of a data set that a function returned.

    Raises:
        TypeError: it is none.
    """
    node = getattr(value, "_node", None)
    if not isinstance(node, Node):
        raise TypeError(
            explain(
                f"{where}: the function must return a Dataset.",
                expected="a tf.data.Dataset",
                received=f"{type(value).__name__}",
                fix="use map() for functions that return tensors, or wrap them: Dataset.from_tensors(...)",
            )
        )
    return node


class Interleave(Node):
    """``interleave`` and ``flat_map`` (one data set at a time).

    Args:
        child: elements.
        function: makes a data set of an element.
        cycle: data sets read in turn.
        length: elements taken from each in its turn.
        where: what the function was given to.
    """

    def __init__(self, child: Node, function: Callable, cycle: int, length: int, where: str) -> None:
        super().__init__(child)
        if cycle < 1 or length < 1:
            raise ValueError(
                f"{where}: `cycle_length` and `block_length` must be at least 1, not {cycle} and {length}."
            )
        self._function = ElementFunction(function, where)
        self.cycle, self.length, self._where = cycle, length, where

    def make_spec(self) -> Any:
        """Spec of the elements of the first data set; axes that follow unknown ones of the element are unknown."""
        cursor = self.children[0].open(Scope.new())
        try:
            block = cursor.block(1)
        finally:
            cursor.close()
        if block is None:
            return self.children[0].spec
        leaves = block.leaves(0)
        found = [self.inner(block.skeleton, leaves, 0).spec]
        for longer in longer_elements(self.children[0].spec, leaves):
            # A made-up element need not be a good one.
            with contextlib.suppress(Exception):
                found.append(self.inner(block.skeleton, longer, 0).spec)
        return merged_spec(found)

    def size(self) -> int:
        """Not known, unless there are none."""
        return self.children[0].size() if self.children[0].size() in (0, INFINITE) else UNKNOWN

    def inner(self, skeleton: Any, leaves: list[Any], seed: int) -> Node:
        """The plan of the data set for an element."""
        return node_of(self._function.raw(skeleton, leaves, seed), self._where)

    def stream(self, scope: Scope) -> Cursor:
        """Elements of all data sets."""
        child = self.children[0].open(scope.at(0))
        if self.cycle == 1:
            return _FlatCursor(self, child, scope)
        return _InterleaveCursor(self, child, scope)


class _Opener:
    """Opens the data sets of successive elements."""

    def __init__(self, node: Interleave, child: Cursor, scope: Scope) -> None:
        self._node, self._child, self._scope = node, Carry(child, 1), scope
        self._seed = scope.seed(0)
        self._ordinal = 0

    def next(self) -> Cursor | None:
        """A pass over the next data set."""
        found = self._child.element()
        if found is None:
            return None
        ordinal = self._ordinal
        self._ordinal += 1
        inner = self._node.inner(*found, mix(self._seed, ordinal))
        return inner.open(self._scope.inner(ordinal))

    def close(self) -> None:
        """Close the child."""
        self._child.close()


class _FlatCursor(Cursor):
    def __init__(self, node: Interleave, child: Cursor, scope: Scope) -> None:
        self._opener = _Opener(node, child, scope)
        self._open: Cursor | None = None

    def block(self, limit: int) -> Block | None:
        """The next elements."""
        while True:
            if self._open is None:
                self._open = self._opener.next()
                if self._open is None:
                    return None
            found = self._open.block(limit)
            if found is not None:
                return found
            self._open.close()
            self._open = None

    def close(self) -> None:
        """Close what is open."""
        if self._open is not None:
            self._open.close()
        self._opener.close()


class _InterleaveCursor(Cursor):
    """Reads some data sets in turn. A place whose data set has ended gets the next one when its turn comes again."""

    def __init__(self, node: Interleave, child: Cursor, scope: Scope) -> None:
        self._length = node.length
        self._opener = _Opener(node, child, scope)
        self._slots: list[Carry | None] = [None] * node.cycle
        self._turn = 0
        self._taken = 0
        self._ended = False

    def block(self, limit: int) -> Block | None:
        """The next elements."""
        idle = 0
        while idle <= len(self._slots):
            slot = self._slots[self._turn]
            if slot is None:
                slot = self._open_slot()
            if slot is None:
                idle += 1
                self._advance()
                continue
            found = slot.next(min(limit, self._length - self._taken))
            if found is not None:
                self._taken += found.count
                if self._taken >= self._length:
                    self._advance()
                return found
            slot.close()
            self._slots[self._turn] = None
            idle = 0
            self._advance()
        return None

    def _open_slot(self) -> Carry | None:
        if self._ended:
            return None
        cursor = self._opener.next()
        if cursor is None:
            self._ended = True
            return None
        slot = self._slots[self._turn] = Carry(cursor, self._length)
        return slot

    def _advance(self) -> None:
        self._turn = (self._turn + 1) % len(self._slots)
        self._taken = 0

    def close(self) -> None:
        """Close what is open."""
        for slot in self._slots:
            if slot is not None:
                slot.close()
        self._opener.close()


# --- chosen by numbers ---------------------------------------------------------------------------
class Choose(Node):
    """``choose_from_datasets`` and ``sample_from_datasets``: another data set says which one is next.

    Args:
        children: the data sets.
        chooser: begins one pass of choices: given a scope it returns a function of who is left.
        stop: end with the first data set that ends.
        where: name for messages.
    """

    def __init__(self, children: list[Node], chooser: Callable[[Scope], Any], stop: bool, where: str) -> None:
        super().__init__(*children)
        self._chooser, self._stop, self._where = chooser, stop, where

    def make_spec(self) -> Any:
        """That of the data sets."""
        return self.children[0].spec

    def size(self) -> int:
        """Infinite if all are, the sum if none stops the others; else not known."""
        sizes = [child.size() for child in self.children]
        if all(size == INFINITE for size in sizes) or (INFINITE in sizes and not self._stop):
            return INFINITE
        return UNKNOWN

    def stream(self, scope: Scope) -> Cursor:
        """Elements as chosen."""
        parts = [child.open(scope.at(place)) for place, child in enumerate(self.children)]
        return _ChooseCursor(parts, self._chooser(scope.at("choice")), self._stop, self._where)


class _ChooseCursor(Cursor):
    def __init__(self, parts: list[Cursor], chooser: Any, stop: bool, where: str) -> None:
        self._parts: list[Carry | None] = [Carry(part, 1) for part in parts]
        self._chooser, self._stop, self._where = chooser, stop, where

    def block(self, limit: int) -> Block | None:
        """The next element."""
        while any(part is not None for part in self._parts):
            number = self._chooser([part is not None for part in self._parts])
            if number is None:
                return None
            if not 0 <= number < len(self._parts):
                raise InvalidArgumentError(
                    None,
                    None,
                    f"{self._where}: number {number} was chosen, but there are {len(self._parts)} data sets.",
                )
            part = self._parts[number]
            if part is None:
                continue
            found = part.next(1)
            if found is not None:
                return found
            if self._stop:
                return None
            part.close()
            self._parts[number] = None
        return None

    def close(self) -> None:
        """Close all."""
        for part in self._parts:
            if part is not None:
                part.close()


def chooser_from_node(node: Node) -> Callable[[Scope], Any]:
    """Choices that a data set of int64 scalars makes."""

    def begin(scope: Scope) -> Any:
        cursor = Carry(node.open(scope))

        def choose(_: list[bool]) -> int | None:
            found = cursor.element()
            return None if found is None else int(found[1][0])

        return choose

    return begin


def chooser_from_weights(weights: Any, seed: int | None, rerandomize: bool) -> Callable[[Scope], Any]:
    """Random choices with given weights, of those data sets that have not ended.

    Args:
        weights: a number per data set, or a node that yields such lists.
        seed: seed, or None.
        rerandomize: other choices in each pass.
    """
    counter = _Passes()

    def begin(scope: Scope) -> Any:
        number = scope.number(counter) if rerandomize or seed is None else 0
        generator = np.random.default_rng(mix(seed, number) if seed is not None else scope.seed(number))
        varying = Carry(weights.open(scope.at("weights"))) if isinstance(weights, Node) else None
        fixed = None if varying is not None else np.asarray(weights, np.float64)

        def choose(alive: list[bool]) -> int | None:
            odds = fixed
            if varying is not None:
                found = varying.element()
                if found is None:
                    return None
                odds = np.asarray(found[1][0], np.float64)
            assert odds is not None
            odds = odds * np.asarray(alive)
            total = odds.sum()
            if total <= 0:
                return None
            return int(np.searchsorted(np.cumsum(odds) / total, generator.random(), side="right"))

        return choose

    return begin


class _Passes(Node):
    """Counts passes, and nothing else."""

    def make_spec(self) -> Any:
        """Nothing."""
        return ()

    def size(self) -> int:
        """Nothing."""
        return 0

    def stream(self, scope: Scope) -> Cursor:
        """Nothing."""
        raise AssertionError("counts passes only")


# --- unique --------------------------------------------------------------------------------------
class Unique(Node):
    """``unique``: the first of equal elements."""

    def make_spec(self) -> Any:
        """That of the elements."""
        return self.children[0].spec

    def size(self) -> int:
        """Not known."""
        return UNKNOWN

    def stream(self, scope: Scope) -> Cursor:
        """Elements that were not there before."""
        return _UniqueCursor(self.children[0].open(scope.at(0)))


class _UniqueCursor(Cursor):
    def __init__(self, child: Cursor) -> None:
        self._child = child
        self._seen: set[Any] = set()

    def block(self, limit: int) -> Block | None:
        """The next new elements."""
        while True:
            block = self._child.block(limit)
            if block is None:
                return None
            fresh = []
            for place in range(block.count):
                key = tuple(_key(leaf) for leaf in block.leaves(place))
                if key not in self._seen:
                    self._seen.add(key)
                    fresh.append(place)
            if fresh:
                return block.take(np.array(fresh))

    def close(self) -> None:
        """Close the child."""
        self._child.close()


def _key(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray):
        content = tuple(leaf.reshape(-1).tolist()) if leaf.dtype.kind == "O" else leaf.tobytes()
        return (leaf.shape, leaf.dtype.str, content)
    if isinstance(leaf, bytes):
        return leaf
    if isinstance(leaf, np.generic):
        return (leaf.dtype.str, leaf.tobytes())
    raise TypeError(f"Dataset.unique() compares tensors; it cannot compare {spec_of(leaf)!r}.")
