"""Control flow: branches, loops, scans and maps over user functions of tensors.

Eagerly, ``cond``, ``switch`` and ``while_loop`` run in Python: the chosen branch, step after step, seen by tapes and
debuggers like any other code. Everything else, and all of them inside compiled functions, is captured
(``ops.capture``): the whole construct is one call of a pure function, which a tape records as one node, so gradients
reach arguments, variables read inside and tensors closed over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base.errors import NotSupportedError
from hornbeam.core.arguments import value_of
from hornbeam.engine.jax_compat import Tracer, is_tracing
from hornbeam.ops.capture import (
    Captured,
    Leaves,
    array_of,
    capture,
    execute_captured,
    flatten_outputs,
    from_leaves,
    is_symbolic,
    like,
    settle,
    symbolic_call,
    to_tensors,
)
from hornbeam.ops.custom_gradient import custom_gradient

__all__ = [
    "associative_scan",
    "cond",
    "custom_gradient",
    "fori_loop",
    "jvp",
    "map",
    "scan",
    "switch",
    "vectorized_map",
    "while_loop",
]


def _is_known(value: Any) -> bool:
    """True if a value can be used by Python right now."""
    return not isinstance(value_of(value), Tracer)


def _unwrapped(outputs: list, raw: bool) -> list:
    return [out._value for out in outputs] if raw else outputs


# --- branches ------------------------------------------------------------------------------------
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Result of ``true_fn()`` if ``pred`` holds, else of ``false_fn()``.

    Args:
        pred: boolean scalar. If it has a value now, only the chosen function runs, in Python.
        true_fn: function without arguments.
        false_fn: function without arguments; inside compiled functions it must return what ``true_fn`` returns, in
            nesting, shapes and dtypes.

    Raises:
        TypeError: the results differ in nesting, shape or dtype.
    """
    if is_symbolic(pred):
        return symbolic_call(cond, "cond", (pred, true_fn, false_fn), {})
    if _is_known(pred):
        return to_tensors(true_fn() if bool(pred) else false_fn())
    branches = [_branch(true_fn), _branch(false_fn)]
    tree = _agreed("cond", branches)
    flag = Leaves(pred)

    def lowering(runs: list[Callable], state: tuple, arrays: list) -> tuple[list, tuple]:
        return jax.lax.cond(arrays[0] != 0, *(_strong(run, branches[0][0]) for run in runs), state)

    outputs = execute_captured([item[0] for item in branches], lowering, flag.arrays, flag.objects)
    return from_leaves(tree, _unwrapped(outputs, flag.raw), flag.raw)


def switch(index: Any, branches: Sequence[Callable], *operands: Any) -> Any:
    """Result of ``branches[index](*operands)``; an index outside the branches counts as the nearest one.

    Args:
        index: integer scalar. If it has a value now, only the chosen function runs, in Python.
        branches: functions of the operands; inside compiled functions all must return the same nesting, shapes and
            dtypes.
        *operands: arguments of the branches.
    """
    if is_symbolic(index, operands):
        return symbolic_call(switch, "switch", (index, branches, *operands), {})
    if not branches:
        raise ValueError("switch() needs at least one branch.")
    if _is_known(index):
        return to_tensors(branches[max(0, min(int(index), len(branches) - 1))](*operands))
    number, given = Leaves(index), Leaves(operands)
    raw = given.raw or (number.raw and not given.arrays)
    made = [_branch(lambda *a, f=f: f(*given.rebuild(a, raw)), given.structs()) for f in branches]
    tree = _agreed("switch", made)

    def lowering(runs: list[Callable], state: tuple, arrays: list) -> tuple[list, tuple]:
        return jax.lax.switch(arrays[0], [_strong(run, made[0][0]) for run in runs], state, *arrays[1:])

    leaves, objects = number.arrays + given.arrays, number.objects + given.objects
    outputs = execute_captured([item[0] for item in made], lowering, leaves, objects)
    return from_leaves(tree, _unwrapped(outputs, raw), raw)


