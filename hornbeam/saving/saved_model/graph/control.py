"""Calls, conditions, loops, and the lists that loops fill."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base.errors import UnsupportedFileError
from hornbeam.core.frame import isolated
from hornbeam.core.variable import Variable
from hornbeam.saving.saved_model.graph.constants import MOST_ELEMENTS
from hornbeam.saving.saved_model.graph.table import Node, op, static

_UNROLLED = 64


@op("PartitionedCall", "StatefulPartitionedCall", foldable=False)
def _call(node: Node, *inputs: Any) -> Any:
    return node.machine.call(node.function("f"), inputs)


# --- conditions ----------------------------------------------------------------------------------
@op("If", "StatelessIf", foldable=False)
def _if(node: Node, condition: Any, *inputs: Any) -> Any:
    return _branches(node, condition, [node.function("else_branch"), node.function("then_branch")], inputs)


@op("Case", "StatelessCase", foldable=False)
def _case(node: Node, index: Any, *inputs: Any) -> Any:
    return _branches(node, index, node.functions("branches"), inputs)


def _branches(node: Node, choice: Any, names: list[str], inputs: Any) -> Any:
    if isinstance(choice, np.ndarray):
        number = int(choice) if choice.dtype != bool else int(bool(choice))
        return node.machine.call(names[min(max(number, 0), len(names) - 1)], inputs)
    arrays, rebuild = _arrays_of(inputs)

    def branch(name: str) -> Any:
        def run(*given: Any) -> Any:
            results, written = isolated(lambda: node.machine.call(name, rebuild(given)), {})
            _refuse_writes(node, written)
            return _leaves(results)

        return run

    number = jnp.asarray(choice).astype(jnp.int32)
    return list(jax.lax.switch(number, [branch(name) for name in names], *arrays))


def _refuse_writes(node: Node, written: dict) -> None:
    if written:
        raise UnsupportedFileError(
            f"Node {node.name!r} ({node.op}) writes variables inside a branch or loop whose course depends on data; "
            "that is not run here."
        )


# --- loops ---------------------------------------------------------------------------------------
@op("While", "StatelessWhile", foldable=False)
def _while(node: Node, *inputs: Any) -> Any:
    condition, body = node.function("cond"), node.function("body")
    values = list(inputs)
    for _ in range(_UNROLLED):
        # A short loop whose end is known is written out: then it can be differentiated like everything else.
        go_on = node.machine.call(condition, values)[0]
        if not isinstance(go_on, np.ndarray):
            break
        if not bool(go_on):
            return values
        values = node.machine.call(body, values)
    return _compiled_loop(node, condition, body, values)


def _compiled_loop(node: Node, condition: str, body: str, values: list[Any]) -> list[Any]:
    moving = [place for place, value in enumerate(values) if not isinstance(value, Variable)]

    def full(carried: Any) -> list[Any]:
        filled = list(values)
        for place, value in zip(moving, carried, strict=True):
            filled[place] = value
        return filled

    def go_on(carried: Any) -> Any:
        results, written = isolated(lambda: node.machine.call(condition, full(carried)), {})
        _refuse_writes(node, written)
        return jnp.asarray(results[0]).astype(bool).reshape(())

    def step(carried: Any) -> Any:
        results, written = isolated(lambda: node.machine.call(body, full(carried)), {})
        _refuse_writes(node, written)
        return tuple(_like(results[place], before) for place, before in zip(moving, carried, strict=True))

    start = tuple(_carried(values[place]) for place in moving)
    results = jax.lax.while_loop(go_on, step, start)
    return full(results)


def _carried(value: Any) -> Any:
    return value if isinstance(value, TensorList) else jnp.asarray(value)


def _like(value: Any, before: Any) -> Any:
    if isinstance(before, TensorList) and value.array.shape[0] != before.array.shape[0]:
        raise UnsupportedFileError(
            "A loop whose number of rounds depends on the data makes a list longer, but XLA needs a fixed number of "
            "elements."
        )
    return value if isinstance(before, TensorList) else jnp.asarray(value).astype(before.dtype)


def _arrays_of(inputs: Any) -> tuple[list[Any], Any]:
    """The arrays among inputs, and a function that puts new ones in their places."""
    places = [place for place, value in enumerate(inputs) if not isinstance(value, (Variable, np.ndarray))]

    def rebuild(given: Any) -> list[Any]:
        filled = list(inputs)
        for place, value in zip(places, given, strict=True):
            filled[place] = value
        return filled

    return [inputs[place] for place in places], rebuild


def _leaves(results: list[Any]) -> tuple[Any, ...]:
    return tuple(value if isinstance(value, TensorList) else jnp.asarray(value) for value in results)


# --- lists of tensors ----------------------------------------------------------------------------
@jax.tree_util.register_pytree_node_class
class TensorList:
    """A list of a fixed number of tensors of one shape: one array with an axis in front.

    Args:
        array: the elements.
    """

    def __init__(self, array: Any) -> None:
        self.array = array

    def tree_flatten(self) -> tuple[tuple[Any], None]:
        """For JAX."""
        return (self.array,), None

    @classmethod
    def tree_unflatten(cls, _: None, children: Any) -> TensorList:
        """For JAX."""
        return cls(children[0])

    def zeros_like(self) -> TensorList:
        """A list of zeros."""
        return TensorList(jnp.zeros_like(self.array))


@op("TensorListReserve", "EmptyTensorList", foldable=False)
def _reserve(node: Node, shape: Any, count: Any) -> Any:
    number = int(static(node, count, "number of elements"))
    sizes = static(node, shape, "shape of the elements").ravel().tolist()
    dtype = node.dtype("element_dtype")
    if node.op == "EmptyTensorList":
        # The other number is the most that it may hold.
        number = 0
    if any(size < 0 for size in sizes):
        return _Reserved(number, dtype)
    if number * math.prod(sizes) > 1 << 28:
        raise UnsupportedFileError(f"Node {node.name!r} asks for a list of {number} tensors of shape {sizes}.")
    return TensorList(jnp.zeros((number, *sizes), dtype))


class _Reserved(TensorList):
    """A list whose elements' shape is known with the first of them."""

    def __init__(self, number: int, dtype: Any) -> None:
        super().__init__(jnp.zeros((number, 0), dtype))
        self.number = number

    def filled(self, like: Any) -> TensorList:
        """The list, now that one element is known."""
        return TensorList(jnp.zeros((self.number, *np.shape(like)), jnp.asarray(like).dtype))


