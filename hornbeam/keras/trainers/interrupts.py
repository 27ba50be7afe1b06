"""Ctrl-C that never cuts a training step in two."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class SafeInterrupt:
    """While open, a SIGINT that arrives inside a ``with guard.step():`` block takes effect at its end.

    Between running a compiled step (whose inputs are donated) and committing its results there is a moment in
    which the old state is gone and the new one not yet kept; an exception there would lose the model.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._pending = False
        self._before: Any = None
        self._installed = False

    def __enter__(self) -> SafeInterrupt:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.getsignal(signal.SIGINT)
            if callable(self._before):
                signal.signal(signal.SIGINT, self._handle)
                self._installed = True
        return self

    def __exit__(self, *details: object) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, self._before)
            self._installed = False
        if self._pending and details[0] is None:
            self._pending = False
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._depth:
            self._pending = True
        else:
            self._before(number, frame)

    def step(self) -> _Step:
        """Context manager around what must not be interrupted."""
        return _Step(self)


class _Step:
    __slots__ = ("_guard",)

    def __init__(self, guard: SafeInterrupt) -> None:
        self._guard = guard

    def __enter__(self) -> None:
        self._guard._depth += 1

    def __exit__(self, kind: Any, *details: object) -> None:
        guard = self._guard
        guard._depth -= 1
        if guard._pending and not guard._depth and kind is None:
            guard._pending = False
            raise KeyboardInterrupt