def _branch(function: Callable, structs: Sequence[Any] = ()) -> tuple[Captured, Any]:
    trees: list[Any] = []

    def flat(*arrays: Any) -> list:
        outputs, tree = flatten_outputs(function(*arrays))
        trees.append(tree)
        return outputs

    return capture(flat, structs), trees[-1]


def _strong(run: Callable, model: Captured) -> Callable:
    """The branch with its outputs in the dtypes of the first branch, which differ from them at most in weakness."""

    def strong(state: tuple, *arrays: Any) -> tuple[list, tuple]:
        outputs, state = run(state, *arrays)
        return [like(out, struct) for out, struct in zip(outputs, model.structs, strict=True)], state

    return strong


def _agreed(where: str, branches: list[tuple[Captured, Any]]) -> Any:
    """The nesting all branches return; raises where they differ."""
    first, tree = branches[0]
    for position, (other, other_tree) in enumerate(branches[1:], start=1):
        if other_tree != tree:
            raise TypeError(
                f"{where}: all branches must return the same nesting; branch 0 returns {tree}, branch {position} "
                f"returns {other_tree}."
            )
        for index, (a, b) in enumerate(zip(first.structs, other.structs, strict=True)):
            if a.shape != b.shape or (a.dtype != b.dtype and not a.weak_type and not b.weak_type):
                raise TypeError(
                    f"{where}: all branches must return the same shapes and dtypes; output {index} is "
                    f"{a.dtype}{list(a.shape)} in branch 0 and {b.dtype}{list(b.shape)} in branch {position}."
                )
        for index, (a, b) in enumerate(zip(first.structs, other.structs, strict=True)):
            if a.weak_type and a.dtype != b.dtype:
                first.structs[index] = b
    return tree


# --- loops ---------------------------------------------------------------------------------------
def while_loop(cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: Any = None) -> Any:
    """Repeat ``loop_vars = body(*loop_vars)`` while ``cond(*loop_vars)`` holds.

    Eagerly this is a Python loop, which tapes record step by step. Inside compiled functions it is one operation that
    cannot be differentiated backwards, because the number of steps is unknown: use ``fori_loop`` or ``scan`` there.

    Args:
        cond: returns a boolean scalar.
        body: returns the new loop values, in the nesting of ``loop_vars``.
        loop_vars: a tuple or list of values (given as separate arguments), or one value.
        maximum_iterations: steps at most.

    Returns:
        The last loop values: a tuple if ``loop_vars`` is a tuple or list, else one value.
    """
    if is_symbolic(loop_vars):
        return symbolic_call(while_loop, "while_loop", (cond, body, loop_vars), {"maximum_iterations": maximum_iterations})
    many = isinstance(loop_vars, (tuple, list))
    values = tuple(loop_vars) if many else (loop_vars,)
    if not is_tracing():
        values = to_tensors(values)
        steps = 0
        while (maximum_iterations is None or steps < int(maximum_iterations)) and bool(cond(*values)):
            values = _as_tuple(body(*values), many, len(values))
            steps += 1
        values = to_tensors(values)
        return values if many else values[0]
    values = _traced_while(cond, body, values, many, maximum_iterations)
    return values if many else values[0]


def _as_tuple(outputs: Any, many: bool, count: int) -> tuple:
    if many and isinstance(outputs, (tuple, list)):
        return tuple(outputs)
    if many and count > 1:
        raise ValueError(f"while_loop: the body must return {count} values, received {type(outputs).__name__}.")
    return (outputs,)


