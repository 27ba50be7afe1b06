"""User functions of tensors as pure programs: what loops, branches and maps are made of.

``capture`` traces a function once (``core.frame.Program``) and finds the variables it reads and writes and the arrays
it closes over. ``execute_captured`` then runs a construct of ``jax.lax`` over one or more captured functions as a
single pure call: variables and watched tensors are inputs of it like the arguments, written variables are outputs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import dtypes, settings
from hornbeam.core.arguments import value_of
from hornbeam.core.backward import execute, watched
from hornbeam.core.frame import Program
from hornbeam.core.pure import Pure
from hornbeam.core.scopes import scopes
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor, Tensor, from_host, wrap
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import Tracer, wide_types

__all__ = [
    "Captured",
    "Leaves",
    "capture",
    "capture_with_tree",
    "execute_captured",
    "flatten_outputs",
    "from_leaves",
    "gives_way",
    "like",
    "same_nesting",
    "settle",
    "to_tensors",
    "unwrapped",
]


def _is_leaf(item: Any) -> bool:
    return isinstance(item, (Tensor, Variable, KerasTensor))


def is_wide(array: Any) -> bool:
    """True for arrays of 64-bit elements."""
    return array.dtype.name in dtypes.WIDE


class Leaves:
    """A nesting of tensors, arrays and numbers, flattened.

    Attributes:
        arrays: the leaves as arrays or tracers.
        objects: the tensor or variable that each leaf came from, or None.
        weak: True for leaves that were Python numbers, whose dtype may give way to that of a result.
        tree: the nesting.
        raw: True if there are JAX arrays but neither tensors nor variables; user functions then get raw arrays too.
    """

    def __init__(self, structure: Any) -> None:
        items, self.tree = jax.tree_util.tree_flatten(structure, is_leaf=_is_leaf)
        self.objects = [item if isinstance(item, (Tensor, Variable)) else None for item in items]
        self.weak = [type(item) in (bool, int, float, complex) for item in items]
        self.arrays = [array_of(item) for item in items]
        plain = any(isinstance(item, (jax.Array, Tracer)) for item in items)
        self.raw = plain and not any(item is not None for item in self.objects)

    def structs(self, skip_axis: bool = False) -> list[jax.ShapeDtypeStruct]:
        """Shapes and dtypes of the leaves, without their first axis if ``skip_axis``."""
        return [jax.ShapeDtypeStruct(a.shape[1:] if skip_axis else a.shape, a.dtype) for a in self.arrays]

    def rebuild(self, arrays: Sequence[Any], raw: bool) -> Any:
        """The nesting with other arrays in it, wrapped as tensors unless ``raw``."""
        return from_leaves(self.tree, arrays, raw)


def array_of(item: Any) -> Any:
    """One array or tracer for a tensor, variable, array or number."""
    if isinstance(item, HostTensor):
        raise TypeError("A string tensor cannot enter a loop, branch or map; turn the strings into numbers first.")
    item = value_of(item)
    if isinstance(item, (jax.Array, Tracer)):
        return item
    if isinstance(item, bool):
        return jnp.asarray(item)
    if isinstance(item, int):
        return jnp.asarray(item, jnp.int32)
    if isinstance(item, float):
        return jnp.asarray(item, dtypes.as_dtype(settings.floatx()).as_numpy_dtype)
    return from_host(np.asarray(item))._value


def from_leaves(tree: Any, arrays: Sequence[Any], raw: bool) -> Any:
    """Nesting from its leaves, wrapped as tensors unless ``raw``."""
    return jax.tree_util.tree_unflatten(tree, [a if raw or isinstance(a, Tensor) else wrap(a) for a in arrays])


def to_tensors(structure: Any) -> Any:
    """Numbers, arrays and variables of a nesting as tensors; raw JAX arrays stay as they are."""

    def convert(leaf: Any) -> Any:
        if isinstance(leaf, (Tensor, KerasTensor, jax.Array, Tracer)):
            return leaf
        return leaf.read_value() if isinstance(leaf, Variable) else wrap(array_of(leaf))

    return jax.tree_util.tree_map(convert, structure, is_leaf=_is_leaf)


def flatten_outputs(outputs: Any) -> tuple[list[Any], Any]:
    """Arrays of what a user function returned, and the nesting. Numbers become weak-typed arrays."""
    items, tree = jax.tree_util.tree_flatten(outputs, is_leaf=_is_leaf)
    return [value_of(item) if _is_leaf(item) else jnp.asarray(item) for item in items], tree


class Captured:
    """A user function as a pure program; see ``capture``.

    Attributes:
        program: the program.
        structs: shape, dtype and weakness of each output, as JAX's abstract values.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.structs = list(program.closed.out_avals[: program.n_outputs])


def capture(function: Callable[..., list], structs: Sequence[Any]) -> Captured:
    """Trace ``function(*arrays) -> list of arrays`` on abstract arrays."""
    with (
        wide_types(True)
        if any(is_wide(struct) for struct in structs)
        else wide_types(getattr(jax.config, "jax_enable_x64", False))
    ):
        return Captured(Program(function, list(structs)))


def _spread(composed: Callable, lowering: Callable, *values: Any) -> list:
    return composed(lowering, values)


