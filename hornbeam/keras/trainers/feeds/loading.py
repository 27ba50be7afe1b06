"""How sources of batches are read: by which workers, how far ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Loading:
    """How the batches of a source are made.

    Attributes:
        workers: threads or processes; below 2 without processes, batches are made in the main thread.
        processes: processes instead of threads.
        ahead: batches made ahead.
        timeout_s: seconds after which a batch that does not come raises an error; None to wait.
    """

    workers: int = 1
    processes: bool = False
    ahead: int = 10
    timeout_s: float | None = None

    @property
    def in_background(self) -> bool:
        """True if threads or processes are asked for."""
        return self.workers > 1 or (self.workers > 0 and self.processes)


class _Asked(threading.local):
    options: dict[str, Any] | None = None


_asked = _Asked()


@contextmanager
def asked(options: dict[str, Any]) -> Iterator[None]:
    """Arguments ``workers``, ``use_multiprocessing`` and ``max_queue_size`` of the call in progress."""
    before, _asked.options = _asked.options, options
    try:
        yield
    finally:
        _asked.options = before


def loading_of(source: Any) -> Loading:
    """How a source is to be read: as the call says, else as the source says."""
    options = _asked.options or {}

    def setting(name: str, default: Any) -> Any:
        given = options.get(name)
        if given is None:
            given = getattr(source, name, default)
        return default if given is None else given

    timeout = getattr(source, "worker_timeout", None)
    return Loading(
        int(setting("workers", 1)),
        bool(setting("use_multiprocessing", False)),
        max(1, int(setting("max_queue_size", 10))),
        timeout,
    )
