"""Reading and writing by index: ``gather``, ``where``, ``slice``, ``scatter_nd``, ``sort``, ``unique`` ...

Indices out of range: eagerly on the CPU ``gather`` and ``gather_nd`` raise ``InvalidArgumentError``; elsewhere
they give 0, as TensorFlow does on an accelerator. The scatter functions leave such updates out.
"""

from __future__ import annotations

import builtins
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam import ops
from hornbeam.base import shapes
from hornbeam.base.errors import NotSupportedError, TraceError
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.core.symbolic import KerasTensor
from hornbeam.errors import InvalidArgumentError
from hornbeam.ops.promotion import promote, to_dtype
from hornbeam.tensors.face import concrete, face, is_known, shape_of, tensor, tensors

__all__ = [
    "boolean_mask",
    "gather",
    "gather_nd",
    "scatter_nd",
    "slice",
    "strided_slice",
    "tensor_scatter_nd_add",
    "tensor_scatter_nd_max",
    "tensor_scatter_nd_min",
    "tensor_scatter_nd_sub",
    "tensor_scatter_nd_update",
    "unravel_index",
    "where",
]


# --- gather --------------------------------------------------------------------------------------
@op(static=("axis", "batch_dims"))
def _gather(params: Any, indices: Any, axis: int, batch_dims: int) -> Any:
    params, indices = promote(params)[0], promote(indices)[0]
    # Negative places count as out of range, too.
    indices = jnp.where(indices < 0, params.shape[axis], indices)
    fill: Any = np.zeros((), params.dtype)[()]

    def take(one: Any, at: Any) -> Any:
        return jnp.take(one, at, axis=axis - batch_dims, mode="fill", fill_value=fill)

    for _ in range(batch_dims):
        take = jax.vmap(take)
    return take(params, indices)


@face(strings=("params",))
def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    axis: Any = None,
    batch_dims: int = 0,
    name: str | None = None,
) -> Any:
    """Slices of ``params`` along an axis, at the given places.

    Args:
        params: tensor to read from.
        indices: integers of any shape, which takes the place of the axis in the result.
        validate_indices: without effect in TensorFlow too; indices are checked where that costs nothing.
        axis: axis to index; by default the first one after the batch axes.
        batch_dims: number of leading axes that ``params`` and ``indices`` share.
    """
    params, indices = tensor(params), tensor(indices)
    rank, index_rank = len(params.shape), len(indices.shape)
    batch_dims = batch_dims + index_rank if batch_dims < 0 else batch_dims
    axis = batch_dims if axis is None else int(static_value(axis, "axis"))
    axis = axis + rank if axis < 0 else axis
    if not 0 <= batch_dims <= axis < rank:
        raise ValueError(f"tf.gather: expected batch_dims <= axis < {rank}, received {batch_dims} and {axis}.")
    _check_places(indices, params.shape[axis], "tf.gather")
    return _gather(params, indices, axis, batch_dims)


def _check_places(indices: Any, limit: int | None, where: str) -> None:
    values = concrete(indices)
    if values is not None and limit is not None and values.size and not (values.min() >= 0 and values.max() < limit):
        wrong = values[(values < 0) | (values >= limit)].flat[0]
        raise InvalidArgumentError(None, None, f"{where}: index {wrong} is not in [0, {limit}).")


@op(static=("batch_dims",))
def _gather_nd(params: Any, indices: Any, batch_dims: int) -> Any:
    params, indices = promote(params)[0], promote(indices)[0]
    fill = np.zeros((), params.dtype)[()]

    def take(one: Any, at: Any) -> Any:
        columns = tuple(jnp.where(at[..., i] < 0, one.shape[i], at[..., i]) for i in range(at.shape[-1]))
        return (
            one.at[columns].get(mode="fill", fill_value=fill)
            if columns
            else jnp.broadcast_to(one, at.shape[:-1] + one.shape)
        )

    for _ in range(batch_dims):
        take = jax.vmap(take)
    return take(params, indices)


@face(strings=("params",))
def gather_nd(
    params: Any, indices: Any, batch_dims: int = 0, name: str | None = None, bad_indices_policy: str = ""
) -> Any:
    """Slices of ``params`` at places given by their leading coordinates, the last axis of ``indices``.

    Args:
        params: tensor to read from.
        indices: integers (..., number of coordinates).
        batch_dims: number of leading axes that both share.
        bad_indices_policy: ``"IGNORE"`` gives 0 for places out of range; ``"ERROR"`` and ``""`` raise where they can.
    """
    params, indices = tensor(params), tensor(indices)
    if bad_indices_policy != "IGNORE":
        values = concrete(indices)
        limits = np.asarray(tuple(params.shape)[batch_dims:][: shape_of(indices)[-1]])
        if values is not None and None not in limits and ((values < 0) | (values >= limits)).any():
            raise InvalidArgumentError(
                None, None, f"tf.gather_nd: indices do not index into param shape {tuple(params.shape)}."
            )
    return _gather_nd(params, indices, int(batch_dims))