def _list_of(number: Any, children: Any) -> Any:
    return TensorList(children[0])


jax.tree_util.register_pytree_node(_Reserved, lambda item: ((item.array,), item.number), _list_of)


@op("TensorListFromTensor", foldable=False)
def _from_tensor(node: Node, x: Any, shape: Any) -> Any:
    return TensorList(jnp.asarray(x))


@op("TensorListStack", foldable=False)
def _stack(node: Node, items: Any, shape: Any) -> Any:
    return items.array


@op("TensorListGetItem", foldable=False)
def _get_item(node: Node, items: Any, index: Any, shape: Any) -> Any:
    return items.array[int(index)] if isinstance(index, np.ndarray) else items.array[index]


@op("TensorListSetItem", foldable=False)
def _set_item(node: Node, items: Any, index: Any, value: Any) -> Any:
    if isinstance(items, _Reserved):
        items = items.filled(value)
    if not isinstance(index, np.ndarray):
        return TensorList(items.array.at[index].set(value))
    place, count = int(index), items.array.shape[0]
    if not 0 <= place < MOST_ELEMENTS or (place >= count and not node.number("resize_if_index_out_of_bounds", False)):
        raise UnsupportedFileError(f"Node {node.name!r} sets element {place} of a list of {count}.")
    if place >= count:
        items = TensorList(jnp.pad(items.array, [(0, place + 1 - count), *[(0, 0)] * (items.array.ndim - 1)]))
    return TensorList(items.array.at[place].set(value))


@op("TensorListPushBack", foldable=False)
def _push_back(node: Node, items: Any, value: Any) -> Any:
    if isinstance(items, _Reserved):
        items = items.filled(value)
    return TensorList(jnp.concatenate([items.array, jnp.asarray(value)[None]]))


@op("TensorListPopBack", outputs=("output_handle", "tensor"), foldable=False)
def _pop_back(node: Node, items: Any, shape: Any) -> Any:
    if not items.array.shape[0]:
        raise UnsupportedFileError(f"Node {node.name!r} takes an element from an empty list.")
    return [TensorList(items.array[:-1]), items.array[-1]]


@op("TensorListLength", foldable=False)
def _length(node: Node, items: Any) -> Any:
    return np.array(items.array.shape[0], np.int32)


@op("TensorListElementShape", foldable=False)
def _element_shape(node: Node, items: Any) -> Any:
    return np.array(items.array.shape[1:], node.dtype("shape_type", "int32"))
