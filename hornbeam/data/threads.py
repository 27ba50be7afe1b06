"""Threads that run calls, and that never keep the process from ending."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any


class Threads:
    """Some daemon threads. Unlike those of ``concurrent.futures``, one that is stuck does not block the exit.

    Args:
        count: threads.
        name: how they are called.
    """

    def __init__(self, count: int, name: str) -> None:
        self._calls: SimpleQueue[tuple[Future, Callable, tuple] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=_work, args=(self._calls,), name=f"{name}_{number}", daemon=True)
            for number in range(count)
        ]
        self._waiting: set[Future] = set()
        for thread in self._threads:
            thread.start()

    def submit(self, function: Callable, *args: Any) -> Future:
        """Run a call as soon as a thread is free."""
        future: Future = Future()
        self._waiting = {one for one in self._waiting if not one.done()}
        self._waiting.add(future)
        self._calls.put((future, function, args))
        return future

    def shutdown(self) -> None:
        """Drop the calls that have not begun, and let the threads end."""
        for future in self._waiting:
            future.cancel()
        for _ in self._threads:
            self._calls.put(None)


def _work(calls: SimpleQueue) -> None:
    while (call := calls.get()) is not None:
        future, function, args = call
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(function(*args))
        except BaseException as error:
            future.set_exception(error)
        del call, future, function, args  # nothing is kept while waiting


class Ahead:
    """Calls that run in threads ahead of their use; results come in the order of the calls.

    Args:
        threads: calls at the same time.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool: Threads | None = None
        self._waiting: deque[Future] = deque()

    def wants_more(self) -> bool:
        """True while more calls should be given."""
        return len(self._waiting) < 2 * self._threads

    def submit(self, function: Any, *args: Any) -> None:
        """Run a call."""
        if self._pool is None:
            self._pool = Threads(self._threads, "hornbeam-data")
        self._waiting.append(self._pool.submit(function, *args))

    def next(self) -> Any:
        """Result of the oldest call, None if there is none."""
        return self._waiting.popleft().result() if self._waiting else None

    def drop(self, count: int) -> int:
        """Forget the oldest calls; returns how many there were."""
        count = min(count, len(self._waiting))
        for _ in range(count):
            self._waiting.popleft().cancel()
        return count

    def close(self) -> None:
        """Stop the threads."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        self._waiting.clear()