def execute_captured(
    captured: Sequence[Captured],
    lowering: Callable[[list[Callable], tuple, list], tuple[list, tuple]],
    leaves: Sequence[Any],
    objects: Sequence[Any],
    differentiable: Callable[[list[Callable], tuple, list], tuple[list, tuple]] | None = None,
) -> list[Tensor]:
    """Run a construct over captured functions as one pure call.

    Args:
        captured: the user functions.
        lowering: ``(runs, state, arrays) -> (outputs, state)``, a composition in ``jax.lax``. ``state`` is the tuple
            of written variables' values; ``runs[i](state, *arrays) -> (outputs, state)`` calls function ``i``.
        leaves: arrays the construct works on.
        objects: the tensors or variables they came from, or None.
        differentiable: the same composition in a form that has derivatives, used for these only; default ``lowering``.

    Returns:
        Output tensors. Written variables have got their new values.
    """
    programs = [item.program for item in captured]
    written = list(dict.fromkeys(v for program in programs for v in program.writes))
    read_only = [v for v in dict.fromkeys(v for p in programs for v in p.reads) if v not in set(written)]
    n_written, n_read = len(written), len(read_only)

    def composed(lowering: Callable, values: Sequence[Any]) -> list:
        state, fixed = values[:n_written], dict(zip(read_only, values[n_written : n_written + n_read], strict=True))
        start = n_written + n_read
        runs = []
        for program in programs:
            consts = values[start : start + len(program.consts)]
            start += len(program.consts)
            runs.append(_runner(program, written, fixed, consts))
        outputs, state = lowering(runs, state, list(values[start:]))
        return [*outputs, *state]

    flat: Callable = functools.partial(_spread, composed, lowering)
    if differentiable is not None:
        flat = jax.custom_jvp(flat)
        slow = functools.partial(_spread, composed, differentiable)
        flat.defjvp(lambda values, tangents: jax.jvp(slow, values, tangents))
    consts = [const for program in programs for const in program.consts]
    variables = [*written, *read_only]
    values = [*(v._unlent() for v in variables), *consts, *leaves]
    wide = any(is_wide(value) for value in values)
    results = execute(Pure(flat), [*variables, *watched(consts), *objects], values, wide)
    outputs, updates = results[: len(results) - n_written], results[len(results) - n_written :]
    if not (scopes.symbolic and scopes.frame is None):
        for variable, update in zip(written, updates, strict=True):
            variable._write(update._value)
    return outputs


def _runner(program: Program, written: list[Variable], fixed: dict[Variable, Any], consts: Sequence[Any]) -> Callable:
    def run(state: tuple, *arrays: Any) -> tuple[list, tuple]:
        current = dict(zip(written, state, strict=True))
        reads = [current[v] if v in current else fixed[v] for v in program.reads]
        outputs, updates = program.pure(reads, consts, arrays)
        for variable, update in zip(program.writes, updates, strict=True):
            current[variable] = like(update, current[variable])
        return outputs, tuple(current[v] for v in written)

    return run


def like(array: Any, model: Any) -> Any:
    """The array in the (strong) dtype of another one."""
    return jax.lax.convert_element_type(array, model.dtype)


def settle(make: Callable[[list], Captured], carry: Leaves, where: str) -> Captured:
    """Capture a loop body whose first outputs must be like its carry, and make them so.

    A carry that started as a Python number takes the dtype that the body gives it.

    Args:
        make: captures the body for given shapes and dtypes of the carry.
        carry: initial carry; its arrays are cast in place where needed.
        where: name of the construct, for messages.
    """
    for attempt in range(3):
        captured = make(carry.structs())
        found = captured.structs[: len(carry.arrays)]
        changed = False
        for position, (array, out) in enumerate(zip(carry.arrays, found, strict=True)):
            if array.shape != out.shape:
                raise TypeError(
                    f"{where}: the body must return loop values of the shapes it was given; value {position} had shape "
                    f"{tuple(array.shape)} and came back with shape {tuple(out.shape)}."
                )
            if not gives_way(out, array):
                if not carry.weak[position] or attempt == 2:
                    raise TypeError(
                        f"{where}: the body must return loop values of the dtypes it was given; value {position} had "
                        f"dtype {array.dtype} and came back as {out.dtype}. Cast one of them."
                    )
                with wide_types(is_wide(out)):
                    carry.arrays[position] = like(array, out)
                changed = True
        if not changed:
            break
    return captured


_KINDS = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2, "c": 3}


def gives_way(value: Any, model: Any) -> bool:
    """True if a value has the dtype of the model, or is weak-typed and can take it without losing its kind."""
    if value.dtype == model.dtype:
        return True
    return bool(value.weak_type) and _KINDS[np.dtype(value.dtype).kind] <= _KINDS[np.dtype(model.dtype).kind]


def unwrapped(outputs: list, raw: bool) -> list:
    """Arrays of output tensors if the caller gave raw arrays, else the tensors."""
    return [out._value for out in outputs] if raw else outputs


def capture_with_tree(function: Callable, structs: Sequence[Any] = ()) -> tuple[Captured, Any]:
    """Capture a function that may return any nesting; gives that nesting too."""
    trees: list[Any] = []

    def flat(*arrays: Any) -> list:
        outputs, tree = flatten_outputs(function(*arrays))
        trees.append(tree)
        return outputs

    return capture(flat, structs), trees[-1]


def same_nesting(where: str, outputs: Any, carry: Leaves) -> list:
    """Arrays of what a loop body returned, which must have as many leaves as its carry."""
    arrays, tree = flatten_outputs(outputs)
    if len(arrays) != len(carry.arrays):
        raise TypeError(f"{where}: the body must return the nesting it was given: {carry.tree}; received {tree}.")
    return arrays
