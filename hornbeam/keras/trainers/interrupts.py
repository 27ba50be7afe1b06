"""Ctrl-C that never cuts a training step in two, and signals that end a run in good order."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Iterable
from types import FrameType
from typing import Any


class SafeInterrupt:
    """While open, a SIGINT that arrives inside a ``with guard.step():`` block takes effect at its end.

    Between running a compiled step (whose inputs are donated) and committing its results there is a moment in
    which the old state is gone and the new one not yet kept; an exception there would lose the model.
    One that arrives while the garbage collector calls back (JAX has it do so) waits too: Python drops exceptions there.
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
        if self._depth or _is_collecting(frame):
            self._pending = True
        else:
            self._before(number, frame)

    def step(self) -> _Step:
        """Context manager around what must not be interrupted."""
        return _Step(self)


def _is_collecting(frame: FrameType | None) -> bool:
    callbacks = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None:
        if frame.f_code in callbacks:
            return True
        frame = frame.f_back
    return False


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


_PATIENCE_S = 4.0


class Termination:
    """While open, the first signal of the given kinds is only noted: the run ends itself at the next good place.

    If no good place comes within some seconds (a callback takes long, or predicts), the run ends where it is; so it
    does at a second signal.

    Args:
        signals: numbers of the signals.

    Attributes:
        pending: number of the signal that came, or 0.
    """

    def __init__(self, signals: Iterable[int]) -> None:
        self.pending = 0
        self._signals = tuple(signals)
        self._before: dict[int, Any] = {}
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Termination:
        if threading.current_thread() is threading.main_thread():
            for number in self._signals:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *details: object) -> None:
        self.hold()
        for number, before in self._before.items():
            signal.signal(number, signal.SIG_DFL if before is None else before)
        self._before = {}
        if self.pending and details[0] is None:
            self.leave_if_pending()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.pending:
            raise SystemExit(128 + self.pending)
        self.pending = number
        self._timer = threading.Timer(_PATIENCE_S, os.kill, (os.getpid(), number))
        self._timer.daemon = True
        self._timer.start()

    def hold(self) -> None:
        """A good place is reached: what has to be written may take its time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def leave_if_pending(self) -> None:
        """End the process, with the exit code that tells the signal, if one came."""
        if self.pending:
            raise SystemExit(128 + self.pending)
