"""The eager update of all variables as one compiled program."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from itertools import chain
from typing import Any

import jax

from hornbeam.core.frame import Program
from hornbeam.core.variable import Variable, commit_all, commit_lock, read_all, reclaim
from hornbeam.engine.jax_compat import wide_types

_narrow = nullcontext()


class CompiledStep:
    """A captured optimizer step, run on new gradients of the same shapes.

    The optimizer's own variables are donated: nobody else holds their arrays, unless somebody read them, and
    then ``reclaim`` copies them first. Model variables and gradients are not, since a gradient tape may hold them.

    Args:
        function: takes the gradients; reads and writes variables.
        gradients: arrays to capture it with.
        owned: variables whose arrays may be donated.
        wide: whether 64-bit dtypes take part.
    """

    def __init__(self, function: Callable, gradients: Sequence[Any], owned: Collection[Variable], wide: bool) -> None:
        with wide_types(True) if wide else _narrow:
            program = Program(function, gradients)
        written, owned = set(program.writes), set(owned)
        self.wide = wide
        self.writes: list[Variable] = program.writes
        self.donated = [variable for variable in program.reads if variable in written and variable in owned]
        taken = set(self.donated)
        self.kept = [variable for variable in program.reads if variable not in taken]
        place = {variable: index for index, variable in enumerate(self.donated + self.kept)}
        order = [place[variable] for variable in program.reads]

        def run(donated: list, kept: list, arrays: list) -> list:
            reads = [*donated, *kept]
            return program.pure([reads[index] for index in order], program.consts, arrays)[1]

        self.program = jax.jit(run, donate_argnums=0)

    def __call__(self, gradients: list) -> None:
        """Run the step and set the variables."""
        with commit_lock, wide_types(True) if self.wide else _narrow:
            reclaim(self.donated)
            arguments = (read_all(self.donated),), (read_all(self.kept),), (gradients,)
            # The chain is lazy: launch and commit happen inside one C call, so that no signal handler can
            # raise after the old slots were donated and before the new ones are in place.
            commit_all(self.writes, chain.from_iterable(map(self.program, *arguments)))  # type: ignore[arg-type]
