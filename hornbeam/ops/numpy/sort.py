"""Order: ``sort``, ``argsort``, ``argpartition``, ``unique``. Indices are int32."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.base.errors import TraceError, explain
from hornbeam.core.door import op
from hornbeam.core.symbolic import KerasTensor
from hornbeam.ops.composite import composite, is_traced
from hornbeam.ops.promotion import promote, to_dtype

__all__ = ["argpartition", "argsort", "sort", "unique"]


@op(static=("axis",))
def sort(x: Any, axis: int | None = -1) -> Any:
    """Elements in ascending order along an axis; NaN comes last.

    Args:
        axis: ``None`` sorts the flattened tensor.

    References: Keras `ops.sort`.
    """
    return jnp.sort(promote(x)[0], axis=axis)


@op(static=("axis",))
def argsort(x: Any, axis: int | None = -1) -> Any:
    """Indices (int32) that put the elements in ascending order along an axis; equal elements keep their order.

    References: Keras `ops.argsort`.
    """
    x = promote(x)[0]
    return to_dtype(jnp.argsort(x, axis=axis if x.ndim else None), "int32")


@op(static=("kth", "axis"))
def argpartition(x: Any, kth: int, axis: int | None = -1) -> Any:
    """Indices (int32) that bring the ``kth`` smallest element to its place, smaller ones before it.

    References: Keras `ops.argpartition`.
    """
    if not isinstance(kth, int) or isinstance(kth, bool):
        raise ValueError(f"argpartition(): `kth` is one place in the sorted order, an int. Received: {kth!r}")
    x = promote(x)[0]
    if axis is None:
        x, axis = x.reshape(-1), 0
    return to_dtype(jnp.argpartition(x, kth, axis=axis), "int32")


_FLAGS = ("sorted", "return_index", "return_inverse", "return_counts", "axis", "size")


def _unique_arrays(
    x: Any,
    fill_value: Any = None,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
) -> Any:
    x = promote(x)[0]
    found = jnp.unique(
        x,
        return_index=return_index,
        return_inverse=return_inverse,
        return_counts=return_counts,
        axis=axis,
        equal_nan=False,
        size=size,
        sorted=sorted,
        fill_value=fill_value,
    )
    if not isinstance(found, tuple):
        return to_dtype(found, x.dtype.name)
    return (to_dtype(found[0], x.dtype.name), *(to_dtype(part, "int32") for part in found[1:]))


_unique_sized = op(_unique_arrays, static=_FLAGS)
_unique_eager = op(_unique_arrays, static=_FLAGS, compiled=False)


def _unique_rule(
    x: KerasTensor,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    values: list = [size] if axis is None else list(x.shape)
    inverse: tuple = tuple(x.shape)
    if axis is not None:
        inverse = (x.shape[axis],)
        values[axis] = size
    outputs = [KerasTensor(values, x.dtype)]
    if return_index:
        outputs.append(KerasTensor((size,), "int32"))
    if return_inverse:
        outputs.append(KerasTensor(inverse, "int32"))
    if return_counts:
        outputs.append(KerasTensor((size,), "int32"))
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


@composite(rule=_unique_rule)
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """Distinct elements (or slices along an axis).

    Args:
        sorted: False allows, but does not demand, another order.
        return_index: also give the index of each one's first occurrence.
        return_inverse: also give the indices that build ``x`` from the distinct ones.
        return_counts: also give how often each occurs.
        axis: ``None`` for the elements of the flattened tensor.
        size: how many to give; fewer are filled up, more are cut off. Needed inside compiled functions.
        fill_value: what to fill up with; default the smallest one.

    Raises:
        TraceError: inside a compiled function without ``size``.

    References: Keras `ops.unique`.
    """
    run = _unique_eager
    if size is not None:
        run = _unique_sized
    elif is_traced(x):
        raise TraceError(
            explain(
                "unique() was called inside a compiled function, where the number of distinct values is not known.",
                fix="give `size`, or compute it eagerly",
            )
        )
    return run(
        x,
        fill_value,
        sorted=sorted,
        return_index=return_index,
        return_inverse=return_inverse,
        return_counts=return_counts,
        axis=axis,
        size=size,
    )
