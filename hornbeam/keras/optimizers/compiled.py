"""The eager update of all variables as one compiled program."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from typing import Any

from hornbeam.base.errors import ShapeError, explain
from hornbeam.core.conversion import as_array
from hornbeam.core.donating import Donating
from hornbeam.core.frame import Program
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable, commit_lock, read_all
from hornbeam.engine.jax_compat import ArrayImpl, wide_types

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

        self.program = Donating(run)

    def __call__(self, gradients: list) -> None:
        """Run the step and set the variables."""
        with commit_lock, wide_types(True) if self.wide else _narrow:
            self.program(self.donated, (read_all(self.kept), gradients), self.writes)


def plain_arrays(gradients: Sequence[Any]) -> list | None:
    """Arrays of the gradients if all are concrete; None sends the caller to the general way."""
    arrays = []
    for gradient in gradients:
        kind = type(gradient)
        if kind is Tensor:
            gradient = gradient._value
            kind = type(gradient)
        if kind is not ArrayImpl:
            return None
        arrays.append(gradient)
    return arrays


def step_key(variables: Sequence[Variable], arrays: Sequence[Any]) -> tuple:
    """What a compiled step is made for: variables, and shapes and dtypes of gradients."""
    # Variables are known by id: the optimizer holds on to every variable that it has a program for.
    return (*map(id, variables), *[(array.shape, array.dtype) for array in arrays])


def gradient_array(gradient: Any, variable: Variable) -> Any:
    """Array of one gradient of any kind, checked against the variable's shape."""
    array = gradient._value if isinstance(gradient, Tensor) else gradient
    if isinstance(array, Variable):
        array = array.read_array()
    if not hasattr(array, "aval"):  # NumPy arrays, lists, numbers
        array = as_array(array, variable._dtype)
    if tuple(array.shape) != tuple(variable._shape):
        raise ShapeError(
            explain(
                f"The gradient for variable {variable.path} does not have the variable's shape.",
                expected=f"shape {tuple(variable._shape)}",
                received=f"shape {tuple(array.shape)}",
                fix="pass gradients in the order of the variables",
            )
        )
    return array
