"""Scans, maps and directional derivatives over user functions of tensors; see ``ops.capture``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base.errors import NotSupportedError
from hornbeam.core.tensor import wrap
from hornbeam.ops.capture import (
    Leaves,
    capture,
    capture_with_tree,
    execute_captured,
    flatten_outputs,
    from_leaves,
    like,
    same_nesting,
    settle,
    unwrapped,
)
from hornbeam.ops.composite import composite

__all__ = ["associative_scan", "jvp", "map", "scan", "vectorize", "vectorized_map"]


@composite
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
        raise ValueError(f"scan(): `unroll` is a number of steps, 1 at least, or a bool. Received: {unroll!r}")
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
        return same_nesting("scan", pair[0], carry) + outputs

    made = settle(lambda structs: capture(step, [*structs, *inputs.structs(True)]), carry, "scan")

    def lowering(runs: list[Callable], state: tuple, arrays: list) -> tuple[list, tuple]:
        def advance(loop: tuple, slices: list) -> tuple:
            outputs, state = runs[0](loop[1], *loop[0], *slices)
            new = [like(out, old) for out, old in zip(outputs[:count], loop[0], strict=True)]
            return (new, state), [like(out, out) for out in outputs[count:]]

        start = (list(arrays[:count]), state)
        xs = list(arrays[count:])
        # A size that is unknown while a program for any size is traced can be read off the inputs, not given.
        fixed = None if xs else steps
        (last, state), stacked = jax.lax.scan(advance, start, xs, length=fixed, reverse=bool(reverse), unroll=unroll)
        return [*last, *stacked], state

    outputs = execute_captured([made], lowering, carry.arrays + inputs.arrays, carry.objects + inputs.objects)
    outputs = unwrapped(outputs, raw)
    return carry.rebuild(outputs[:count], raw), from_leaves(trees[-1], outputs[count:], raw)


@composite
def map(f: Callable, xs: Any) -> Any:
    """Apply ``f`` to each slice of ``xs`` along axis 0, one after the other, and stack the results.

    Use ``vectorized_map`` to compute all slices at once.
    """
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


@composite
def vectorized_map(function: Callable, elements: Any) -> Any:
    """Apply ``function`` to each slice of ``elements`` along axis 0, all at once, and stack the results."""
    inputs = Leaves(elements)
    _length("vectorized_map", inputs, None)
    made, tree = capture_with_tree(lambda *arrays: function(inputs.rebuild(arrays, inputs.raw)), inputs.structs(True))

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
    return from_leaves(tree, unwrapped(outputs, inputs.raw), inputs.raw)


def vectorize(pyfunc: Callable, *, excluded: Any = None, signature: str | None = None) -> Callable:
    """Make a function of single elements (or small arrays) work on whole tensors, with broadcasting.

    Args:
        pyfunc: function of tensors.
        excluded: positions and names of arguments that are passed on as they are.
        signature: which axes belong to one element, in NumPy's notation, such as ``"(n),(n)->()"``.

    Returns:
        Function of tensors.
    """
    left_out = frozenset(excluded or ())

    @composite
    @functools.wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        chosen = [position for position in range(len(args)) if position not in left_out]
        inputs = Leaves([args[position] for position in chosen])

        def of_elements(*elements: Any) -> Any:
            filled = list(args)
            for position, element in zip(chosen, elements, strict=True):
                filled[position] = element if inputs.raw else wrap(element)
            outputs, tree = flatten_outputs(pyfunc(*filled, **kwargs))
            # JAX accepts one array or a tuple of them.
            return jax.tree_util.tree_unflatten(tree, [like(out, out) for out in outputs])

        made, tree = capture_with_tree(jnp.vectorize(of_elements, signature=signature), inputs.structs())
        outputs = execute_captured([made], lambda runs, state, a: runs[0](state, *a), inputs.arrays, inputs.objects)
        return from_leaves(tree, unwrapped(outputs, inputs.raw), inputs.raw)

    return vectorized


@composite
def associative_scan(f: Callable, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """All running combinations of slices along ``axis`` by an associative function, in logarithmic depth.

    Args:
        f: combines two slices (or stacks of slices, elementwise) of the nesting of ``elems``.
        elems: tensors of one size along ``axis``, any nesting.
        reverse: combine from the end.
        axis: axis to go along.
    """
    inputs = Leaves(elems)

    def combine(left: list, right: list) -> list:
        outputs = f(inputs.rebuild(left, inputs.raw), inputs.rebuild(right, inputs.raw))
        arrays = same_nesting("associative_scan", outputs, inputs)
        return [like(out, old) for out, old in zip(arrays, left, strict=True)]

    made = capture(
        lambda *arrays: jax.lax.associative_scan(combine, list(arrays), reverse=bool(reverse), axis=axis),
        inputs.structs(),
    )
    outputs = execute_captured([made], lambda runs, state, a: runs[0](state, *a), inputs.arrays, inputs.objects)
    return inputs.rebuild(unwrapped(outputs, inputs.raw), inputs.raw)


@composite
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
    outputs = unwrapped(execute_captured([made], lowering, leaves, objects), raw)
    main, slopes, aux = outputs[:n_main], outputs[n_main : 2 * n_main], outputs[2 * n_main :]
    result = (from_leaves(trees[0], main, raw), from_leaves(trees[0], slopes, raw))
    return (*result, from_leaves(trees[1], aux, raw)) if has_aux else result
