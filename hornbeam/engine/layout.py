"""The order of axes in memory, chosen for a whole program.

A captured program is run equation by equation on values that know in which order their axes lie. Convolutions with
few channels produce values with the batch last (``engine.batch_minor``); elementwise work, pooling, reductions,
padding and reshaping go on in the order they find, every other operation gets its operands in the usual one. Nothing
outside of the program sees any of it, and results are the same but for rounding.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax.numpy as jnp
from jax import lax

from hornbeam.engine import batch_minor, conv, onednn, platform
from hornbeam.engine.elementwise import ELEMENTWISE
from hornbeam.engine.jax_compat import Literal, bind_equation, inner_program
from hornbeam.engine.ordered import Order, Value, is_special, plain, usual_order

_DEEPEST = 16
"""Length of a chain of values without an order of their own; then they take the usual one."""


_FEW = 16
"""Elements that a reduction combines one by one."""


# --- whether -------------------------------------------------------------------------------------
def pays(jaxpr: Any) -> bool:
    """True if a program has convolutions, all of them have a form with the batch last, and most are narrow.

    Never where oneDNN does them, which takes the usual order and is as quick or quicker with any number of channels.
    """
    if not platform.is_cpu() or onednn.is_available():
        return False
    found = []
    for one in _widths(jaxpr):
        if one is None:
            return False
        found.append(one)
    if not found:
        return False
    total = sum(elements for _, elements in found)
    return sum(channels * elements for channels, elements in found) <= batch_minor.WIDEST * total


def _widths(jaxpr: Any) -> Iterator[tuple[int, int] | None]:
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        if name == conv.CANONICAL:
            x, w = (operand.aval for operand in equation.invars)
            yield batch_minor.width(x.shape, w.shape, equation.params["spec"]) if x.dtype == jnp.float32 else None
        elif name == "conv_general_dilated":
            yield None
        inner = inner_program(equation)
        if inner is not None:
            yield from _widths(inner.jaxpr)


# --- running -------------------------------------------------------------------------------------
def evaluate(closed: Any, consts: Sequence[Any], args: Sequence[Any]) -> list[Any]:
    """Results of a captured program."""
    values = _run(closed.jaxpr, [plain(const) for const in consts], [plain(arg) for arg in args])
    return [value.usual for value in values]


def _run(jaxpr: Any, consts: Sequence[Value], args: Sequence[Value]) -> list[Value]:
    known: dict[Any, Value] = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*consts, *args), strict=True))

    def read(atom: Any) -> Value:
        return plain(atom.val) if isinstance(atom, Literal) else known[atom]

    last_use = {
        atom: number for number, eqn in enumerate(jaxpr.eqns) for atom in eqn.invars if type(atom) is not Literal
    }
    kept = {atom for atom in jaxpr.outvars if type(atom) is not Literal}
    for number, equation in enumerate(jaxpr.eqns):
        results = _apply(equation, [read(atom) for atom in equation.invars])
        known.update(zip(equation.outvars, results, strict=True))
        for atom in equation.invars:
            if type(atom) is not Literal and last_use[atom] == number and atom not in kept:
                known.pop(atom, None)
    return [read(atom) for atom in jaxpr.outvars]


def _apply(equation: Any, values: list[Value]) -> list[Value]:
    name = equation.primitive.name
    rule = _RULES.get(name)
    if rule is not None:
        results = rule(equation, values)
        if results is not None:
            return results
    inner = inner_program(equation)
    if inner is not None and (any(is_special(v) or v.native is None for v in values) or _has_convolution(inner.jaxpr)):
        return _run(inner.jaxpr, [plain(const) for const in inner.consts], values)
    results = bind_equation(equation, [value.usual for value in values])
    return [plain(result) for result in results]


def _has_convolution(jaxpr: Any) -> bool:
    return any(True for _ in _widths(jaxpr))


# --- rules ---------------------------------------------------------------------------------------
def _flexible(equation: Any, make: Callable, depth: int = 1) -> list[Value] | None:
    """A value that is made when its order is known."""
    if depth > _DEEPEST:
        return None
    return [Value(equation.outvars[0].aval.shape, make=make, depth=depth)]


def _order_of(values: Sequence[Value]) -> Order | None:
    """The order in which values of one shape should meet; None if any is as good."""
    for value in values:
        if is_special(value):
            return value.native
    return usual_order(len(values[0].shape)) if any(value.native is not None for value in values) else None


def _elementwise(equation: Any, values: list[Value]) -> list[Value] | None:
    shape = equation.outvars[0].aval.shape
    full = [value for value in values if value.shape == shape and shape]
    if not full:
        return None

    def in_order(order: Order) -> list[Any]:
        return bind_equation(
            # Axes of size 1 stretch, so operands of this rank go along; the rest are scalars.
            equation,
            [value.get(order) if len(value.shape) == len(shape) else value.usual for value in values],
        )

    order = _order_of(full)
    if order is None:
        lazy = _flexible(equation, lambda order: in_order(order)[0], 1 + max(value.depth for value in full))
        if lazy is not None:
            return lazy
        order = usual_order(len(shape))
    return [Value(shape, result, order) for result in in_order(order)]


def _barrier(equation: Any, values: list[Value]) -> list[Value]:
    """Nothing: barriers stand before XLA's own convolutions.

    Here they would hide that a convolution and the gradient of its kernel read the same patches.
    """
    return values


def _transpose(equation: Any, values: list[Value]) -> list[Value] | None:
    """Another name for each axis; the array stays where it is."""
    (value,), permutation = values, equation.params["permutation"]
    if value.native is None:
        return None
    order = tuple(permutation.index(axis) for axis in value.native)
    return [Value(equation.outvars[0].aval.shape, value.get(value.native), order)]


def _broadcast(equation: Any, values: list[Value]) -> list[Value] | None:
    value, *sizes = values
    if sizes:
        return None
    shape, axes = equation.params["shape"], equation.params["broadcast_dimensions"]
    if is_special(value) and len(value.shape) == len(shape):
        # Axes of size 1 that are stretched: the order is that of the operand.
        order = value.native
        assert order is not None
        array = lax.broadcast_in_dim(value.get(order), [shape[axis] for axis in order], range(len(shape)))
        return [Value(shape, array, order)]

    def make(order: Order) -> Any:
        places = [order.index(axis) for axis in axes]
        inner = tuple(sorted(range(len(places)), key=places.__getitem__))
        return lax.broadcast_in_dim(value.get(inner), [shape[axis] for axis in order], sorted(places))

    return _flexible(equation, make, 1 + value.depth)


def _iota(equation: Any, values: list[Value]) -> list[Value] | None:
    if values:
        return None
    params = equation.params

    def make(order: Order) -> Any:
        shape = [params["shape"][axis] for axis in order]
        return lax.broadcasted_iota(params["dtype"], shape, order.index(params["dimension"]))

    return _flexible(equation, make)


def _reduction(equation: Any, values: list[Value]) -> list[Value] | None:
    if len(values) != 1 or not is_special(values[0]):
        return None
    (value,) = values
    order, axes = value.native, equation.params["axes"]
    assert order is not None
    places = tuple(sorted(order.index(axis) for axis in axes))
    combine = _COMBINATIONS.get(equation.primitive.name)
    if combine is not None and len(order) - 1 not in places and math.prod(value.shape[axis] for axis in axes) <= _FEW:
        array = _combined(value.get(order), places, combine)
    else:
        (array,) = bind_equation(equation, [value.get(order)], axes=places)
    kept = [axis for axis in range(len(order)) if axis not in axes]
    return [Value(equation.outvars[0].aval.shape, array, tuple(kept.index(a) for a in order if a not in axes))]


def _combined(array: Any, axes: Sequence[int], combine: Callable) -> Any:
    """A reduction over few elements as arithmetic on slices, which joins the passes before and after it."""
    parts = []
    for place in itertools.product(*(range(array.shape[axis]) for axis in axes)):
        index: list[Any] = [slice(None)] * array.ndim
        for axis, at in zip(axes, place, strict=True):
            index[axis] = at
        parts.append(array[tuple(index)])
    return functools.reduce(combine, parts)


def _pad(equation: Any, values: list[Value]) -> list[Value] | None:
    value, fill = values
    if not is_special(value):
        return None
    order = value.native
    assert order is not None
    config = [equation.params["padding_config"][axis] for axis in order]
    return [Value(equation.outvars[0].aval.shape, lax.pad(value.get(order), fill.usual, config), order)]


def _slice(equation: Any, values: list[Value]) -> list[Value] | None:
    (value,), params = values, equation.params
    if not is_special(value):
        return None
    order = value.native
    assert order is not None
    strides = params["strides"] or (1,) * len(order)
    array = lax.slice(
        value.get(order),
        [params["start_indices"][axis] for axis in order],
        [params["limit_indices"][axis] for axis in order],
        [strides[axis] for axis in order],
    )
    return [Value(equation.outvars[0].aval.shape, array, order)]


def _concatenate(equation: Any, values: list[Value]) -> list[Value] | None:
    order = _order_of(values)
    if order is None or order == usual_order(len(order)):
        return None
    array = lax.concatenate([value.get(order) for value in values], order.index(equation.params["dimension"]))
    return [Value(equation.outvars[0].aval.shape, array, order)]


def _reshape(equation: Any, values: list[Value]) -> list[Value] | None:
    value, *sizes = values
    shape = equation.outvars[0].aval.shape
    if sizes or equation.params.get("dimensions") is not None:
        return None
    groups = _groups(value.shape, shape)
    if groups is None or not (is_special(value) or (value.native is None and len(groups) > 1)):
        return None

    def along(sequence: Sequence[int]) -> tuple[Any, Order]:
        """Reshaped group by group, the groups in this sequence."""
        source = tuple(itertools.chain.from_iterable(groups[number][0] for number in sequence))
        target = tuple(itertools.chain.from_iterable(groups[number][1] for number in sequence))
        return lax.reshape(value.get(source), [shape[axis] for axis in target]), target

    if value.native is not None:
        at = {axis: place for place, axis in enumerate(value.native)}
        sequence = sorted(range(len(groups)), key=lambda g: max((at[axis] for axis in groups[g][0]), default=-1))
        array, order = along(sequence)
        return [Value(shape, array, order)]

    def make(order: Order) -> Any:
        at = {axis: place for place, axis in enumerate(order)}
        sequence = sorted(range(len(groups)), key=lambda g: max((at[axis] for axis in groups[g][1]), default=-1))
        array, found = along(sequence)
        return lax.transpose(array, [found.index(axis) for axis in order])

    return _flexible(equation, make, 1 + value.depth)


def _groups(before: Sequence[int], after: Sequence[int]) -> list[tuple[list[int], list[int]]] | None:
    """Axes before and after a reshape in the smallest groups with equal products; None for empty arrays."""
    if 0 in before or 0 in after:
        return None
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(before) or j < len(after):
        left, right = [], []
        if i < len(before):
            left.append(i)
            i += 1
        if j < len(after):
            right.append(j)
            j += 1
        while math.prod(before[a] for a in left) != math.prod(after[a] for a in right):
            if math.prod(before[a] for a in left) < math.prod(after[a] for a in right):
                left.append(i)
                i += 1
            else:
                right.append(j)
                j += 1
        groups.append((left, right))
    return groups


def _dot(equation: Any, values: list[Value]) -> list[Value] | None:
    """A matrix product takes its operands as they lie, and gives its result in the order that is asked for."""
    left, right = values
    (contract_left, contract_right), (batch, _) = equation.params["dimension_numbers"]
    if batch or len(left.shape) != 2 or len(right.shape) != 2 or len(contract_left) != 1:
        return None

    def product(operands: Sequence[tuple[Value, int]]) -> Any:
        arrays, axes = [], []
        for value, axis in operands:
            order = value.native or (0, 1)
            arrays.append(value.get(order))
            axes.append((order.index(axis),))
        return bind_equation(equation, arrays, dimension_numbers=(tuple(axes), ((), ())))[0]

    operands = [(left, contract_left[0]), (right, contract_right[0])]
    if is_special(left) or is_special(right):
        return [Value(equation.outvars[0].aval.shape, product(operands), (0, 1))]
    return _flexible(equation, lambda order: product(operands if order == (0, 1) else operands[::-1]))


def _convolution(equation: Any, values: list[Value]) -> list[Value] | None:
    x, w = values
    shapes, spec = (x.shape, w.shape), equation.params["spec"]
    if equation.outvars[0].aval.dtype != jnp.float32 or batch_minor.width(*shapes, spec) is None:
        return None
    found = batch_minor.conv(x.get, w.get, shapes, spec)
    return None if found is None else [Value(equation.outvars[0].aval.shape, *found)]


_COMBINATIONS: dict[str, Callable] = {
    "reduce_sum": lax.add,
    "reduce_max": lax.max,
    "reduce_min": lax.min,
}

_RULES: dict[str, Callable] = {
    **dict.fromkeys(ELEMENTWISE, _elementwise),
    **dict.fromkeys(["reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "reduce_and", "reduce_or"], _reduction),
    conv.CANONICAL: _convolution,
    "broadcast_in_dim": _broadcast,
    "concatenate": _concatenate,
    "dot_general": _dot,
    "iota": _iota,
    "optimization_barrier": _barrier,
    "pad": _pad,
    "reshape": _reshape,
    "slice": _slice,
    "transpose": _transpose,
}
