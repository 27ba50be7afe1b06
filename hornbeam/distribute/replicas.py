"""Code on several replicas: one program, mapped over the replicas' values, with variables that they share.

What ``Strategy.run`` calls is traced once, for the values of one replica; XLA runs it on all devices at once. Variables
are as in TensorFlow: gradients are summed before an optimizer's step, so all replicas keep the same weights; sums of
metrics are added; other floats (moving averages) are averaged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from hornbeam import math, ops
from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.core.conversion import as_array
from hornbeam.core.frame import Frame
from hornbeam.core.scopes import override, scopes
from hornbeam.core.tensor import HostTensor, Tensor, wrap
from hornbeam.core.variable import Variable
from hornbeam.distribute import context

if TYPE_CHECKING:
    from hornbeam.distribute.strategy import Strategy

__all__ = ["AXIS", "PerReplica", "joined", "map_replicas", "reduced", "replicated", "shared_out"]

AXIS = "replica"


class PerReplica(NamedTuple):
    """The values of all replicas.

    Attributes:
        values: one for each, in their order.
    """

    values: tuple


def map_replicas(function: Callable[[Any], Any], structure: Any) -> Any:
    """A structure with the function's results in the places of its leaves; a ``PerReplica`` is one leaf."""
    return jax.tree_util.tree_map(function, structure, is_leaf=_is_leaf)


def _is_leaf(value: Any) -> bool:
    return value is None or isinstance(value, (PerReplica, Tensor, Variable))


def shared_out(batch: Any, count: int) -> Any:
    """A batch cut into parts for the replicas.

    Raises:
        NotSupportedError: the parts would not be equal.
    """

    def cut(value: Any) -> Any:
        if value is None:
            return None
        size = value.shape[0] if len(value.shape) else 0
        if not size or size % count:
            raise NotSupportedError(
                explain(
                    f"A batch cannot be shared out evenly among {count} replicas.",
                    expected=f"a multiple of {count} samples",
                    received=f"shape {tuple(value.shape)}",
                    fix="choose the batch size so, and leave the rest out with `dataset.batch(size, "
                    "drop_remainder=True)`; or train with `model.fit`, which takes batches of any size",
                )
            )
        part = size // count
        return PerReplica(tuple(value[start : start + part] for start in range(0, size, part)))

    return map_replicas(cut, batch)


def joined(batches: list[Any], count: int) -> Any:
    """The batches of all replicas as one structure of ``PerReplica``.

    Raises:
        NotSupportedError: there are too few.
    """
    if len(batches) != count:
        raise NotSupportedError(
            explain(
                "The data set ends in the midst of a step.",
                expected=f"{count} batches in each step, one for each replica",
                received=f"{len(batches)}",
                fix=f"make the number of batches a multiple of {count} (`dataset.repeat()`, `dataset.take(n)`)",
            )
        )
    columns = zip(*(jax.tree_util.tree_leaves(one, is_leaf=_is_leaf) for one in batches), strict=True)
    form = jax.tree_util.tree_structure(batches[0], is_leaf=_is_leaf)
    return jax.tree_util.tree_unflatten(form, [PerReplica(values) for values in columns])


class _ReplicaFrame(Frame):
    """Variables as one replica sees them.

    Sums, such as those of metrics, are the first replica's at the start, and zeros on the others, so that in the end
    they can be added; the seeds of random numbers differ.
    """

    def __init__(self, number: Any, parent: Frame | None) -> None:
        super().__init__(parent=parent)
        self.number = number

    def _first(self, variable: Variable) -> Any:
        value = super()._first(variable)
        if variable.aggregation == "sum":
            return jnp.where(self.number == 0, value, jnp.zeros_like(value))
        if _is_seed(variable):
            return value.at[0].add(self.number.astype(value.dtype))
        return value


def _is_seed(variable: Variable) -> bool:
    return "seed" in variable.name and variable.dtype == "uint32" and tuple(variable.shape) == (2,)


def _merged(variable: Variable, values: Any) -> Any:
    if variable.aggregation == "sum":
        return jnp.sum(values, axis=0, dtype=values.dtype)
    first = values[0]
    if not jnp.issubdtype(values.dtype, jnp.inexact):
        return first
    # Equal values, as those of weights after an optimizer's step, stay what they are to the last bit.
    return first + jnp.mean(values - first, axis=0)


