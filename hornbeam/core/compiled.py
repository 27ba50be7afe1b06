"""Running a captured program on tensors: compiled, recorded by open tapes, its writes committed."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import jax

from hornbeam.base import dtypes
from hornbeam.core.backward import execute
from hornbeam.core.frame import Program
from hornbeam.core.host_failures import finish, original_errors
from hornbeam.core.pure import Pure
from hornbeam.core.scopes import scopes
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import commit_all, commit_lock, lend_all, read_all
from hornbeam.engine import compiler
from hornbeam.engine.jax_compat import wide_types

_nothing = nullcontext()


class CompiledProgram:
    """A captured program, ready to run.

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
        options = compiler.options(program.closed)
        self._alone = jax.jit(functools.partial(flat, outermost=True), compiler_options=options)

    def run(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Run on tensors of the traced shapes; returns the program's outputs, flat."""
        program = self.program
        count = program.n_outputs
        arrays = [tensor._value for tensor in tensors]
        if scopes.tapes:
            objects = [*program.reads, *([None] * len(program.consts)), *tensors]
            with commit_lock, original_errors() if program.closed.effects else _nothing:
                # The tape keeps these arrays for its backward pass: they must not be donated meanwhile.
                lend_all(program.reads)
                values = [*read_all(program.reads), *program.consts, *arrays]
                results = execute(self.pure, objects, values, self.wide)
                if program.writes:
                    commit_all(program.writes, [result._value for result in results[count:]])
            return results[:count]
        host = bool(program.closed.effects)
        with wide_types(True) if self.wide else _nothing, commit_lock, original_errors() if host else _nothing:
            raw = self._alone(*read_all(program.reads), *program.consts, *arrays)
            if host:
                finish(raw)
            if program.writes:
                commit_all(program.writes, raw[count:])
        return [wrap(array) for array in raw[:count]]
