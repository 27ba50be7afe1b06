"""Layer calls recorded on a gradient tape as one node each.

Used where the tape's usual grain, one node per op, would be wrong or slow: inside a trace, where a whole layer
or model is differentiated at once, and for layers that hand watched tensors to plain ``jnp`` functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from hornbeam.base import dtypes
from hornbeam.core.backward import execute
from hornbeam.core.frame import Frame
from hornbeam.core.pure import Pure
from hornbeam.core.scopes import override, scopes
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable


def run_as_one_node(layer: Any, run: Callable[..., Any], tensors: list[Tensor]) -> Any:
    """``run(*tensors)`` with all of it seen by the open tapes as one differentiable step.

    Args:
        layer: layer whose trainable variables take part.
        run: function of tensors that calls the layer; returns any nesting of tensors.
        tensors: its inputs.

    Returns:
        What ``run`` returned, with recorded tensors.
    """
    variables: list[Variable] = list(layer.trainable_variables)
    while True:
        call = _Call(run, variables)
        values = [variable.read_array() for variable in variables]
        arrays = [tensor._value for tensor in tensors]
        wide = any(dtypes.is_wide(array.dtype.name) for array in (*values, *arrays))
        with override(autocast=None):
            results = execute(Pure(call, compiled=False), [*variables, *tensors], [*values, *arrays], wide)
        known = set(map(id, variables))
        missed = [variable for variable in call.asked if _is_watched(variable) and id(variable) not in known]
        if not missed:
            return call.finish(results)
        # A variable from outside the layer was read: it must become an input, or its gradient would be lost.
        variables += missed


def _is_watched(variable: Variable) -> bool:
    """True for trainable variables, and for others that a tape was told to watch."""
    return variable.trainable or any(tape._watches(variable) for tape in scopes.tapes)


class _Call:
    """The pure function behind ``run``; remembers the form of its outputs."""

    def __init__(self, run: Callable[..., Any], variables: list[Variable]) -> None:
        self._run, self._variables = run, variables
        self._tree: Any = None
        self._written: list[Variable] = []
        self.asked: list[Variable] = []

    def __call__(self, *args: Any) -> list[Any]:
        count = len(self._variables)
        frame = Frame(dict(zip(self._variables, args[:count], strict=True)), parent=scopes.frame)
        with frame, override(tapes=()):
            outputs = self._run(*(wrap(array) for array in args[count:]))
        leaves, self._tree = jax.tree_util.tree_flatten(outputs, is_leaf=_is_tensor)
        self._written = list(frame.written)
        self.asked = list(frame.asked)
        arrays = [leaf._value if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        return [*arrays, *(frame.values[variable] for variable in self._written)]

    def finish(self, results: list[Tensor]) -> Any:
        """Make the writes to variables, and give the outputs their form."""
        count = len(results) - len(self._written)
        for variable, result in zip(self._written, results[count:], strict=True):
            variable._write(result._value)
        return jax.tree_util.tree_unflatten(self._tree, results[:count])


def _is_tensor(node: Any) -> bool:
    return isinstance(node, Tensor)
