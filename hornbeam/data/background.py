"""``prefetch``: elements made in a thread of their own, ahead of their use."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from hornbeam.data.blocks import Block
from hornbeam.data.plan import Cursor, Indexed, Node, Scope

_AT_ONCE = 64
_AUTOTUNED = 16
_MOST_BYTES = 256 << 20
_JOIN_S = 2.0


class Prefetch(Node):
    """``prefetch``.

    Args:
        child: elements.
        buffer_size: elements made ahead; -1 to leave it to the library.
    """

    def __init__(self, child: Node, buffer_size: int) -> None:
        super().__init__(child)
        self._size = _AUTOTUNED if buffer_size < 0 else buffer_size

    def make_spec(self) -> Any:
        """That of the elements."""
        return self.children[0].spec

    def size(self) -> int:
        """As many as before."""
        return self.children[0].size()

    def indexed(self, scope: Scope) -> Indexed | None:
        """Steps that ask for elements by number do not need them ahead."""
        return self.children[0].indexed(scope.at(0))

    def stream(self, scope: Scope) -> Cursor:
        """One pass."""
        return self.ahead_of(self.children[0].open(scope.at(0)))

    def ahead_of(self, cursor: Cursor) -> Cursor:
        """A cursor read in a thread of its own."""
        return PrefetchCursor(cursor, self._size) if self._size else cursor

    def open(self, scope: Scope) -> Cursor:
        """Always in a thread."""
        return self.stream(scope)


class _Channel:
    """What the thread and its reader share."""

    def __init__(self, child: Cursor, size: int) -> None:
        self.child, self.size = child, size
        self.changed = threading.Condition()
        self.blocks: deque[Block] = deque()
        self.count = 0
        self.nbytes = 0
        self.stopped = False
        self.ended = False
        self.error: BaseException | None = None

    def work(self) -> None:
        """Fill the queue until told to stop, or the end."""
        try:
            while self._has_room():
                block = self.child.block(_AT_ONCE)
                with self.changed:
                    if block is None:
                        break
                    self.blocks.append(block)
                    self.count += block.count
                    self.nbytes += block.nbytes
                    self.changed.notify_all()
        except BaseException as error:
            self.error = error
        finally:
            with self.changed:
                self.ended = True
                self.changed.notify_all()
            self.child.close()

    def _has_room(self) -> bool:
        with self.changed:
            while not self.stopped and self.blocks and (self.count >= self.size or self.nbytes >= _MOST_BYTES):
                self.changed.wait()
            return not self.stopped

    def take(self, limit: int) -> Block | None:
        """The next elements, waited for; None at the end."""
        with self.changed:
            while not self.blocks and not self.ended:
                self.changed.wait()
            if not self.blocks:
                if self.error is not None:
                    error, self.error = self.error, None
                    raise error
                return None
            block = self.blocks.popleft()
            if block.count > limit:
                self.blocks.appendleft(block.cut(limit, block.count))
                block = block.cut(0, limit)
            self.count -= block.count
            self.nbytes -= block.nbytes
            self.changed.notify_all()
        return block


class PrefetchCursor(Cursor):
    """Reads a cursor in a thread, which begins with the first element asked for."""

    def __init__(self, child: Cursor, size: int) -> None:
        self._channel = _Channel(child, size)
        self._thread: threading.Thread | None = None

    def block(self, limit: int) -> Block | None:
        """The next elements."""
        channel = self._channel
        if self._thread is None:
            if channel.stopped:
                return None
            self._thread = threading.Thread(target=channel.work, name="hornbeam-prefetch", daemon=True)
            self._thread.start()
        return channel.take(limit)

    def skip(self, count: int) -> int:
        """Pass over elements; before the thread has begun, without making them."""
        return self._channel.child.skip(count) if self._thread is None else super().skip(count)

    def close(self) -> None:
        """Stop the thread."""
        channel = self._channel
        with channel.changed:
            channel.stopped = True
            channel.changed.notify_all()
        if self._thread is None:
            channel.child.close()
        elif self._thread is not threading.current_thread():
            # A thread that waits for a user's code cannot be stopped; it ends with the element it is at.
            self._thread.join(_JOIN_S)
