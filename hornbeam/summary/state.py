"""What summaries are written to right now, per thread: writer, step, and whether to record at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax

from hornbeam.core.scopes import scopes


class Cell:
    """What is in force in one thread.

    Attributes:
        writer: where summaries go, or None.
        writer_frame: the compiled function in whose body the writer was chosen, None if outside of any.
        step: default step: a number, a variable, a tensor, a function that gives one, or None.
        condition: whether to record: a bool, a tensor, or a function that gives one.
        condition_frame: as ``writer_frame``.
    """

    __slots__ = ("condition", "condition_frame", "step", "writer", "writer_frame")

    def __init__(self) -> None:
        self.writer: Any = None
        self.writer_frame: Any = None
        self.step: Any = None
        self.condition: Any = True
        self.condition_frame: Any = None


class _Local(threading.local):
    def __init__(self) -> None:
        self.cell = Cell()


_local = _Local()
_from_programs = False


def cell() -> Cell:
    """What is in force in this thread."""
    return _local.cell


def note_program() -> None:
    """Remember that compiled programs write summaries, which may lag behind the call that started them."""
    global _from_programs
    _from_programs = True


def settle() -> None:
    """Wait until what compiled programs have to write is written."""
    if _from_programs and scopes.frame is None:
        jax.effects_barrier()


@contextmanager
def writing(writer: Any, step: Any = None) -> Iterator[Any]:
    """Let summaries go to a writer inside a ``with`` block.

    Args:
        writer: the writer.
        step: default step inside the block; None leaves it as it is.
    """
    here = cell()
    before = here.writer, here.writer_frame, here.step
    settle()
    here.writer, here.writer_frame = writer, scopes.frame
    if step is not None:
        here.step = step
    try:
        yield writer
    finally:
        settle()
        here.writer, here.writer_frame, here.step = before
        writer.flush()


@contextmanager
def record_if(condition: bool | Any | Callable[[], Any]) -> Iterator[None]:
    """Record summaries inside a ``with`` block only if a condition holds.

    Args:
        condition: a bool, a bool tensor, or a function without arguments that gives one; it is asked at each summary.

    Example:
        >>> with tf.summary.record_if(lambda: step % 100 == 0):
        ...     tf.summary.scalar("loss", loss, step=step)

    References: TensorFlow `tf.summary.record_if`.
    """
    here = cell()
    before = here.condition, here.condition_frame
    settle()
    here.condition, here.condition_frame = condition, scopes.frame
    try:
        yield
    finally:
        settle()
        here.condition, here.condition_frame = before
