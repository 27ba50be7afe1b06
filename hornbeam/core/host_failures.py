"""Errors of Python code that a compiled program calls on the host: raised as what they are.

XLA wraps them into an error of its own, whose text is a traceback. Host functions are therefore wrapped in
``remembering``, and what runs programs is put into ``original_errors``, which raises the error that was remembered.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax

_MOST = 8
# The threads that call are those of XLA, so this belongs to the process; old entries fall out.
_failures: deque[BaseException] = deque(maxlen=_MOST)


def remembering(function: Callable) -> Callable:
    """The host function itself, whose errors are remembered on their way into the compiled program."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            _failures.append(error)
            raise

    return call


@contextmanager
def original_errors() -> Iterator[None]:
    """Inside, an error of the runtime that was caused by a host function is raised as that function's error."""
    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        text = str(error)
        for original in list(_failures):
            # The text holds the traceback of its cause, so an older failure that nobody asked about is passed over.
            if type(original).__name__ in text and str(original).split("\n")[0] in text:
                _failures.clear()
                raise original from None
        raise


def finish(results: Any) -> None:
    """Wait until a program that calls the host has run, so that what it raises is raised here."""
    jax.block_until_ready(results)
    jax.effects_barrier()
