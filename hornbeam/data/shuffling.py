"""``shuffle``: elements drawn at random out of a buffer."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.data.blocks import Block
from hornbeam.data.plan import Carry, Cursor, IndexedCursor, Node, Numbers, Scope, mix

_DRAWS = 4096


class ShuffledNumbers(Numbers):
    """Numbers of elements as a shuffle buffer lets them through, worked out for many at a time.

    The buffer holds some numbers. Again and again one of its slots is drawn, the number there goes out and the next
    number comes in. For a chunk of draws, what goes out of a slot is what the last draw of the same slot brought in:
    sorting the draws by slot shows it for all of them at once.

    Args:
        size: how many numbers there are.
        buffer: slots of the buffer.
        seed: seed of this pass.
    """

    def __init__(self, size: int, buffer: int, seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._size = size
        self._slots = np.arange(min(buffer, size))
        self._incoming = len(self._slots)
        self._out = np.empty(0, np.int64)

    def next(self, limit: int) -> np.ndarray:
        """The next numbers."""
        if not len(self._out):
            self._out = self._chunk()
        found, self._out = self._out[:limit], self._out[limit:]
        return found

    def _chunk(self) -> np.ndarray:
        count = min(_DRAWS, self._size - self._incoming)
        if count <= 0:
            rest, self._slots = self._slots, self._slots[:0]
            return self._generator.permutation(rest)
        draws = self._generator.integers(0, len(self._slots), _DRAWS)[:count]
        incoming = self._incoming + np.arange(count)
        self._incoming += count
        order = np.argsort(draws, kind="stable")
        slots = draws[order]
        fresh = np.empty(count, bool)
        fresh[0] = True
        np.not_equal(slots[1:], slots[:-1], out=fresh[1:])
        out = np.empty(count, np.int64)
        previous = np.empty(count, np.int64)
        previous[1:] = incoming[order[:-1]]
        out[order] = np.where(fresh, self._slots[slots], previous)
        last = np.append(fresh[1:], True)
        self._slots[slots[last]] = incoming[order[last]]
        return out

    def skip(self, count: int) -> int:
        """Pass over numbers."""
        done = 0
        while done < count:
            found = self.next(count - done)
            if not len(found):
                break
            done += len(found)
        return done


class Shuffle(Node):
    """``shuffle``."""

    def __init__(self, child: Node, buffer: int, seed: int | None, reshuffle: bool) -> None:
        super().__init__(child)
        self.buffer, self.seed, self.reshuffle = buffer, seed, reshuffle

    def make_spec(self) -> Any:
        """That of the elements."""
        return self.children[0].spec

    def size(self) -> int:
        """As many as before."""
        return self.children[0].size()

    def pass_seed(self, scope: Scope) -> int:
        """Seed of the pass that begins now."""
        number = scope.number(self)
        number = number if self.reshuffle else 0
        return mix(self.seed, number) if self.seed is not None else scope.seed(number)

    def stream(self, scope: Scope) -> Cursor:
        """One pass: over numbers if the elements can be had in any order, else through a buffer of elements."""
        child = self.children[0]
        rows = child.indexed(scope.at(0))
        seed = self.pass_seed(scope)
        if rows is not None:
            return IndexedCursor(rows, ShuffledNumbers(rows.size, self.buffer, seed))
        return _BufferCursor(child.open(scope.at(0)), self.buffer, seed)


class _BufferCursor(Cursor):
    """A shuffle buffer that holds elements."""

    def __init__(self, child: Cursor, buffer: int, seed: int) -> None:
        self._child = Carry(child)
        self._buffer = buffer
        self._generator = np.random.default_rng(seed)
        self._draws: list[int] = []
        self._held: list[list[Any]] = []
        self._skeleton: Any = None
        self._ended = False

    def block(self, limit: int) -> Block | None:
        """The next elements."""
        while not self._ended and len(self._held) < self._buffer:
            self._fill(self._buffer - len(self._held))
        if not self._held:
            return None
        if self._ended:
            found = [self._held.pop() for _ in range(min(limit, len(self._held)))]
            return Block.of_elements(self._skeleton, found)
        block = self._child.next(limit)
        if block is None:
            self._end()
            return self.block(limit)
        found = []
        for place in range(block.count):
            if not self._draws:
                self._draws = self._generator.integers(0, self._buffer, 1024).tolist()
            slot = self._draws.pop()
            found.append(self._held[slot])
            self._held[slot] = block.leaves(place)
        return Block.of_elements(self._skeleton, found)

    def _fill(self, missing: int) -> None:
        block = self._child.next(missing)
        if block is None:
            self._end()
            return
        self._skeleton = block.skeleton
        self._held.extend(block.leaves(place) for place in range(block.count))

    def _end(self) -> None:
        self._ended = True
        order = self._generator.permutation(len(self._held)).tolist()
        self._held = [self._held[place] for place in order]

    def close(self) -> None:
        """Close the child."""
        self._child.close()
