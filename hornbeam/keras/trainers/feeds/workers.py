"""Batches by number, made by threads or processes ahead of their use, and given out in order.

Whatever the number of workers, the batches and their order are the same, and an error in a worker is raised where its
batch would have come, with the class and text it had. A process that dies, or a batch that does not come, ends in a
``WorkerError``: nothing hangs.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import pickle
import threading
import time
import traceback
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from multiprocessing import connection
from typing import Any

from hornbeam.base.errors import WorkerError, explain
from hornbeam.data.threads import Threads
from hornbeam.keras.trainers.feeds.loading import Loading

_PATIENCE_S = 60.0
_JOIN_S = 2.0


def batches_ahead(source: Any, indices: Iterable[int], loading: Loading) -> Iterator[Any]:
    """Batches of a source in the order of ``indices``.

    Args:
        source: has ``__getitem__``.
        indices: numbers of batches, possibly without end.
        loading: workers and so on.

    Raises:
        WorkerError: a process died, or a batch did not come in time.
    """
    if loading.processes:
        return _from_processes(source, indices, loading)
    return _from_threads(source, indices, loading)


def note_worker(error: BaseException, index: int, worker: str) -> BaseException:
    """The error with a note on where it comes from."""
    if hasattr(error, "add_note"):
        error.add_note(f"raised for batch {index} in {worker}")
    return error


class StartError(WorkerError):
    """A worker process could not begin."""


class _Patience:
    """Waits for a batch: warns after a minute, gives up after the timeout."""

    def __init__(self, loading: Loading) -> None:
        self._limit = loading.timeout_s
        self._started = time.monotonic()
        self._warned = False

    @property
    def pause_s(self) -> float:
        """Seconds to wait before asking again."""
        waited = time.monotonic() - self._started
        ends = [_PATIENCE_S - waited] if not self._warned else []
        if self._limit is not None:
            ends.append(self._limit - waited)
        return max(0.01, min([5.0, *ends]))

    def check(self, index: int, worker: str) -> None:
        """Warn or give up, if it is time."""
        waited = time.monotonic() - self._started
        if self._limit is not None and waited >= self._limit:
            raise WorkerError(
                explain(
                    f"Batch {index} did not come within the worker timeout.",
                    expected=f"at most {self._limit} s",
                    received=f"{waited:.1f} s of waiting for {worker}",
                    fix="look for a lock or an endless loop in __getitem__, or set a larger `worker_timeout`",
                )
            )
        if not self._warned and waited >= _PATIENCE_S:
            self._warned = True
            warnings.warn(f"Still waiting for batch {index} from {worker} after {waited:.0f} s.", stacklevel=4)


# --- threads -------------------------------------------------------------------------------------
def _from_threads(source: Any, indices: Iterable[int], loading: Loading) -> Iterator[Any]:
    pool = Threads(loading.workers, "hornbeam-worker")
    waiting: deque[tuple[int, Future]] = deque()
    numbers = iter(indices)

    def make(index: int) -> Any:
        try:
            return source[index]
        except BaseException as error:
            raise note_worker(error, index, threading.current_thread().name) from error.__cause__

    try:
        while True:
            while len(waiting) < max(loading.ahead, loading.workers):
                index = next(numbers, None)
                if index is None:
                    break
                waiting.append((index, pool.submit(make, index)))
            if not waiting:
                return
            index, future = waiting.popleft()
            yield _waited(future, index, loading)
    finally:
        pool.shutdown()


def _waited(future: Future, index: int, loading: Loading) -> Any:
    patience = _Patience(loading)
    while True:
        try:
            return future.result(timeout=patience.pause_s)
        except FutureTimeoutError:
            if future.done():
                raise
            patience.check(index, "a worker thread")


# --- processes -----------------------------------------------------------------------------------
def _serve(pipe: Any, payload: bytes) -> None:
    """What a worker process does: answer numbers with batches until told to stop, or nobody listens."""
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        _answer(pipe, payload)


def _answer(pipe: Any, payload: bytes) -> None:
    try:
        source = pickle.loads(payload)
    except BaseException as error:
        pipe.send((None, False, _portable(error)))
        return
    pipe.send((None, True, None))
    while True:
        try:
            index = pipe.recv()
        except EOFError:
            return
        if index is None:
            return
        try:
            answer = (index, True, source[index])
        except BaseException as error:
            answer = (index, False, _portable(error))
        try:
            pipe.send(answer)
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            pipe.send((index, False, _portable(error)))


def _portable(error: BaseException) -> tuple[Any, str, str]:
    """An error fit for sending: itself if that is possible, and its text in any case."""
    text = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return None, f"{type(error).__name__}: {error}", text
    return error, f"{type(error).__name__}: {error}", text


class _Process:
    """One worker process."""

    def __init__(self, number: int, payload: bytes, method: str) -> None:
        self.number = number
        context = multiprocessing.get_context(method)
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, payload), daemon=True)  # type: ignore[attr-defined]
        self.process.start()
        theirs.close()
        self.ready = False
        self.busy: int | None = None

    @property
    def name(self) -> str:
        """For messages."""
        return f"worker process {self.number} (pid {self.process.pid})"

    def stop(self) -> None:
        """End the process."""
        try:
            self.pipe.send(None)
        except (OSError, ValueError):
            pass
        self.pipe.close()
        if self.busy is not None:
            self.process.terminate()
        self.process.join(_JOIN_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join(_JOIN_S)


def pickled(source: Any) -> bytes:
    """A source as bytes for other processes.

    Raises:
        WorkerError: an attribute cannot be sent; the message names it.
    """
    try:
        return pickle.dumps(source)
    except Exception as error:
        guilty = []
        for name, value in vars(source).items() if hasattr(source, "__dict__") else ():
            try:
                pickle.dumps(value)
            except Exception:
                guilty.append(f"{name} ({type(value).__name__})")
        what = f"attribute {', '.join(guilty)}" if guilty else f"{type(source).__qualname__} itself"
        raise WorkerError(
            explain(
                f"{type(source).__name__} cannot be sent to worker processes.",
                expected="an object of a class at module level, all attributes fit for pickling",
                received=f"{what} is not: {error}",
                fix="make it in __getitem__ instead, or use threads: use_multiprocessing=False",
            )
        ) from error


class _Crew:
    """Worker processes and what they are at."""

    def __init__(self, source: Any, loading: Loading) -> None:
        self._loading = loading
        if multiprocessing.parent_process() is not None:
            raise WorkerError(
                "A worker process cannot start worker processes: it imported a script that trains without being "
                "asked.\n"
                "  fix:      put what the script does below `if __name__ == '__main__':`"
            )
        methods = multiprocessing.get_all_start_methods()
        # Not "fork": a copy of a process that runs threads (XLA's) may hang.
        method = "forkserver" if "forkserver" in methods else "spawn"
        payload = pickled(source)
        self.processes = [_Process(number, payload, method) for number in range(loading.workers)]
        self.done: dict[int, tuple[bool, Any, str]] = {}
        self.todo: deque[int] = deque()

    def give(self) -> None:
        """Give numbers to idle processes."""
        for worker in self.processes:
            if self.todo and worker.ready and worker.busy is None:
                worker.busy = self.todo.popleft()
                try:
                    worker.pipe.send(worker.busy)
                except OSError:
                    self._lost(worker)

    def wait_for(self, index: int) -> Any:
        """The batch of a number."""
        patience = _Patience(self._loading)
        while index not in self.done:
            self.give()
            owner = next((worker.name for worker in self.processes if worker.busy == index), "the worker processes")
            watched: list[Any] = [worker.pipe for worker in self.processes]
            watched += [worker.process.sentinel for worker in self.processes]
            if not connection.wait(watched, timeout=patience.pause_s):
                patience.check(index, owner)
                continue
            for worker in self.processes:
                self._read(worker)
        fine, value, name = self.done.pop(index)
        if fine:
            return value
        error, text, trace = value
        if error is None:
            raise WorkerError(f"{name} raised {text}, for batch {index}.\n{trace}")
        raise note_worker(error, index, f"{name}:\n{trace}")

    def _read(self, worker: _Process) -> None:
        while True:
            try:
                if not worker.pipe.poll():
                    break
                index, fine, value = worker.pipe.recv()
            except (EOFError, OSError):
                self._lost(worker)
            if index is None:
                worker.ready = True
                if not fine:
                    raise StartError(
                        f"{worker.name} could not take the data set: {value[1]}\n"
                        "  fix:      define its class in a module that can be imported (not inside a function), "
                        "and guard "
                        "a script with `if __name__ == '__main__':`"
                    )
                self.give()
                continue
            self.done[index] = (fine, value, worker.name)
            worker.busy = None
            self.give()
        if worker.process.exitcode is not None and not worker.pipe.poll():
            self._lost(worker)

    def _lost(self, worker: _Process) -> None:
        worker.process.join(_JOIN_S)
        code = worker.process.exitcode
        at = f"batch {worker.busy}" if worker.busy is not None else "no batch" if worker.ready else "its start"
        hint = (
            "guard the script with `if __name__ == '__main__':`, as worker processes import it"
            if not worker.ready
            else "look for a crash in native code, or too little memory; use_multiprocessing=False shows Python errors"
        )
        kind = WorkerError if worker.ready else StartError
        raise kind(
            explain(
                f"{worker.name} ended while it was at {at}.",
                received=f"exit code {code}" + (f" (signal {-code})" if code is not None and code < 0 else ""),
                fix=hint,
            )
        )

    def stop(self) -> None:
        """End all processes."""
        for worker in self.processes:
            worker.stop()


def _from_processes(source: Any, indices: Iterable[int], loading: Loading) -> Iterator[Any]:
    crew = _Crew(source, loading)
    numbers = iter(indices)
    order: deque[int] = deque()
    given = False
    try:
        while True:
            while len(order) < max(loading.ahead, loading.workers):
                index = next(numbers, None)
                if index is None:
                    break
                order.append(index)
                crew.todo.append(index)
            if not order:
                return
            crew.give()
            try:
                batch = crew.wait_for(order[0])
            except StartError as error:
                if given:
                    raise
                warnings.warn(f"Threads are used instead of processes. {error}", stacklevel=2)
                break
            order.popleft()
            given = True
            yield batch
    finally:
        crew.stop()
    yield from _from_threads(source, itertools.chain(order, numbers), loading)
