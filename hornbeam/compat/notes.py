"""One-line notes on old spellings, each once in a process, placed at the line of the user's program."""

from __future__ import annotations

import sys
import threading
import warnings

_given: set[str] = set()
_lock = threading.Lock()


def note(text: str) -> None:
    """Warn (``DeprecationWarning``), unless the same text was given before; the warning names the user's line."""
    with _lock:
        if text in _given:
            return
        _given.add(text)
    warnings.warn(text, DeprecationWarning, stacklevel=_levels_to_user())


def forget() -> None:
    """Give each note again (used by tests)."""
    with _lock:
        _given.clear()


def _levels_to_user() -> int:
    """Number of frames from `note` to the first one outside of Hornbeam."""
    frame, levels = sys._getframe(2), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "hornbeam":
        frame, levels = frame.f_back, levels + 1
    return levels
