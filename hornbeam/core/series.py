"""Several calls of one compiled program as one launch.

A training loop of one's own calls its step once per batch, and a launch costs as much as the step of a small network.
So calls wait (``core.waiting``) until there are enough of them, and run in one loop inside of XLA, as the steps of
``fit`` do. Results that nobody has looked at wait too. Where they are looked at after every call there is nothing to
gain, and calls run one by one again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base.errors import StateError
from hornbeam.core.donating import Donating
from hornbeam.core.frame import Program
from hornbeam.core.tensor import Tensor
from hornbeam.core.waiting import commit_lock, waiting
from hornbeam.engine import compiler, loops
from hornbeam.engine.jax_compat import ArrayImpl, is_tracing, wide_types

_nothing = nullcontext()
_LENGTH = 8
"""Calls in a launch; more gain little."""
_CALLS_AT_FIRST = 100
_FULL_BEFORE_COMPILING = 4
_CUT_BEFORE_PAUSE = 3
_PAUSE = 1000
"""Calls, doubled each time."""


class Series:
    """Collects the calls of a program.

    Args:
        program: the program; it calls nothing on the host and has no 64-bit types.
        pure: ``pure(state, kept, consts, arrays)`` gives new values of what the program writes, then its outputs.
        commit: ``commit(function, given, keep, then)`` launches ``function(state, kept, consts, given)``, sets the
            variables, hands the outputs to ``keep`` and runs through the iterator ``then``, in one act.
        alone: ``pure``, compiled.
    """

    def __init__(self, program: Program, pure: Callable, commit: Callable, alone: Donating) -> None:
        self._program, self._pure = program, pure
        self._commit, self._alone = commit, alone
        self._many = Donating(self._run_many, compiler.options(program.closed))
        self._variables = frozenset((*program.reads, *program.writes))
        # On several devices arrays may be split, which stacking them would undo.
        self._length = min(_LENGTH, loops.steps_per_call(program.closed)) if jax.device_count() == 1 else 1
        # Compiling the loop takes time that grows with the program, and pays for itself in about as many calls.
        self._until = _CALLS_AT_FIRST + len(program.closed.jaxpr.eqns)
        self._pause = _PAUSE
        self._calls = self._full = self._cut = 0
        self._results: list[Any] = []

    def takes(self, arrays: Sequence[Any]) -> bool:
        """Count a call; True if it may wait."""
        self._calls += 1
        return self._calls > self._until and self._length > 1 and all(type(array) is ArrayImpl for array in arrays)

    def add(self, arrays: list[Any]) -> list[Tensor]:
        """Let a call wait; returns its outputs, which wait with it."""
        with commit_lock:
            if waiting.calls and waiting.launch != self._launch:
                waiting.settle()
            if not waiting.calls:
                waiting.variables, waiting.launch, self._results = self._variables, self._launch, []
            count = self._program.n_outputs
            first = len(self._results) + len(waiting.calls) * count
            outputs: list[Tensor] = [LateTensor((self._results, first + number)) for number in range(count)]
            waiting.calls.append(arrays)
            if len(waiting.calls) >= self._length:
                waiting.settle()
        return outputs

    def _launch(self) -> None:
        calls, keep = waiting.calls, self._results.extend
        is_full = len(calls) == self._length
        as_one = is_full and self._full >= _FULL_BEFORE_COMPILING
        self._note(is_full)
        with (
            wide_types(False) if jax.config.read("jax_enable_x64") else _nothing,
            jax.ensure_compile_time_eval() if is_tracing() else _nothing,
        ):
            if as_one:
                given = (list(calls), np.int32(self._length))
                self._commit(self._many, given, keep, map(calls.__delitem__, (slice(None),)))
                return
            while calls:
                self._commit(self._alone, calls[0], keep, map(calls.__delitem__, (0,)))

    def _note(self, is_full: bool) -> None:
        """Learn from a series of calls whether the next ones should wait."""
        if is_full:
            self._full, self._cut = self._full + 1, 0
            return
        self._cut += 1
        if self._cut >= _CUT_BEFORE_PAUSE:
            self._until, self._cut = self._calls + self._pause, 0
            self._pause *= 2

    def _run_many(self, state: list, kept: list, consts: list, given: tuple[list[list], Any]) -> list[Any]:
        """What ``pure`` gives after each of the calls: the last values, then all outputs."""
        (calls, count), writes = given, self._program.writes
        place = {variable: number for number, variable in enumerate(writes)}
        read_and_written = [variable for variable in self._program.reads if variable in place]
        window = [jnp.stack(column) for column in zip(*calls, strict=True)]

        def step(number: Any, carry: tuple[list, list]) -> tuple[list, list]:
            values, outputs = carry
            before = [values[place[variable]] for variable in read_and_written]
            made = self._pure(before, kept, consts, [rows[number] for rows in window])
            update = jax.lax.dynamic_update_index_in_dim
            new = zip(outputs, made[len(writes) :], strict=True)
            return made[: len(writes)], [update(rows, one, number, 0) for rows, one in new]

        made = jax.eval_shape(self._pure, state, kept, consts, calls[0])
        known = dict(zip(read_and_written, state, strict=True))
        values = [
            known[variable] if variable in known else jnp.zeros(struct.shape, struct.dtype)
            for variable, struct in zip(writes, made, strict=False)
        ]
        rows = [jnp.zeros((len(calls), *struct.shape), struct.dtype) for struct in made[len(writes) :]]
        # The number of calls is an argument, as XLA takes loops of a known length apart.
        values, rows = jax.lax.fori_loop(0, count, step, (values, rows))
        return [*values, *(one[number] for number in range(len(calls)) for one in rows)]


class LateTensor(Tensor):
    """An output of a call that may still wait; an ordinary tensor from the first look at it on."""

    __slots__ = ()

    @property
    def _value(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        held = _held_by(self)
        if type(held) is not tuple:
            return held
        results, number = held
        if number >= len(results):
            waiting.settle()
        if number >= len(results):
            raise StateError(
                "This tensor has no value: the call of the tf.function that should have made it failed when it was "
                "launched together with others. See the error that was raised then, and call the function again."
            )
        array = results[number]
        _hold(self, array)
        self.__class__ = Tensor  # pyright: ignore[reportAttributeAccessIssue]
        return array

    @_value.setter
    def _value(self, value: Any) -> None:
        _hold(self, value)


_held_by: Any = Tensor.__dict__["_value"].__get__
_hold: Any = Tensor.__dict__["_value"].__set__
