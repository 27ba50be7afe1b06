"""Summary writers."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import Any

from hornbeam.base.errors import NotSupportedError
from hornbeam.core.arguments import static_value
from hornbeam.core.scopes import scopes
from hornbeam.core.tensor import Tensor
from hornbeam.summary import state
from hornbeam.summary.events import EventFile

_MAX_QUEUE, _FLUSH_MILLIS = 10, 2 * 60 * 1000


class SummaryWriter:
    """Writes summaries; ``create_file_writer`` makes one.

    Args:
        file: where events go; None for a writer that drops them.

    References: TensorFlow `tf.summary.SummaryWriter`.
    """

    def __init__(self, file: EventFile | None = None) -> None:
        self._file = file
        self._closed = False

    def as_default(self, step: Any = None) -> AbstractContextManager[SummaryWriter]:
        """A ``with`` block inside which ``tf.summary`` functions write here.

        Args:
            step: default step inside the block.

        Raises:
            RuntimeError: the writer is closed.
        """
        self._need_open()
        return state.writing(self, step)

    def set_as_default(self, step: Any = None) -> None:
        """Let ``tf.summary`` functions of this thread write here from now on.

        Args:
            step: default step from now on.
        """
        self._need_open()
        here = state.cell()
        state.settle()
        here.writer, here.writer_frame = self, scopes.frame
        if step is not None:
            here.step = step

    def init(self) -> None:
        """Nothing to do: the file is there once the writer is."""

    def flush(self) -> None:
        """Bring what was written to the disk's file."""
        state.settle()
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Bring what was written to the file, and close it. Summaries that come later are dropped."""
        state.settle()
        self._closed = True
        if self._file is not None:
            self._file.close()

    def add_event(self, event: bytes) -> None:
        """Write a serialized Event message."""
        if self._file is not None:
            self._file.add(event)

    def _need_open(self) -> None:
        if self._closed:
            raise RuntimeError("This SummaryWriter was closed; make a new one with tf.summary.create_file_writer().")


def create_file_writer(
    logdir: Any,
    max_queue: Any = None,
    flush_millis: Any = None,
    filename_suffix: Any = None,
    name: str | None = None,
    experimental_trackable: bool = False,
    experimental_mesh: Any = None,
) -> SummaryWriter:
    """A writer to a new event file in a folder.

    Args:
        logdir: the folder, made if need be.
        max_queue: events that wait at most before they are brought to the file; 10 by default.
        flush_millis: milliseconds they wait at most, as long as others follow; two minutes by default.
        filename_suffix: end of the file's name, ".v2" by default.
        name: a name for people; the file does not depend on it.
        experimental_trackable: must be False.
        experimental_mesh: must be None.

    Example:
        >>> writer = tf.summary.create_file_writer("logs/run-1")
        >>> with writer.as_default():
        ...     tf.summary.scalar("loss", 0.5, step=1)

    References: TensorFlow `tf.summary.create_file_writer`.
    """
    if experimental_trackable or experimental_mesh is not None:
        raise NotSupportedError(
            "create_file_writer(): experimental_trackable and experimental_mesh have no meaning here; leave them out."
        )
    if logdir is None:
        raise ValueError("create_file_writer(): `logdir` must name a folder. Received: None")
    max_queue, flush_millis = (_plain(value, default) for value, default in _waiting(max_queue, flush_millis))
    suffix = ".v2" if filename_suffix is None else str(_text(filename_suffix))
    return SummaryWriter(EventFile(os.path.expanduser(_text(logdir)), suffix, int(max_queue), flush_millis / 1000))


def create_noop_writer() -> SummaryWriter:
    """A writer that drops everything.

    References: TensorFlow `tf.summary.create_noop_writer`.
    """
    return SummaryWriter()


def flush(writer: SummaryWriter | None = None, name: str | None = None) -> None:
    """Bring to the file what a writer, by default the one in force, has received.

    References: TensorFlow `tf.summary.flush`.
    """
    writer = state.cell().writer if writer is None else writer
    if writer is not None:
        writer.flush()


def _waiting(max_queue: Any, flush_millis: Any) -> list[tuple[Any, int]]:
    return [(max_queue, _MAX_QUEUE), (flush_millis, _FLUSH_MILLIS)]


def _plain(value: Any, default: int) -> Any:
    return default if value is None else static_value(value)


def _text(value: Any) -> str:
    if isinstance(value, Tensor):
        value = value.numpy()
    return os.fsdecode(value)
