"""Running a captured program on tensors: compiled, recorded by open tapes, its writes committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any

from hornbeam.base import dtypes
from hornbeam.core.backward import execute, watched
from hornbeam.core.donating import Donating
from hornbeam.core.frame import Program
from hornbeam.core.host_failures import finish, original_errors
from hornbeam.core.pure import Pure
from hornbeam.core.scopes import scopes
from hornbeam.core.series import Series
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import commit_all, commit_lock, lend_all, read_all
from hornbeam.engine import compiler
from hornbeam.engine.jax_compat import wide_types
from hornbeam.engine.pace import Pace

_nothing = nullcontext()


class CompiledProgram:
    """A captured program, ready to run.

    Variables that it reads and writes give their memory to their new values, as an assignment in place does: large
    models need room for one state only. Arrays that somebody else holds are copied first.

    Args:
        program: the program.
        tensors: example inputs; their dtypes say whether the program needs 64-bit types.
    """

    def __init__(self, program: Program, tensors: Sequence[Tensor]) -> None:
        self.program = program
        n_reads, n_consts = len(program.reads), len(program.consts)
        kinds = [variable._dtype for variable in (*program.reads, *program.writes)]
        kinds += [dtypes.from_numpy(const.dtype) for const in program.consts if hasattr(const, "dtype")]
        self.wide = any(map(dtypes.is_wide, [*kinds, *(tensor.dtype for tensor in tensors)]))

        def flat(*values: Any, outermost: bool = False) -> list[Any]:
            reads, consts = values[:n_reads], values[n_reads : n_reads + n_consts]
            outputs, written = program.pure(reads, consts, values[n_reads + n_consts :], outermost)
            return [*outputs, *written]

        self.pure = Pure(flat)
        # A program that calls Python code on the host may fail half way, and then the old values must still be there.
        written = set() if program.closed.effects else set(program.writes)
        self._donated = [variable for variable in program.reads if variable in written]
        self._kept = [variable for variable in program.reads if variable not in written]
        place = {variable: number for number, variable in enumerate(self._donated + self._kept)}
        order = [place[variable] for variable in program.reads]

        def alone(donated: list, kept: list, consts: list, arrays: list) -> list[Any]:
            reads = [*donated, *kept]
            outputs, new = program.pure([reads[number] for number in order], consts, arrays, outermost=True)
            return [*new, *outputs]

        self._alone = Donating(alone, compiler.options(program.closed))
        self._pace = Pace(ahead=None)
        self._series = (
            None
            if self.wide or program.closed.effects or not program.writes
            else Series(program, alone, self._commit, self._alone)
        )

    def run(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Run on tensors of the traced shapes; returns the program's outputs, flat."""
        program = self.program
        arrays = [tensor._value for tensor in tensors]
        if scopes.tapes:
            return self._run_on_tape(tensors, arrays)
        if self._series is not None and self._series.takes(arrays):
            return self._series.add(arrays)
        self._pace.wait()
        outputs: list[Any] = []
        host = bool(program.closed.effects)
        with wide_types(True) if self.wide else _nothing, commit_lock, original_errors() if host else _nothing:
            self._commit(self._alone, arrays, outputs.extend)
        self._pace.launched(outputs, () if outputs else read_all(program.writes))
        return [wrap(array) for array in outputs]

    def _run_on_tape(self, tensors: Sequence[Tensor], arrays: list[Any]) -> list[Tensor]:
        program = self.program
        objects = [*program.reads, *watched(program.consts), *tensors]
        with commit_lock, original_errors() if program.closed.effects else _nothing:
            # The tape keeps these arrays for its backward pass: they must not be donated meanwhile.
            lend_all(program.reads)
            values = [*read_all(program.reads), *program.consts, *arrays]
            results = execute(self.pure, objects, values, self.wide)
            if program.writes:
                commit_all(program.writes, [result._value for result in results[program.n_outputs :]])
        return results[: program.n_outputs]

    def _commit(
        self, function: Donating, given: Any, keep: Callable[[Iterable[Any]], Any], then: Iterable[Any] = ()
    ) -> None:
        """Launch ``function`` on what is given beside the variables, set those, and hand the outputs to ``keep``."""
        program = self.program
        rest = (read_all(self._kept), program.consts, given)
        function(self._donated, rest, program.writes, keep, then, finish if program.closed.effects else None)
