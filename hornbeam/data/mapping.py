"""Steps that call a function for each element: map, filter, take_while, scan, and those that yield data sets."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.data.blocks import Block
from hornbeam.data.functions import ElementFunction
from hornbeam.data.plan import UNKNOWN, Carry, Cursor, Indexed, Node, Scope, Wrapped, block_rows
from hornbeam.data.specs import mapped_spec
from hornbeam.data.structure import spec_of, to_host
from hornbeam.data.threads import Ahead

AUTOTUNE = -1


def threads_of(num_parallel_calls: Any) -> int:
    """Threads for a number of parallel calls; ``AUTOTUNE`` means one per core."""
    if num_parallel_calls is None:
        return 1
    count = int(num_parallel_calls)
    if count == AUTOTUNE:
        return max(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    if count < 1:
        raise ValueError(
            f"`num_parallel_calls` must be at least 1, or tf.data.AUTOTUNE. Received: {num_parallel_calls}"
        )
    return count


# --- map -----------------------------------------------------------------------------------------
class _MappedRows(Wrapped):
    def __init__(self, inner: Indexed, function: ElementFunction, threads: int, scope: Scope, node: Node) -> None:
        super().__init__(inner, inner.size)
        structs = inner.structs()
        self._program = function.captured(inner.skeleton, structs) if structs is not None else None
        self._function = function
        # A function that runs as Python may draw as well; nobody knows.
        draws = self._program.draws if self._program is not None else True
        self._seed = scope.seed(scope.number(node)) if draws else 0
        self.changes = inner.changes or draws
        self.settled = inner.settled and self._program is not None and not self._program.reads_variables
        self.parallel = max(threads, inner.parallel)

    @property
    def skeleton(self) -> Any:
        """Containers of the results."""
        return self._program.skeleton if self._program is not None else 0

    def structs(self) -> list[Any] | None:
        """Shape and dtype of the results."""
        return self._program.structs() if self._program is not None else None

    @property
    def cheap(self) -> bool:
        """If the function is compiled."""
        return self._program is not None and self.inner.cheap

    def rows(self, places: np.ndarray) -> Block:
        """Results for some elements."""
        return self._function.apply(self.inner.rows(places), self._seed, places)


class Map(Node):
    """``map``."""

    def __init__(self, child: Node, function: Callable, threads: int) -> None:
        super().__init__(child)
        self._function = ElementFunction(function, "Dataset.map()")
        self._threads = threads

    def make_spec(self) -> Any:
        """Spec of the results."""
        spec, self.guessed = mapped_spec(self._function, self.children[0])
        return spec

    def size(self) -> int:
        """As many as before."""
        return self.children[0].size()

    def indexed(self, scope: Scope) -> Indexed | None:
        """Results by number."""
        rows = self.children[0].indexed(scope.at(0))
        return None if rows is None else _MappedRows(rows, self._function, self._threads, scope, self)

    def stream(self, scope: Scope) -> Cursor:
        """Results in order."""
        child = self.children[0].open(scope.at(0))
        return _MapCursor(child, self._function, self._threads, scope.seed(scope.number(self)))


class _MapCursor(Cursor):
    def __init__(self, child: Cursor, function: ElementFunction, threads: int, seed: int) -> None:
        self._child = Carry(child, 1)
        self._function, self._seed = function, seed
        self._ordinal = 0
        self._threads = threads
        self._ahead: Ahead | None = None
        self._held: list[Block] = []
        self._most = 64
        self._compiled: bool | None = None

    def block(self, limit: int) -> Block | None:
        """The next results: of a whole block if the function is compiled, else of one element."""
        if self._held:
            return self._next_held()
        if self._ahead is not None:
            return self._parallel()
        block = self._child.next(min(limit, self._most))
        if block is None:
            return None
        if self._compiled is None:
            self._compiled = self._is_compiled(block)
        if self._compiled or (block.count == 1 and self._threads == 1):
            return self._apply(block)
        self._held = [block.cut(place, place + 1) for place in range(block.count)]
        if self._threads > 1:
            self._ahead = Ahead(self._threads)
            return self._parallel()
        return self._next_held()

    def _is_compiled(self, block: Block) -> bool:
        program = self._function.program_for(block)
        if program is None:
            return False
        self._most = block_rows(program.structs())
        return True

    def _apply(self, block: Block) -> Block:
        ordinals = np.arange(self._ordinal, self._ordinal + block.count)
        self._ordinal += block.count
        return self._function.apply(block, self._seed, ordinals)

    def _next_held(self) -> Block | None:
        if self._ahead is not None:
            return self._parallel()
        return self._apply(self._held.pop(0))

    def _parallel(self) -> Block | None:
        ahead = self._ahead
        assert ahead is not None
        while ahead.wants_more():
            block = self._held.pop(0) if self._held else self._child.next(1)
            if block is None:
                break
            ahead.submit(self._function.apply, block, self._seed, np.arange(self._ordinal, self._ordinal + 1))
            self._ordinal += 1
        return ahead.next()

    def skip(self, count: int) -> int:
        """Pass over elements without calling the function."""
        done = self._ahead.drop(count) if self._ahead is not None else 0
        held = min(count - done, len(self._held))
        self._held = self._held[held:]
        passed = held + self._child.skip(count - done - held)
        self._ordinal += passed
        return done + passed

    def close(self) -> None:
        """Stop the threads."""
        if self._ahead is not None:
            self._ahead.close()
        self._child.close()


# --- filter --------------------------------------------------------------------------------------
def _truths(block: Block, where: str) -> np.ndarray:
    if len(block.columns) != 1:
        raise ValueError(f"{where}: the function must return one boolean, it returned {len(block.columns)} values.")
    found = np.asarray(block.columns[0])
    if found.shape != (block.count,) or found.dtype.kind != "b":
        raise ValueError(
            f"{where}: the function must return a scalar boolean, it returned shape {found.shape[1:]}, dtype "
            f"{found.dtype}."
        )
    return found


class Filter(Node):
    """``filter`` and ``take_while``."""

    def __init__(self, child: Node, predicate: Callable, until: bool = False) -> None:
        super().__init__(child)
        self._where = "Dataset.take_while()" if until else "Dataset.filter()"
        self._function = ElementFunction(predicate, self._where)
        self._until = until

    def make_spec(self) -> Any:
        """That of the elements."""
        return self.children[0].spec

    def size(self) -> int:
        """Not known."""
        return UNKNOWN

    def stream(self, scope: Scope) -> Cursor:
        """Elements that pass."""
        cursor = self.children[0].open(scope.at(0))
        return _FilterCursor(cursor, self._function, scope.seed(scope.number(self)), self._until, self._where)


class _FilterCursor(Cursor):
    def __init__(self, child: Cursor, function: ElementFunction, seed: int, until: bool, where: str) -> None:
        self._child, self._function, self._seed = child, function, seed
        self._until, self._where = until, where
        self._ordinal = 0
        self._ended = False
        # Few at first, for filters that look for one element; then as many as come.
        self._size = 16

    def block(self, limit: int) -> Block | None:
        """The next elements that pass."""
        while not self._ended:
            block = self._child.block(min(limit, self._size))
            if block is None:
                return None
            self._size = min(4096, self._size * 4)
            ordinals = np.arange(self._ordinal, self._ordinal + block.count)
            self._ordinal += block.count
            truths = _truths(self._function.apply(block, self._seed, ordinals), self._where)
            if self._until:
                passed = block.count if truths.all() else int(np.argmin(truths))
                self._ended = passed < block.count
                block = block.cut(0, passed)
            elif not truths.all():
                block = block.take(np.flatnonzero(truths))
            if block.count:
                return block
        return None

    def close(self) -> None:
        """Close the child."""
        self._child.close()


# --- scan ----------------------------------------------------------------------------------------
class Scan(Node):
    """``scan``: a state goes from element to element."""

    def __init__(self, child: Node, state: Any, function: Callable) -> None:
        super().__init__(child)
        self._skeleton, self._state = to_host(state)
        self._function = ElementFunction(function, "Dataset.scan()")

    def make_spec(self) -> Any:
        """Spec of what the function gives out beside the state."""
        state = trees.pack(self._skeleton, [spec_of(leaf) for leaf in self._state])
        spec, self.guessed = mapped_spec(self._function, _Beside(self, state, self.children[0]))
        return spec[1]

    @property
    def initial(self) -> tuple[Any, list[Any]]:
        """Skeleton and leaves of the first state."""
        return self._skeleton, self._state

    def size(self) -> int:
        """As many as before."""
        return self.children[0].size()

    def stream(self, scope: Scope) -> Cursor:
        """Results in order."""
        cursor = self.children[0].open(scope.at(0))
        return _ScanCursor(cursor, self._function, self.initial, scope.seed(scope.number(self)))


class _Beside(Node):
    """Pairs of a state and an element, for their spec."""

    def __init__(self, owner: Scan, state: Any, child: Node) -> None:
        super().__init__(child)
        self._owner, self._state = owner, state

    def make_spec(self) -> Any:
        """State and element."""
        return (self._state, self.children[0].spec)

    def size(self) -> int:
        """As many as before."""
        return self.children[0].size()

    def stream(self, scope: Scope) -> Cursor:
        """Every element beside the first state."""
        return _BesideCursor(self.children[0].open(scope), self._owner.initial)


class _BesideCursor(Cursor):
    def __init__(self, child: Cursor, state: tuple[Any, list[Any]]) -> None:
        self._child, self._state = child, state

    def block(self, limit: int) -> Block | None:
        """The next pair."""
        block = self._child.block(1)
        if block is None:
            return None
        skeleton, leaves = self._state
        return Block.of_element((skeleton, block.skeleton), [*leaves, *block.leaves(0)])


class _ScanCursor(Cursor):
    def __init__(self, child: Cursor, function: ElementFunction, state: tuple[Any, list[Any]], seed: int) -> None:
        self._child = Carry(child)
        self._function, self._seed = function, seed
        self._state = state
        self._ordinal = 0

    def block(self, limit: int) -> Block | None:
        """The next result."""
        found = self._child.element()
        if found is None:
            return None
        result = apply_with_state(self._function, self._state, found, self._seed, self._ordinal)
        self._ordinal += 1
        if not isinstance(result.skeleton, tuple) or len(result.skeleton) != 2:
            raise TypeError("Dataset.scan(): the function must return a pair: (new state, result).")
        state, out = result.skeleton
        count = len(trees.flatten(state))
        leaves = result.leaves(0)
        self._state = (state, leaves[:count])
        return Block.of_element(out, leaves[count:])

    def close(self) -> None:
        """Close the child."""
        self._child.close()


def apply_with_state(
    function: ElementFunction, state: tuple[Any, list[Any]], element: tuple[Any, list[Any]], seed: int, ordinal: int
) -> Block:
    """A function of (state, element) on one element."""
    block = Block.of_element((state[0], element[0]), [*state[1], *element[1]])
    return function.apply(block, seed, np.array([ordinal]))
