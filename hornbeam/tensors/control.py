"""Control flow: branches, loops, maps and scans.

Arguments that only tell TensorFlow how to schedule work (``parallel_iterations``, ``back_prop``, ``swap_memory``,
``infer_shape``) change no result there and none here.
"""

from __future__ import annotations

import builtins
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from hornbeam import ops
from hornbeam.base import trees
from hornbeam.base.errors import NotSupportedError, TraceError
from hornbeam.core.door import wrap_tree
from hornbeam.core.tensor import HostTensor, Tensor
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import is_tracing
from hornbeam.errors import InvalidArgumentError
from hornbeam.ops.capture import Leaves, capture_with_tree
from hornbeam.tensors.face import is_known, kept, tensor
from hornbeam.tensors.tensor_array import TensorArray

__all__ = [
    "case",
    "cond",
    "control_dependencies",
    "foldl",
    "foldr",
    "group",
    "map_fn",
    "no_op",
    "scan",
    "switch_case",
    "tuple",
    "vectorized_map",
    "while_loop",
]

_NEEDS_VALUE = (jax.errors.ConcretizationTypeError, jax.errors.NonConcreteBooleanIndexError, TraceError)


# --- branches ------------------------------------------------------------------------------------
def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    name: str | None = None,
) -> Any:
    """Result of ``true_fn()`` if ``pred`` holds, else of ``false_fn()``.

    Inside compiled functions both must return the same nesting, shapes and dtypes.

    Raises:
        TypeError: a branch is not callable.
    """
    for branch, which in ((true_fn, "true_fn"), (false_fn, "false_fn")):
        if not callable(branch):
            raise TypeError(f"tf.cond: `{which}` must be callable, received {branch!r}.")
    return wrap_tree(ops.cond(pred, true_fn, false_fn))


def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str | None = "case",
) -> Any:
    """Result of the first function whose predicate holds, else of ``default`` (else of the last function).

    Args:
        pred_fn_pairs: list of pairs ``(predicate, function without arguments)``.
        default: function for the case that no predicate holds.
        exclusive: raise if more than one holds, which must be known now.
        strict: True also makes a lonely result a list; results come as the functions return them otherwise.

    Raises:
        tf.errors.InvalidArgumentError: no predicate holds and there is no default, or several hold.
    """
    pairs = list(pred_fn_pairs.items()) if isinstance(pred_fn_pairs, Mapping) else list(pred_fn_pairs)
    known = is_known(*(pred for pred, _ in pairs))
    if exclusive:
        if not known:
            raise TraceError("tf.case(exclusive=True): the predicates are not known inside compiled functions.")
        if sum(bool(pred) for pred, _ in pairs) > 1:
            raise InvalidArgumentError(
                None, None, "tf.case: more than one condition evaluated as True but exclusive=True."
            )
    if default is None and known and not any(bool(pred) for pred, _ in pairs):
        raise InvalidArgumentError(
            None, None, "tf.case: none of the conditions evaluated as True, and no default is given."
        )
    result = pairs[-1][1] if default is None else default
    rest = pairs[:-1] if default is None else pairs
    for pred, function in reversed(rest):
        result = _branch(pred, function, result)
    found = result()
    return [found] if strict and not isinstance(found, (list, builtins.tuple)) else found


def _branch(pred: Any, function: Callable, otherwise: Callable) -> Callable:
    return lambda: cond(pred, function, otherwise)


def switch_case(branch_index: Any, branch_fns: Any, default: Callable | None = None, name: str | None = None) -> Any:
    """Result of the function with the given number; of ``default`` (else of the last one) if there is none.

    Args:
        branch_index: int32 scalar.
        branch_fns: list of functions without arguments, of pairs ``(number, function)``, or a dict of them.
        default: function for all other numbers.
    """
    table = _numbered(branch_fns)
    last = table[max(table)] if default is None else default
    functions = [table.get(number, last) for number in range(max(table) + 1)] + [last]
    index = tensor(branch_index)
    inside = ops.logical_and(ops.greater_equal(index, 0), ops.less(index, len(functions) - 1))
    return wrap_tree(ops.switch(ops.where(inside, index, len(functions) - 1), functions))


