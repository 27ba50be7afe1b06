"""Operators of ragged tensors, and functions applied to their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import trees
from hornbeam.errors import InvalidArgumentError
from hornbeam.ragged import rows
from hornbeam.ragged.parts import check, reshaped
from hornbeam.ragged.tensor import RaggedTensor

__all__ = ["aligned", "map_flat_values"]


def map_flat_values(op: Callable, *args: Any, **kwargs: Any) -> Any:
    """Call a function on the flat values of ragged arguments; the result has their rows.

    Args:
        op: function of tensors, which must return a value for each value.
        *args: its arguments, ragged tensors among them, all with the same rows.
        **kwargs: keyword arguments of the function.

    References: TensorFlow `tf.ragged.map_flat_values`.
    """
    leaves = trees.flatten((list(args), kwargs))
    ragged = [leaf for leaf in leaves if isinstance(leaf, RaggedTensor)]
    if not ragged:
        return op(*args, **kwargs)
    like = ragged[0]
    flat = [aligned(leaf, like) if isinstance(leaf, RaggedTensor) else leaf for leaf in leaves]
    inner_args, inner_kwargs = trees.pack((list(args), kwargs), flat)
    return like.with_flat_values(op(*inner_args, **inner_kwargs))


def aligned(x: Any, like: RaggedTensor) -> Any:
    """Flat values of ``x`` beside those of ``like``: ragged of the same rows, a number, or one entry per row.

    Raises:
        InvalidArgumentError: the rows differ.
    """
    if isinstance(x, RaggedTensor):
        mine, other = x.nested_row_splits, like.nested_row_splits
        same = len(mine) == len(other) and all(np.array_equal(a, b) for a, b in zip(mine, other, strict=True))
        check("rows", x.row_lengths().tolist(), same, f"row lengths {like.row_lengths().tolist()}")
        return x.flat_values
    shape = tuple(getattr(x, "shape", np.shape(x)))
    if len(shape) == like.ndim and shape[0] == len(like) and shape[1] == 1 and like.ragged_rank == 1:
        flat = reshaped(rows.as_values(x), (shape[0], *shape[2:]))
        return rows.pick(flat, rows.row_numbers(like._splits))
    inner = len(tuple(like.flat_values.shape)) - 1
    if len(shape) > inner:
        raise InvalidArgumentError(None, None, f"Shape {shape} does not broadcast with ragged shape {like.shape}.")
    return x


def _binary(function: Callable, left: Any, right: Any) -> Any:
    like = left if isinstance(left, RaggedTensor) else right
    return like.with_flat_values(function(aligned(left, like), aligned(right, like)))


def _operator(function: Callable, reflected: bool) -> Callable:
    def operator(self: RaggedTensor, other: Any) -> Any:
        return _binary(function, other, self) if reflected else _binary(function, self, other)

    return operator


for _name, _function in {
    "add": ops.add,
    "sub": ops.subtract,
    "mul": ops.multiply,
    "truediv": ops.true_divide,
    "floordiv": ops.floor_divide,
    "mod": ops.mod,
    "pow": ops.power,
    "and": ops.bitwise_and,
    "or": ops.bitwise_or,
    "xor": ops.bitwise_xor,
}.items():
    setattr(RaggedTensor, f"__{_name}__", _operator(_function, False))
    setattr(RaggedTensor, f"__r{_name}__", _operator(_function, True))
for _name, _function in {
    "lt": ops.less,
    "le": ops.less_equal,
    "gt": ops.greater,
    "ge": ops.greater_equal,
    "eq": ops.equal,
    "ne": ops.not_equal,
}.items():
    setattr(RaggedTensor, f"__{_name}__", _operator(_function, False))
for _name, _function in {"neg": ops.negative, "abs": ops.absolute, "invert": ops.bitwise_invert}.items():
    setattr(RaggedTensor, f"__{_name}__", lambda self, of=_function: self.with_flat_values(of(self.flat_values)))