def _traced_while(cond: Callable, body: Callable, values: tuple, many: bool, maximum_iterations: Any) -> tuple:
    carry = Leaves(values)
    limit = Leaves([] if maximum_iterations is None else [maximum_iterations])

    def step(*arrays: Any) -> list:
        outputs = _as_tuple(body(*carry.rebuild(arrays, carry.raw)), many, len(values))
        return _same_nesting("while_loop", outputs, carry)

    made = settle(lambda structs: capture(step, structs), carry, "while_loop")
    test = capture(lambda *arrays: [array_of(cond(*carry.rebuild(arrays, carry.raw)))], carry.structs())
    if test.program.writes:
        raise NotSupportedError("while_loop: `cond` must not assign variables; assign them in `body`.")
    count = len(carry.arrays)

    def lowering(runs: list[Callable], state: tuple, arrays: list) -> tuple[list, tuple]:
        start, bound = arrays[:count], arrays[count:]

        def go_on(loop: tuple) -> Any:
            current, state, steps = loop
            flag = runs[0](state, *current)[0][0].reshape(()) != 0
            return flag & (steps < bound[0]) if bound else flag

        def advance(loop: tuple) -> tuple:
            current, state, steps = loop
            outputs, state = runs[1](state, *current)
            return [like(out, old) for out, old in zip(outputs, current, strict=True)], state, steps + 1

        final, state, _ = jax.lax.while_loop(go_on, advance, (start, state, jnp.zeros((), jnp.int32)))
        return final, state

    leaves, objects = carry.arrays + limit.arrays, carry.objects + limit.objects
    outputs = execute_captured([test, made], lowering, leaves, objects)
    return carry.rebuild(_unwrapped(outputs, carry.raw), carry.raw)


def _same_nesting(where: str, outputs: Any, carry: Leaves) -> list:
    arrays, tree = flatten_outputs(outputs)
    if len(arrays) != len(carry.arrays):
        raise TypeError(f"{where}: the body must return the nesting it was given: {carry.tree}; received {tree}.")
    return arrays


def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any) -> Any:
    """Repeat ``value = body_fun(i, value)`` for ``i`` from ``lower`` up to (not including) ``upper``.

    It can be differentiated backwards if both bounds have values now.
    """
    if is_symbolic(lower, upper, init_val):
        return symbolic_call(fori_loop, "fori_loop", (lower, upper, body_fun, init_val), {})
    carry = Leaves(init_val)
    fixed = _is_known(lower) and _is_known(upper)
    bounds = Leaves([] if fixed else [lower, upper])
    count = len(carry.arrays)

    def step(index: Any, *arrays: Any) -> list:
        number = from_leaves(jax.tree_util.tree_structure(0), [index], carry.raw)
        return _same_nesting("fori_loop", body_fun(number, carry.rebuild(arrays, carry.raw)), carry)

    counter = jax.ShapeDtypeStruct((), np.int32)
    made = settle(lambda structs: capture(step, [counter, *structs]), carry, "fori_loop")

    def lowering(runs: list[Callable], state: tuple, arrays: list) -> tuple[list, tuple]:
        start, limits = arrays[:count], [array.astype(jnp.int32) for array in arrays[count:]]

        def advance(index: Any, loop: tuple) -> tuple:
            outputs, state = runs[0](loop[1], jnp.asarray(index, jnp.int32), *loop[0])
            return [like(out, old) for out, old in zip(outputs, loop[0], strict=True)], state

        first, last = limits if limits else (int(lower), int(upper))
        return jax.lax.fori_loop(first, last, advance, (start, state))

    leaves, objects = carry.arrays + bounds.arrays, carry.objects + bounds.objects
    outputs = execute_captured([made], lowering, leaves, objects)
    return carry.rebuild(_unwrapped(outputs, carry.raw), carry.raw)


