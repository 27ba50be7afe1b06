"""Saving while training goes on: values are copied to the host first, and written by a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from hornbeam.saving.h5_file import atomic_h5
from hornbeam.saving.keras_file import Prepared, prepare, write_prepared
from hornbeam.saving.paths import local_path
from hornbeam.saving.weights_h5 import Entry, entries, write_entries

__all__ = ["BackgroundWriter"]


class BackgroundWriter:
    """Runs one write after another in a thread; the caller waits only for the copy of the values.

    Args:
        pending_limit: writes that may wait; a further one blocks until there is room, so that memory stays bounded.

    Example:
        >>> with BackgroundWriter() as writer:
        ...     writer.save_weights(model, "epoch-1.weights.h5")
    """

    def __init__(self, pending_limit: int = 1) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="hornbeam-writer")
        self._room = threading.BoundedSemaphore(pending_limit + 1)
        self._jobs: list[Future] = []

    def submit(self, write: Callable[..., None], *args: Any) -> Future:
        """Run a function later. Errors of earlier writes are raised here, or by ``wait``."""
        done = [job for job in self._jobs if job.done()]
        self._jobs = [job for job in self._jobs if not job.done()]
        for job in done:
            job.result()
        self._room.acquire()

        def run() -> None:
            try:
                write(*args)
            finally:
                self._room.release()

        job = self._pool.submit(run)
        self._jobs.append(job)
        return job

    def save_weights(self, model: Any, path: Any) -> Future:
        """Write the weights that the model has now to a ``.weights.h5`` file."""
        target = _named(path, ".weights.h5")
        return self.submit(_write_weights, list(entries(model)), target)

    def save_model(self, model: Any, path: Any) -> Future:
        """Write the model as it is now, its optimizer's state included, to a ``.keras`` file."""
        target, found = _named(path, ".keras"), prepare(model)
        return self.submit(_write_model, found._replace(weights=list(found.weights)), target)

    def wait(self) -> None:
        """Wait for all writes; raises the first error."""
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            job.result()

    def close(self) -> None:
        """Wait and end the thread."""
        try:
            self.wait()
        finally:
            self._pool.shutdown()

    def __enter__(self) -> BackgroundWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _named(path: Any, ending: str) -> str:
    text = local_path(path)
    if not text.endswith(ending):
        raise ValueError(f"Saving in the background writes files that end in `{ending}`. Received: {text}")
    return text


def _write_weights(found: list[Entry], path: str) -> None:
    with atomic_h5(path) as weights:
        write_entries(found, weights)


def _write_model(found: Prepared, path: str) -> None:
    write_prepared(found, path)