def replicated(strategy: Strategy, fn: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Call a function on all replicas at once; inside of a program.

    Args:
        strategy: the strategy.
        fn: the function.
        args: its arguments; each replica gets its part of a ``PerReplica``, and all get what is none.
        kwargs: its arguments by name.

    Returns:
        The function's result, with a ``PerReplica`` in the place of each array.
    """
    leaves, tree = jax.tree_util.tree_flatten((args, kwargs), is_leaf=_is_leaf)
    places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, PerReplica)]
    stacked = [_stacked(strategy, leaves[place]) for place in places]
    frames: list[_ReplicaFrame] = []
    results: list[Any] = []

    def on_one(number: Any, *values: Any) -> tuple[list, list]:
        filled = list(leaves)
        for place, value in zip(places, values, strict=True):
            filled[place] = wrap(value)
        inner_args, inner_kwargs = jax.tree_util.tree_unflatten(tree, filled)
        frame = _ReplicaFrame(number, scopes.frame)
        with frame, context.ReplicaContext(strategy, wrap(number)), override(replica_axis=AXIS, tapes=()):
            outputs, form = jax.tree_util.tree_flatten(fn(*inner_args, **inner_kwargs), is_leaf=_is_leaf)
            arrays = [_array(leaf) for leaf in outputs]
        frames.append(frame)
        results[:] = [form, outputs, [array is not None for array in arrays]]
        return [array for array in arrays if array is not None], frame.updates()[1]

    count = strategy.num_replicas_in_sync
    numbers = jnp.arange(count, dtype=jnp.int32)
    outputs, written = jax.vmap(on_one, axis_name=AXIS)(numbers, *stacked)
    for variable, values in zip(frames[-1].written, written, strict=True):
        variable.assign(wrap(_merged(variable, values)))
    form, found, is_array = results
    queue = iter(outputs)
    filled = []
    for leaf, there in zip(found, is_array, strict=True):
        if there:
            values = next(queue)
            leaf = PerReplica(tuple(wrap(values[i]) for i in range(count)))
        filled.append(leaf)
    return jax.tree_util.tree_unflatten(form, filled)


def _array(leaf: Any) -> Any:
    """The array of a result; None if it is something else, which is the same on all replicas."""
    if isinstance(leaf, Variable):
        leaf = leaf.read_value()
    if isinstance(leaf, Tensor) and not isinstance(leaf, HostTensor):
        return leaf._value
    return leaf if isinstance(leaf, jax.Array) else None


def _stacked(strategy: Strategy, value: PerReplica) -> Any:
    arrays = [as_array(one, None) for one in value.values]
    if len({array.shape for array in arrays}) > 1:
        raise NotSupportedError(
            explain(
                "Strategy.run() takes values of one shape from all replicas.",
                expected="equal shapes",
                received=", ".join(str(tuple(array.shape)) for array in arrays),
                fix="batch with `drop_remainder=True`, so that no batch is smaller than the others",
            )
        )
    array = jnp.stack(arrays)
    layout = strategy.distribution.get_data_layout(array.shape)
    return jax.lax.with_sharding_constraint(array, layout.backend_layout)


def reduced(reduce_op: Any, value: Any, count: int, axis: int | None = None) -> Any:
    """The sum or mean over replicas, and over an axis of each if one is given.

    Args:
        reduce_op: "SUM", "MEAN" or a ``ReduceOp``.
        value: what ``run`` returned.
        count: number of replicas.
        axis: an axis of the value, or None.

    Raises:
        ValueError: the sum of a value that was not made by replicas, of which there are several.
    """
    sums = context.ReduceOp.of(reduce_op) is context.ReduceOp.SUM
    reduce = math.reduce_sum if sums else math.reduce_mean

    def together(leaf: Any) -> Any:
        if isinstance(leaf, PerReplica):
            # One value along a new first axis for each replica; all have one shape.
            stacked = ops.stack([ops.convert_to_tensor(one) for one in leaf.values])
            return reduce(stacked, axis=0 if axis is None else [0, axis + 1 if axis >= 0 else axis])
        if sums and count > 1 and not (isinstance(leaf, (int, float)) and leaf == 0):
            raise ValueError(
                explain(
                    "A value that is no replica's cannot be summed over replicas.",
                    expected="what `strategy.run` returned",
                    received=type(leaf).__name__,
                    fix="compute it in the function that `run` calls; or take 'MEAN', which leaves it as it is",
                )
            )
        return leaf if axis is None else reduce(leaf, axis=axis)

    return map_replicas(together, value)
