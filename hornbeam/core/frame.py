"""Frames: state in, state out for a pure program.

While a frame is open, every ``Variable`` read or written in this thread goes through it, so that a
function with side effects on variables becomes a pure one. ``capture`` traces such a function once
and finds out by itself which variables it reads and writes; those become inputs and outputs of a
compiled program. This one mechanism serves layer calls, training steps and ``tf.function``.

How variables are found: a read inside the trace hands out the variable's concrete array, which JAX
records as a constant of the program; constants that are known to belong to a variable are then turned
into inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from hornbeam.core.conversion import copy_array
from hornbeam.core.scopes import scopes
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable, commit_lock, held
from hornbeam.engine import whole_program
from hornbeam.engine.jax_compat import capture_jaxpr, eval_jaxpr, wide_types

# Staged without leaving a trace in the program, yet its result is a tracer: a Python ``if`` on a
# variable then raises instead of silently freezing today's value into the program.
_stage = jax.jit(lambda array: array, inline=True)


@jax.custom_jvp
def _read_of(value: Any, source: Any) -> Any:
    """``value``, with the derivative of ``source``: reading a variable anew differentiates to the variable."""
    return value


@_read_of.defjvp
def _read_of_jvp(primals: tuple, tangents: tuple) -> tuple[Any, Any]:
    return _read_of(*primals), tangents[1]


class Frame:
    """Values of variables inside a pure program.

    Args:
        values: variables whose value in this program is already known (tracers); gradients are taken with
            respect to these, also of reads that follow an assignment.
        parent: the frame around; reads that find nothing here go there.

    Attributes:
        asked: variables whose value came from the frame around.
        notes: scratch data of rooms above that lives as long as the frame (losses added by layers).
    """

    def __init__(self, values: dict[Variable, Any] | None = None, parent: Frame | None = None) -> None:
        self.values: dict[Variable, Any] = dict(values or {})
        self.given: dict[Variable, Any] = dict(self.values)
        self.parent = parent
        self.written: dict[Variable, None] = {}
        # With the arrays, which stay alive, as their identity must not pass to others.
        self.captured: dict[int, tuple[Variable, Any]] = {}
        self.asked: dict[Variable, None] = {}
        self.notes: dict[Any, Any] = {}
        self._before: Any = None

    def read(self, variable: Variable) -> Any:
        """Current value of a variable in this program."""
        found = self.values.get(variable)
        if found is not None:
            if variable not in self.written:
                return found
            # No gradient flows through an assignment, inside a program as outside of one.
            found = jax.lax.stop_gradient(found)
            return _read_of(found, self._differentiated(variable)) if variable._trainable else found
        return self._first(variable)

    def _first(self, variable: Variable) -> Any:
        """Value of a variable that this frame was not given and has not written."""
        if self.parent is not None:
            self.asked[variable] = None
            return self.parent.read(variable)
        with commit_lock:
            array = held(variable)
            if self.captured.get(id(array), (None,))[0] is not variable:
                owned = id(array) not in self.captured and not variable._lent
                if not owned:
                    # Another variable shares the array, or a tensor that the function may close over: give the
                    # variable one of its own, so that this constant of the program is nothing but its value.
                    with jax.ensure_compile_time_eval():
                        array = variable._array = copy_array(array)
                    variable._lent = False
                self.captured[id(array)] = variable, array
        # Not kept: this read may happen inside an inner transformation (scan, cond), whose tracer must not reach
        # a later read outside of it. Staging again costs nothing and names the same constant.
        with wide_types(array.dtype.itemsize == 8):
            return _stage(array)

    def _differentiated(self, variable: Variable) -> Any:
        """The value with respect to which gradients for a variable are taken: what it was when the program began."""
        frame = self
        while frame.parent is not None:
            if variable in frame.given:
                return frame.given[variable]
            frame = frame.parent
        return frame.given[variable] if variable in frame.given else frame._first(variable)

    def write(self, variable: Variable, value: Any) -> None:
        """Set the value of a variable for the rest of this program."""
        self.values[variable] = value
        self.written[variable] = None

    def __enter__(self) -> Frame:
        self._before = scopes.frame
        scopes.frame = self
        return self

    def __exit__(self, *details: Any) -> None:
        scopes.frame = self._before

    def updates(self) -> tuple[list[Variable], list[Any]]:
        """Variables written so far, and their values."""
        written = list(self.written)
        return written, [self.values[variable] for variable in written]


def isolated(function: Callable, values: dict[Variable, Any]) -> tuple[Any, dict[Variable, Any]]:
    """Run ``function()`` in an inner frame; returns its result and the variables it wrote, with values.

    Used inside ``jax.grad``, ``scan`` and ``cond``, whose tracers must not reach the frame around.
    """
    frame = Frame(values, parent=scopes.frame)
    with frame:
        result = function()
    return result, {variable: frame.values[variable] for variable in frame.written}


class Program:
    """A captured function: a pure program plus the variables that are its inputs and outputs.

    Attributes:
        reads: variables that are inputs, in order.
        writes: variables that are outputs, in order.
        pure: function ``(read_arrays, consts, flat_args) -> (flat_outputs, written_arrays)``.
        consts: arrays that the function closed over and that belong to no variable.
        out_tree: tree of the function's outputs.
    """

    def __init__(self, function: Callable, args: Sequence[Any]) -> None:
        frame = Frame()
        self.out_tree: Any = None

        def traced(*inner: Any) -> Any:
            with frame:
                outputs = function(*inner)
                leaves, self.out_tree = jax.tree_util.tree_flatten(outputs)
                return leaves, frame.updates()[1]

        before_tapes, scopes.tapes = scopes.tapes, ()
        outer_frame, scopes.frame = scopes.frame, None
        try:
            closed, structs = capture_jaxpr(traced, args)
        finally:
            scopes.tapes, scopes.frame = before_tapes, outer_frame
        self.closed = closed
        self.n_outputs = len(structs[0])
        self.writes = list(frame.written)
        self.consts: list[Any] = []
        # Which constant of the jaxpr is which: ("variable", position) or ("const", position).
        self._slots: list[tuple[bool, int]] = []
        places: dict[Variable, int] = {}
        for const in closed.consts:
            variable, _ = frame.captured.get(id(const), (None, None))
            if variable is not None:
                # Two constants are the same variable if its array was replaced meanwhile.
                self._slots.append((True, places.setdefault(variable, len(places))))
            else:
                self._slots.append((False, len(self.consts)))
                self.consts.append(const)
        self.reads = list(places)

    def pure(
        self, reads: Sequence[Any], consts: Sequence[Any], flat_args: Sequence[Any], outermost: bool = False
    ) -> tuple[list, list]:
        """Run the program on arrays (or tracers).

        Args:
            reads: values of the variables in ``reads``.
            consts: values for ``consts``.
            flat_args: the function's arguments.
            outermost: True if this becomes the whole of a compiled program, which nobody differentiates. It is then
                changed for speed (``engine.whole_program``).
        """
        ordered = [reads[i] if is_variable else consts[i] for is_variable, i in self._slots]
        evaluate = whole_program.evaluate if outermost else eval_jaxpr
        results = evaluate(self.closed, ordered, flat_args)
        return results[: self.n_outputs], results[self.n_outputs :]

    def unflatten(self, leaves: Sequence[Any]) -> Any:
        """Outputs in the form the function returned them."""
        return jax.tree_util.tree_unflatten(self.out_tree, leaves)


def flatten_args(args: Any) -> tuple[list[Any], Any]:
    """Arrays of any nesting of tensors and arrays, and the tree to rebuild it."""
    return jax.tree_util.tree_flatten(args)


def unwrap_tree(tree: Any) -> Any:
    """Tensors replaced by their arrays, everything else as it is."""
    return jax.tree_util.tree_map(
        lambda leaf: leaf._value if isinstance(leaf, Tensor) else leaf, tree, is_leaf=lambda x: isinstance(x, Tensor)
    )