def _numbered(branch_fns: Any) -> dict[int, Callable]:
    if isinstance(branch_fns, Mapping):
        return dict(branch_fns)
    pairs: list[Any] = [item if isinstance(item, Sequence) else (place, item) for place, item in enumerate(branch_fns)]
    if not pairs or not all(callable(function) for _, function in pairs):
        raise TypeError("tf.switch_case: `branch_fns` must be functions, or pairs of numbers and functions.")
    return dict(pairs)


# --- loops ---------------------------------------------------------------------------------------
def while_loop(
    cond: Callable,
    body: Callable,
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Repeat ``loop_vars = body(*loop_vars)`` while ``cond(*loop_vars)`` holds.

    Args:
        cond: returns a boolean scalar.
        body: returns the new loop variables.
        loop_vars: list or tuple of values (nestings, ``TensorArray``).
        shape_invariants: shapes that may change, for TensorFlow's graphs. Here eager loops may change all shapes, and
            loops inside compiled functions none, whatever is given.
        maximum_iterations: steps at most.

    Returns:
        The last loop variables, as a list if ``loop_vars`` is one, else a tuple.
    """
    values = list(loop_vars) if isinstance(loop_vars, (list, builtins.tuple)) else [loop_vars]
    if is_tracing():
        values = _with_known_arrays(body, values)

    def step(*args: Any) -> Any:
        out = body(*args)
        if len(values) == 1 and not (isinstance(out, (list, builtins.tuple)) and len(out) == 1):
            return (out,)
        return builtins.tuple(out)

    found = wrap_tree(ops.while_loop(cond, step, builtins.tuple(values), maximum_iterations))
    return list(found) if isinstance(loop_vars, list) else found


def _with_known_arrays(body: Callable, values: list) -> list:
    """Tensor arrays that nothing was written to yet get the shape of what the body writes: a loop needs it."""
    empty = [place for place, value in enumerate(values) if isinstance(value, TensorArray) and value.is_shapeless]
    if not empty:
        return values
    given = Leaves(values)
    _, tree = capture_with_tree(lambda *arrays: body(*given.rebuild(arrays, given.raw)), given.structs())
    found = jax.tree_util.tree_unflatten(tree, [None] * tree.num_leaves)
    found = found if isinstance(found, (list, builtins.tuple)) else [found]
    return [
        value.shaped_like(found[place]) if place in empty and isinstance(found[place], TensorArray) else value
        for place, value in enumerate(values)
    ]


def map_fn(
    fn: Callable,
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """Apply ``fn`` to each slice of ``elems`` along axis 0, one after the other, and stack the results.

    The function is compiled and run in one loop. One that needs values in Python, or strings, is run as written,
    slice by slice, if the call is eager.

    Args:
        fn: function of a slice (of the nesting of slices).
        elems: tensor or nesting of tensors.
        dtype: former name of ``fn_output_signature``.
        fn_output_signature: dtypes (or ``TensorSpec``) of the results, which are cast to them.
    """
    signature = dtype if fn_output_signature is None else fn_output_signature
    ragged = next((leaf for leaf in trees.flatten(elems) if hasattr(leaf, "map_rows")), None)
    if ragged is not None:
        return ragged.map_rows(fn, elems, any(hasattr(kind, "ragged_rank") for kind in trees.flatten(signature)))
    elems = trees.map_structure(tensor, elems)
    if not trees.flatten(elems):
        raise ValueError("tf.map_fn: `elems` holds no tensor.")
    if any(isinstance(leaf, HostTensor) for leaf in trees.flatten(elems)):
        stacked = _slice_by_slice(fn, elems)
    else:
        try:
            stacked = ops.map(fn, elems)
        except _NEEDS_VALUE:
            if is_tracing():
                raise
            stacked = _slice_by_slice(fn, elems)
    if signature is None:
        return wrap_tree(stacked)
    return trees.map_structure(
        lambda out, kind: out if isinstance(out, HostTensor) else kept(out, getattr(kind, "dtype", kind)),
        wrap_tree(stacked),
        signature,
    )


def _slice_by_slice(fn: Callable, elems: Any) -> Any:
    count = len(trees.flatten(elems)[0])
    results = [
        trees.map_structure(tensor, fn(trees.map_structure(lambda leaf, i=i: _slice(leaf, i), elems)))
        for i in range(count)
    ]
    if not results:
        raise ValueError("tf.map_fn: `elems` has no slices, so the shapes of the results cannot be known.")
    return trees.map_structure(lambda *parts: _stacked(parts), *results)


def _slice(leaf: Any, place: int) -> Any:
    if isinstance(leaf, HostTensor):
        found = np.empty((), object)
        found[()] = leaf._value[place]
        return HostTensor(found if leaf._value.ndim == 1 else leaf._value[place])
    return leaf[place]


def _stacked(parts: Any) -> Any:
    if isinstance(parts[0], HostTensor):
        return HostTensor(np.stack([part._value for part in parts]))
    return ops.stack(list(parts))


def vectorized_map(fn: Callable, elems: Any, fallback_to_while_loop: bool = True, warn: bool = True) -> Any:
    """Apply ``fn`` to each slice of ``elems`` along axis 0, all at once, and stack the results.

    Args:
        fn: function of a slice (of the nesting of slices).
        elems: tensor or nesting of tensors.
        fallback_to_while_loop: run what cannot be vectorised (assignments to variables) slice by slice.
        warn: nothing needs a warning here: what falls back gives the same numbers.
    """
    elems = trees.map_structure(tensor, elems)
    try:
        return wrap_tree(ops.vectorized_map(fn, elems))
    except NotSupportedError:
        if not fallback_to_while_loop:
            raise
        return wrap_tree(ops.map(fn, elems))


def scan(
    fn: Callable,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """All values of ``a = fn(a, x)`` over the slices ``x`` of ``elems`` along axis 0, stacked.

    Args:
        fn: function of the value so far and a slice.
        elems: tensor or nesting of tensors.
        initializer: first value; by default the first slice, which is then also the first result.
        reverse: go from the last slice to the first; results keep the places of their slices.
    """
    elems = trees.map_structure(tensor, elems)
    start = initializer
    if initializer is None:
        edge = -1 if reverse else 0
        start = trees.map_structure(lambda leaf: leaf[edge], elems)
        elems = trees.map_structure(lambda leaf: leaf[:-1] if reverse else leaf[1:], elems)
    start = trees.map_structure(tensor, start)

    def step(carry: Any, x: Any) -> builtins.tuple[Any, Any]:
        value = fn(carry, x)
        return value, value

    stacked = ops.scan(step, start, elems, reverse=bool(reverse))[1]
    if initializer is None:
        stacked = trees.map_structure(
            lambda first, rest: ops.concatenate(
                [rest, ops.expand_dims(first, 0)] if reverse else [ops.expand_dims(first, 0), rest]
            ),
            start,
            stacked,
        )
    return wrap_tree(stacked)


def foldl(
    fn: Callable,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """The last value of ``a = fn(a, x)`` over the slices of ``elems``, from the first on; see ``scan``."""
    return trees.map_structure(lambda leaf: leaf[-1], scan(fn, elems, initializer))


def foldr(
    fn: Callable,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """The last value of ``a = fn(a, x)`` over the slices of ``elems``, from the last on; see ``scan``."""
    return trees.map_structure(lambda leaf: leaf[0], scan(fn, elems, initializer, reverse=True))


# --- order ---------------------------------------------------------------------------------------
def group(*inputs: Any, **kwargs: Any) -> None:
    """Nothing: operations run in the order of the program, so there is nothing left to wait for.

    Raises:
        TypeError: a keyword other than ``name``.
    """
    if set(kwargs) - {"name"}:
        raise TypeError(f"tf.group: unknown keyword arguments {sorted(set(kwargs) - {'name'})}.")


def no_op(name: str | None = None) -> None:
    """Nothing."""
    return None


def tuple(tensors: Any, control_inputs: Any = None, name: str | None = None) -> list:
    """The tensors as a list; operations run in the order of the program, so ``control_inputs`` ran before."""
    return [None if item is None else tensor(item) for item in tensors]


@contextlib.contextmanager
def control_dependencies(control_inputs: Any) -> Iterator[None]:
    """A ``with`` block after ``control_inputs``, which in a program that runs in order have run anyway.

    Functions among them are called.
    """
    for item in control_inputs or ():
        if callable(item) and not isinstance(item, (Tensor, Variable)):
            item()
    yield
