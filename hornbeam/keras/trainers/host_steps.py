"""Steps that call Python on the host (assertions, ``py_function``, printing), which may fail in the middle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.core.host_failures import finish, original_errors
from hornbeam.core.variable import commit_all, commit_lock, read_all
from hornbeam.keras.trainers.program import StepProgram


class HostStep(StepProgram):
    """A step that leaves the state as it was if a host function raises, and raises that function's error.

    Args:
        step: as for ``StepProgram``.
        batch: as for ``StepProgram``.
    """

    def __init__(self, step: Callable, batch: Any) -> None:
        super().__init__(step, batch, donate=False)

    def _launch(self, function: Callable, *rest: Any) -> Any:
        with commit_lock, original_errors():
            before = read_all(self.state)
            try:
                outputs = super()._launch(function, *rest)
                finish((outputs, read_all(self.state)))
            except BaseException:
                commit_all(self.state, before)
                raise
        return outputs


def step_program(step: Callable, batch: Any, donate: bool) -> StepProgram:
    """The captured step; one of its own kind if it calls the host."""
    program = StepProgram(step, batch, donate)
    return HostStep(step, batch) if program.program.closed.effects else program