# --- masks and conditions ------------------------------------------------------------------------
@face(strings=("tensor",))
def boolean_mask(tensor: Any, mask: Any, axis: Any = None, name: str | None = "boolean_mask") -> Any:
    """The slices for which the mask is true; the number of them must be known now."""
    (values,) = tensors(tensor)
    (mask,) = tensors(mask)
    axis = 0 if axis is None else int(static_value(axis, "axis")) % len(values.shape)
    if isinstance(mask, KerasTensor) and axis == 0:
        # A graph knows such a size as None.
        return gather_nd(values, where(mask))
    if not is_known(mask):
        raise TraceError(
            "tf.boolean_mask was called inside a compiled function, where the number of results is not known.\n"
            "  fix:      use tf.where(mask, x, 0), which keeps the shape, or compute it eagerly"
        )
    sizes, mask_sizes = tuple(values.shape), tuple(mask.shape)
    if not mask_sizes or sizes[axis : axis + len(mask_sizes)] != mask_sizes:
        raise ValueError(f"tf.boolean_mask: shapes do not fit: tensor {sizes} from axis {axis} on, mask {mask_sizes}.")
    flat = ops.reshape(values, (*sizes[:axis], shapes.count(mask_sizes), *sizes[axis + len(mask_sizes) :]))
    return ops.take(flat, np.flatnonzero(np.asarray(mask)).astype(np.int32), axis=axis)


@face(strings=("x", "y"))
def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """``x`` where the condition holds, ``y`` elsewhere; without them the places of true elements, int64 (n, rank)."""
    if (x is None) != (y is None):
        raise ValueError("tf.where: give both `x` and `y`, or neither.")
    if x is not None:
        return ops.where(tensor(condition), *tensors(x, y))
    places = ops.nonzero(tensor(condition))
    if isinstance(places[0], KerasTensor):
        return ops.cast(ops.stack(list(places), axis=1), "int64")
    if not shape_of(condition):
        return ops.zeros((len(places[0]), 0), dtype="int64")
    return ops.cast(ops.stack(list(places), axis=1), "int64")


# --- slices --------------------------------------------------------------------------------------
@face(strings=("input_",))
def slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Any:
    """The block that starts at ``begin``; a size of -1 takes the rest of the axis."""
    input_ = tensor(input_)
    sizes = static_value(size, "size")
    if is_known(begin):
        starts = static_value(begin, "begin")
        sizes = sizes if isinstance(sizes, tuple) else (sizes,)
        starts = starts if isinstance(starts, tuple) else (starts,)
        for axis, (start, count, length) in enumerate(zip(starts, sizes, input_.shape, strict=True)):
            if length is not None and not (0 <= start <= length and (count == -1 or start + count <= length)):
                raise InvalidArgumentError(
                    None, None, f"tf.slice: axis {axis} has {length} elements; begin {start} and size {count} leave it."
                )
        return ops.get_item(
            input_, tuple(builtins.slice(s, None if n == -1 else s + n) for s, n in zip(starts, sizes, strict=True))
        )
    if -1 in sizes:
        raise NotSupportedError("tf.slice: size -1 needs a `begin` that is known when the function is compiled.")
    return ops.slice(input_, begin, sizes)


@face(strings=("input_",))
def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Any:
    """What ``input_[begin:end:strides]`` gives; bit ``i`` of a mask changes the meaning of entry ``i``.

    Args:
        input_: tensor.
        begin: first places.
        end: places after the last ones.
        strides: steps, default 1.
        begin_mask: entries whose ``begin`` is left out.
        end_mask: entries whose ``end`` is left out.
        ellipsis_mask: the entry that stands for ``...``.
        new_axis_mask: entries that stand for a new axis.
        shrink_axis_mask: entries that are a single place, whose axis goes away.
        var: must be None; assign to variables with ``assign``.
    """
    if var is not None:
        raise NotSupportedError("tf.strided_slice: `var` is not offered; assign to the variable instead.")
    first, last = static_value(begin, "begin"), static_value(end, "end")
    steps = (1,) * len(first) if strides is None else static_value(strides, "strides")
    key: list[Any] = []
    for place, (start, stop, step) in enumerate(zip(first, last, steps, strict=True)):
        bit = 1 << place
        if ellipsis_mask & bit:
            key.append(Ellipsis)
        elif new_axis_mask & bit:
            key.append(None)
        elif shrink_axis_mask & bit:
            key.append(start)
        else:
            key.append(builtins.slice(None if begin_mask & bit else start, None if end_mask & bit else stop, step))
    return ops.get_item(tensor(input_), tuple(key))


