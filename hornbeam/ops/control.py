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
    capture_with_tree,
    execute_captured,
    from_leaves,
    gives_way,
    like,
    same_nesting,
    settle,
    to_tensors,
    unwrapped,
)
from hornbeam.ops.composite import composite
from hornbeam.ops.custom_gradient import custom_gradient
from hornbeam.ops.scans import associative_scan, jvp, map, scan, vectorize, vectorized_map

__all__ = [
    "associative_scan",
    "cond",
    "custom_gradient",
    "fori_loop",
    "jvp",
    "map",
    "scan",
    "switch",
    "vectorize",
    "vectorized_map",
    "while_loop",
]


def _is_known(value: Any) -> bool:
    """True if a value can be used by Python right now."""
    return not isinstance(value_of(value), Tracer)


# --- branches ------------------------------------------------------------------------------------
@composite
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
    if _is_known(pred):
        return to_tensors(true_fn() if bool(pred) else false_fn())
    branches = [capture_with_tree(true_fn), capture_with_tree(false_fn)]
    tree = _agreed("cond", branches)
    flag = Leaves(pred)

    def lowering(runs: list[Callable], state: tuple, arrays: list) -> tuple[list, tuple]:
        return jax.lax.cond(arrays[0] != 0, *(_strong(run, branches[0][0]) for run in runs), state)

    outputs = execute_captured([item[0] for item in branches], lowering, flag.arrays, flag.objects)
    return from_leaves(tree, unwrapped(outputs, flag.raw), flag.raw)


@composite
def switch(index: Any, branches: Sequence[Callable], *operands: Any) -> Any:
    """Result of ``branches[index](*operands)``; an index outside the branches counts as the nearest one.

    Args:
        index: integer scalar. If it has a value now, only the chosen function runs, in Python.
        branches: functions of the operands; inside compiled functions all must return the same nesting, shapes and
            dtypes.
        *operands: arguments of the branches.
    """
    if not branches:
        raise ValueError("switch() needs at least one branch.")
    if _is_known(index):
        return to_tensors(branches[max(0, min(int(index), len(branches) - 1))](*operands))
    number, given = Leaves(index), Leaves(operands)
    raw = given.raw or (number.raw and not given.arrays)
    made = [capture_with_tree(lambda *a, f=f: f(*given.rebuild(a, raw)), given.structs()) for f in branches]
    tree = _agreed("switch", made)

    def lowering(runs: list[Callable], state: tuple, arrays: list) -> tuple[list, tuple]:
        return jax.lax.switch(arrays[0], [_strong(run, made[0][0]) for run in runs], state, *arrays[1:])

    leaves, objects = number.arrays + given.arrays, number.objects + given.objects
    outputs = execute_captured([item[0] for item in made], lowering, leaves, objects)
    return from_leaves(tree, unwrapped(outputs, raw), raw)


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
            if a.shape != b.shape or not (gives_way(a, b) or gives_way(b, a)):
                raise TypeError(
                    f"{where}: all branches must return the same shapes and dtypes; output {index} is "
                    f"{a.dtype}{list(a.shape)} in branch 0 and {b.dtype}{list(b.shape)} in branch {position}."
                )
        for index, (a, b) in enumerate(zip(first.structs, other.structs, strict=True)):
            if a.dtype != b.dtype and gives_way(a, b):
                first.structs[index] = b
    return tree


# --- loops ---------------------------------------------------------------------------------------
@composite
def while_loop(cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: Any = None) -> Any:
    """Repeat ``loop_vars = body(*loop_vars)`` while ``cond(*loop_vars)`` holds.

    Eagerly this is a Python loop, which tapes record step by step. Inside compiled functions it is one operation. It
    has a gradient there if ``maximum_iterations`` is a Python number: the values of so many steps are kept.

    Args:
        cond: returns a boolean scalar.
        body: returns the new loop values, in the nesting of ``loop_vars``.
        loop_vars: a tuple or list of values (given as separate arguments), or one value.
        maximum_iterations: steps at most.

    Returns:
        The last loop values: a tuple if ``loop_vars`` is a tuple or list, else one value.
    """
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
        return same_nesting("while_loop", outputs, carry)

    made = settle(lambda structs: capture(step, structs), carry, "while_loop")
    test = capture(lambda *arrays: [array_of(cond(*carry.rebuild(arrays, carry.raw)))], carry.structs())
    if test.program.writes:
        raise NotSupportedError("while_loop: `cond` must not assign variables; assign them in `body`.")
    count = len(carry.arrays)
    known = maximum_iterations is not None and _is_known(maximum_iterations)
    most = max(0, int(value_of(maximum_iterations))) if known else None

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

    def bounded(runs: list[Callable], state: tuple, arrays: list) -> tuple[list, tuple]:
        """All steps that there may be; those after the end keep the values."""

        def move(loop: tuple) -> tuple:
            outputs, state = runs[1](loop[1], *loop[0])
            return [like(out, old) for out, old in zip(outputs, loop[0], strict=True)], state

        def one(loop: tuple, _: Any) -> tuple:
            current, state, going = loop
            going = going & (runs[0](state, *current)[0][0].reshape(()) != 0)
            current, state = jax.lax.cond(going, move, lambda loop: loop, (current, state))
            return (current, state, going), None

        (final, state, _), _ = jax.lax.scan(one, (arrays[:count], state, jnp.ones((), bool)), None, length=most)
        return final, state

    leaves, objects = carry.arrays + limit.arrays, carry.objects + limit.objects
    outputs = execute_captured([test, made], lowering, leaves, objects, None if most is None else bounded)
    return carry.rebuild(unwrapped(outputs, carry.raw), carry.raw)


@composite
def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any) -> Any:
    """Repeat ``value = body_fun(i, value)`` for ``i`` from ``lower`` up to (not including) ``upper``.

    It can be differentiated backwards if both bounds have values now.
    """
    carry = Leaves(init_val)
    fixed = _is_known(lower) and _is_known(upper)
    bounds = Leaves([] if fixed else [lower, upper])
    count = len(carry.arrays)

    def step(index: Any, *arrays: Any) -> list:
        number = from_leaves(jax.tree_util.tree_structure(0), [index], carry.raw)
        return same_nesting("fori_loop", body_fun(number, carry.rebuild(arrays, carry.raw)), carry)

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
    return carry.rebuild(unwrapped(outputs, carry.raw), carry.raw)