# --- scans and maps ------------------------------------------------------------------------------
def scan(
    f: Callable,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Repeat ``carry, y = f(carry, x)`` over the first axis of ``xs``.

    Args:
        f: step; the carry it returns must be like the one it got.
        init: first carry, any nesting.
        xs: inputs of the steps along axis 0, any nesting, or None.
        length: number of steps; needed if ``xs`` is None.
        reverse: go from the last step to the first; the ``y`` keep the places of their ``x``.
        unroll: steps per round of the compiled loop, or True for all.

    Returns:
        The last carry, and all ``y`` stacked along a new axis 0.
    """
    if not isinstance(unroll, bool) and (not isinstance(unroll, int) or unroll < 1):
        raise ValueError(f"`unroll` must be an positive integer or boolean. Received: unroll={unroll}")
    if is_symbolic(init, xs):
        options = {"length": length, "reverse": reverse, "unroll": unroll}
        return symbolic_call(scan, "scan", (f, init, xs), options)
    carry, inputs = Leaves(init), Leaves(xs)
    steps = _length("scan", inputs, length)
    raw = Leaves((init, xs)).raw
    trees: list[Any] = []
    count = len(carry.arrays)

    def step(*arrays: Any) -> list:
        pair = f(carry.rebuild(arrays[:count], raw), inputs.rebuild(arrays[count:], raw))
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(f"scan: the step must return a pair (carry, y), received {type(pair).__name__}.")
        outputs, tree = flatten_outputs(pair[1])
        trees.append(tree)
        return _same_nesting("scan", pair[0], carry) + outputs

    made = settle(lambda structs: capture(step, [*structs, *inputs.structs(True)]), carry, "scan")

    def lowering(runs: list[Callable], state: tuple, arrays: list) -> tuple[list, tuple]:
        def advance(loop: tuple, slices: list) -> tuple:
            outputs, state = runs[0](loop[1], *loop[0], *slices)
            new = [like(out, old) for out, old in zip(outputs[:count], loop[0], strict=True)]
            return (new, state), [like(out, out) for out in outputs[count:]]

        start = (list(arrays[:count]), state)
        (last, state), stacked = jax.lax.scan(
            advance, start, list(arrays[count:]), length=steps, reverse=bool(reverse), unroll=unroll
        )
        return [*last, *stacked], state

    outputs = execute_captured([made], lowering, carry.arrays + inputs.arrays, carry.objects + inputs.objects)
    outputs = _unwrapped(outputs, raw)
    return carry.rebuild(outputs[:count], raw), from_leaves(trees[-1], outputs[count:], raw)


def map(f: Callable, xs: Any) -> Any:  # noqa: A001
    """Apply ``f`` to each slice of ``xs`` along axis 0, one after the other, and stack the results.

    Use ``vectorized_map`` to compute all slices at once.
    """
    if is_symbolic(xs):
        return symbolic_call(map, "map", (f, xs), {})
    return scan(lambda carry, x: (carry, f(x)), (), xs)[1]


def _length(where: str, inputs: Leaves, length: int | None) -> int:
    if any(not array.ndim for array in inputs.arrays):
        raise ValueError(f"{where}: every input needs an axis 0 to go along; received a scalar.")
    sizes = {array.shape[0] for array in inputs.arrays} | (set() if length is None else {int(length)})
    if len(sizes) != 1:
        raise ValueError(
            f"{where}: the inputs must have one common size of axis 0, or `length` must be given. "
            f"Received: sizes {sorted(sizes)}, length={length}"
        )
    return sizes.pop()


def vectorized_map(function: Callable, elements: Any) -> Any:
    """Apply ``function`` to each slice of ``elements`` along axis 0, all at once, and stack the results."""
    if is_symbolic(elements):
        return symbolic_call(vectorized_map, "vectorized_map", (function, elements), {})
    inputs = Leaves(elements)
    _length("vectorized_map", inputs, None)
    made, tree = _branch(lambda *arrays: function(inputs.rebuild(arrays, inputs.raw)), inputs.structs(True))

    def lowering(runs: list[Callable], state: tuple, arrays: list) -> tuple[list, tuple]:
        def one(*slices: Any) -> tuple:
            outputs, new_state = runs[0](state, *slices)
            return [like(out, out) for out in outputs], new_state

        try:
            return jax.vmap(one, out_axes=(0, None))(*arrays)
        except ValueError as error:
            if made.program.writes and "out_axes" in str(error):
                raise NotSupportedError(
                    "vectorized_map: the function assigns to a variable what differs from slice to slice; with all "
                    "slices computed at once there is no last one. Use `map`, which goes through them in order."
                ) from error
            raise

    outputs = execute_captured([made], lowering, inputs.arrays, inputs.objects)
    return from_leaves(tree, _unwrapped(outputs, inputs.raw), inputs.raw)


def associative_scan(f: Callable, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """All running combinations of slices along ``axis`` by an associative function, in logarithmic depth.

    Args:
        f: combines two slices (or stacks of slices, elementwise) of the nesting of ``elems``.
        elems: tensors of one size along ``axis``, any nesting.
        reverse: combine from the end.
        axis: axis to go along.
    """
    if is_symbolic(elems):
        return symbolic_call(associative_scan, "associative_scan", (f, elems), {"reverse": reverse, "axis": axis})
    inputs = Leaves(elems)

    def combine(left: list, right: list) -> list:
        outputs = f(inputs.rebuild(left, inputs.raw), inputs.rebuild(right, inputs.raw))
        arrays = _same_nesting("associative_scan", outputs, inputs)
        return [like(out, old) for out, old in zip(arrays, left, strict=True)]

    made = capture(
        lambda *arrays: jax.lax.associative_scan(combine, list(arrays), reverse=bool(reverse), axis=axis),
        inputs.structs(),
    )
    outputs = execute_captured([made], lambda runs, state, a: runs[0](state, *a), inputs.arrays, inputs.objects)
    return inputs.rebuild(_unwrapped(outputs, inputs.raw), inputs.raw)


def jvp(fun: Callable, primals: Any, tangents: Any, has_aux: bool = False) -> tuple:
    """Value of ``fun(*primals)`` and its derivative in the direction of ``tangents``, in one forward pass.

    Args:
        fun: function of tensors; with ``has_aux`` it returns ``(outputs, auxiliary outputs)``.
        primals: its arguments, a tuple or list.
        tangents: direction, of the nesting of ``primals``.
        has_aux: whether ``fun`` also returns values that are not differentiated.

    Returns:
        ``(outputs, tangents of the outputs)``, and the auxiliary outputs if ``has_aux``.
    """
    if is_symbolic(primals, tangents):
        return symbolic_call(jvp, "jvp", (fun, primals, tangents), {"has_aux": has_aux})
    point, direction = Leaves(tuple(primals)), Leaves(tuple(tangents))
    if point.tree != direction.tree:
        raise TypeError(f"jvp: primals and tangents must nest alike; received {point.tree} and {direction.tree}.")
    raw = Leaves((primals, tangents)).raw
    count = len(point.arrays)
    trees: list[Any] = []

    def flat(*arrays: Any) -> list:
        outputs = fun(*point.rebuild(arrays, raw))
        main, aux = outputs if has_aux else (outputs, ())
        (main_arrays, main_tree), (aux_arrays, aux_tree) = flatten_outputs(main), flatten_outputs(aux)
        trees[:] = [main_tree, aux_tree]
        return main_arrays + aux_arrays

    made = capture(flat, point.structs())
    n_main = trees[0].num_leaves

    def lowering(runs: list[Callable], state: tuple, arrays: list) -> tuple[list, tuple]:
        def of_point(*values: Any) -> tuple:
            outputs, new_state = runs[0](state, *values)
            return outputs[:n_main], (outputs[n_main:], new_state)

        directions = [like(d, p) for p, d in zip(arrays[:count], arrays[count:], strict=True)]
        main, slopes, (aux, state) = jax.jvp(of_point, tuple(arrays[:count]), tuple(directions), has_aux=True)
        slopes = [jnp.zeros_like(m) if s.dtype == jax.dtypes.float0 else s for m, s in zip(main, slopes, strict=True)]
        return [*main, *slopes, *aux], state

    leaves, objects = point.arrays + direction.arrays, point.objects + direction.objects
    outputs = _unwrapped(execute_captured([made], lowering, leaves, objects), raw)
    main, slopes, aux = outputs[:n_main], outputs[n_main : 2 * n_main], outputs[2 * n_main :]
    result = (from_leaves(trees[0], main, raw), from_leaves(trees[0], slopes, raw))
    return (*result, from_leaves(trees[1], aux, raw)) if has_aux else result