# --- scatter -------------------------------------------------------------------------------------
@op(static=("how",))
def _scattered(target: Any, indices: Any, updates: Any, how: str) -> Any:
    target, indices = promote(target)[0], promote(indices)[0]
    updates = to_dtype(updates, target.dtype.name)
    columns = tuple(jnp.where(indices[..., i] < 0, target.shape[i], indices[..., i]) for i in range(indices.shape[-1]))
    return getattr(target.at[columns], how)(updates, mode="drop")


def _check_scatter(target: Any, indices: Any, policy: str, where: str) -> None:
    values = concrete(indices)
    if policy == "IGNORE" or values is None:
        return
    limits = np.asarray(target[: values.shape[-1]])
    if bool(np.any((values < 0) | (values >= limits))):
        raise InvalidArgumentError(None, None, f"{where}: indices leave the shape {tuple(target)}.")


def _update(tensor_: Any, indices: Any, updates: Any, policy: str, how: str, where: str) -> Any:
    target, indices = tensor(tensor_), tensor(indices)
    if (shape_of(indices)[-1] or 0) > len(target.shape):
        raise InvalidArgumentError(
            None, None, f"{where}: more coordinates than the {len(target.shape)} axes of the tensor."
        )
    _check_scatter(target.shape, indices, policy, where)
    return _scattered(target, indices, tensor(updates, target.dtype), how)


@face(strings=("tensor", "updates"))
def tensor_scatter_nd_update(
    tensor: Any, indices: Any, updates: Any, name: str | None = None, bad_indices_policy: str = ""
) -> Any:
    """Copy of the tensor with the slices at ``indices`` replaced by ``updates``."""
    return _update(tensor, indices, updates, bad_indices_policy, "set", "tf.tensor_scatter_nd_update")


@face
def tensor_scatter_nd_add(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None
) -> Any:
    """Copy of the tensor with ``updates`` added at ``indices``; equal places add up."""
    return _update(tensor, indices, updates, bad_indices_policy, "add", "tf.tensor_scatter_nd_add")


@face
def tensor_scatter_nd_sub(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None
) -> Any:
    """Copy of the tensor with ``updates`` subtracted at ``indices``; equal places add up."""
    return _update(tensor, indices, updates, bad_indices_policy, "subtract", "tf.tensor_scatter_nd_sub")


@face
def tensor_scatter_nd_max(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None
) -> Any:
    """Copy of the tensor with the larger of old and new value at ``indices``."""
    return _update(tensor, indices, updates, bad_indices_policy, "max", "tf.tensor_scatter_nd_max")


@face
def tensor_scatter_nd_min(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None
) -> Any:
    """Copy of the tensor with the smaller of old and new value at ``indices``."""
    return _update(tensor, indices, updates, bad_indices_policy, "min", "tf.tensor_scatter_nd_min")


@face
def scatter_nd(indices: Any, updates: Any, shape: Any, bad_indices_policy: str = "", name: str | None = None) -> Any:
    """Tensor of zeros with ``updates`` added at ``indices``."""
    updates = tensor(updates)
    sizes = static_value(shape, "shape")
    zeros = ops.zeros(sizes if isinstance(sizes, tuple) else (sizes,), dtype=updates.dtype)
    return _update(zeros, indices, updates, bad_indices_policy, "add", "tf.scatter_nd")


# --- places --------------------------------------------------------------------------------------
@op
def _unravel(indices: Any, dims: Any) -> Any:
    indices, dims = promote(indices)[0], promote(dims)[0].astype(indices.dtype)
    strides = jnp.concatenate([jnp.cumprod(dims[:0:-1])[::-1], jnp.ones((1,), dims.dtype)]).astype(indices.dtype)
    shape = (-1,) + (1,) * indices.ndim
    return indices[None] // strides.reshape(shape) % dims.reshape(shape)


@face
def unravel_index(indices: Any, dims: Any, name: str | None = None) -> Any:
    """Places in an array of given sizes, from places in its flat form.

    Args:
        indices: flat places, a number or a vector.
        dims: sizes of the array.

    Returns:
        One row for each axis of the array, (axes,) or (axes, places).

    Raises:
        InvalidArgumentError: a place outside of the array, where the values are known.

    References: TensorFlow `tf.unravel_index`.
    """
    indices, dims = tensors(indices, dims)
    places, sizes = concrete(indices), concrete(dims)
    if places is not None and sizes is not None and places.size:
        limit = int(np.prod(sizes.astype(np.int64)))
        if places.min() < 0 or places.max() >= limit:
            raise InvalidArgumentError(None, None, f"tf.unravel_index: places must lie in [0, {limit}).")
    return _unravel(indices, dims)
