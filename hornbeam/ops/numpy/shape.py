"""Shapes: ``reshape``, ``transpose``, ``expand_dims``, ``tile``, ``pad`` ... and facts about them.

Joining and splitting (``concatenate``, ``stack``, ``split`` ...) is in ``join.py``, diagonals are in ``diagonal.py``.
"""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.base import dtypes
from hornbeam.base.errors import ShapeError, TraceError, explain
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.core.symbolic import KerasTensor
from hornbeam.ops.composite import composite, is_traced
from hornbeam.ops.promotion import promote, to_dtype

__all__ = [
    "broadcast_to",
    "copy",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "moveaxis",
    "ndim",
    "pad",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "rot90",
    "size",
    "squeeze",
    "swapaxes",
    "tile",
    "transpose",
    "unravel_index",
    "view",
]


def strong(x: Any) -> Any:
    """The operand as an array that is not weak-typed."""
    return promote(x)[0]


# --- reshape -----------------------------------------------------------------------------------------
def _target(newshape: Any) -> tuple[int | None, ...]:
    sizes = static_value(newshape, "newshape")
    sizes = sizes if isinstance(sizes, tuple) else (sizes,)
    known = [size for size in sizes if size is not None]
    if any(size < -1 for size in known) or known.count(-1) > 1:
        raise ShapeError(
            explain(
                "reshape(): `newshape` is not a shape.",
                expected="sizes of at least 0, and -1 at most once for the size that follows from the others",
                received=sizes,
            )
        )
    return sizes


@op(static=("newshape",))
def _reshaped(x: Any, newshape: tuple) -> Any:
    x = strong(x)
    if None in newshape:
        # One unknown size follows from the others; more than one are taken from the same axes of `x`.
        if newshape.count(None) == 1 and -1 not in newshape:
            newshape = tuple(-1 if size is None else size for size in newshape)
        else:
            newshape = tuple(x.shape[axis] if size is None else size for axis, size in enumerate(newshape))
    return jnp.reshape(x, newshape)


def _reshape_rule(x: KerasTensor, newshape: Any) -> KerasTensor:
    sizes = _target(newshape)
    given = tuple(x.shape)
    kept = [axis for axis, size in enumerate(sizes) if size is None]
    if kept and -1 in sizes and kept == [axis for axis, size in enumerate(given) if size is None]:
        # Unknown sizes that stay in their places cancel: -1 follows from the known ones.
        total = math.prod(size for size in given if size is not None)
        follows = total // max(1, math.prod(size for size in sizes if size not in (None, -1)))
        return KerasTensor([follows if size == -1 else size for size in sizes], x.dtype)
    if None in given or kept:
        return KerasTensor([None if size == -1 else size for size in sizes], x.dtype)
    rest = math.prod(size for size in sizes if size != -1)
    total = math.prod(given)
    fits = total == rest if -1 not in sizes else (rest and total % rest == 0)
    if not fits:
        raise ShapeError(
            explain(
                "reshape() must keep the number of elements.",
                expected=f"{total} elements, as in shape {given}",
                received=f"newshape={sizes}",
            )
        )
    return KerasTensor([total // rest if size == -1 else size for size in sizes], x.dtype)


@composite(rule=_reshape_rule)
def reshape(x: Any, newshape: Any) -> Any:
    """The elements in the same order under another shape.

    Args:
        newshape: sizes; -1 for one that follows from the others. Sizes may be tensors whose values are known.

    References: Keras `ops.reshape`.
    """
    return _reshaped(x, _target(newshape))


@op
def ravel(x: Any) -> Any:
    """The elements as a vector.

    References: Keras `ops.ravel`.
    """
    return jnp.ravel(strong(x))


# --- axes --------------------------------------------------------------------------------------------
@op(static=("axes",))
def transpose(x: Any, axes: Any = None) -> Any:
    """Axes in another order.

    Args:
        axes: which axis of ``x`` comes where; ``None`` reverses them.

    References: Keras `ops.transpose`.
    """
    return jnp.transpose(strong(x), axes)


@op(static=("axis1", "axis2"))
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged.

    References: Keras `ops.swapaxes`.
    """
    return jnp.swapaxes(strong(x), axis1, axis2)


@op(static=("source", "destination"))
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Axes ``source`` moved to the places ``destination``, the others keeping their order.

    References: Keras `ops.moveaxis`.
    """
    return jnp.moveaxis(strong(x), source, destination)


@op(static=("axis",))
def expand_dims(x: Any, axis: Any) -> Any:
    """New axes of size 1 at the given places of the result.

    References: Keras `ops.expand_dims`.
    """
    return jnp.expand_dims(strong(x), axis)


@op(static=("axis",))
def squeeze(x: Any, axis: Any = None) -> Any:
    """Axes of size 1 removed.

    Args:
        axis: which ones (it is an error if they are not of size 1); ``None`` for all of them.

    References: Keras `ops.squeeze`.
    """
    return jnp.squeeze(strong(x), axis)


def _broadcast_rule(x: KerasTensor, shape: Any) -> KerasTensor | None:
    if None not in tuple(x.shape):
        return None
    wanted = static_value(shape, "shape")
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    aligned = zip(reversed(tuple(x.shape)), reversed(wanted), strict=False)
    if len(x.shape) > len(wanted) or any(a not in (None, 1, b) for a, b in aligned):
        raise ShapeError(explain("broadcast_to(): shapes do not fit.", expected=wanted, received=tuple(x.shape)))
    return KerasTensor(wanted, x.dtype)


@op(static=("shape",))
def _broadcast(x: Any, shape: Any) -> Any:
    return jnp.broadcast_to(strong(x), shape)


@composite(rule=_broadcast_rule)
def broadcast_to(x: Any, shape: Any) -> Any:
    """Repeated along axes of size 1 and along new axes in front, up to a shape.

    References: Keras `ops.broadcast_to`.
    """
    return _broadcast(x, shape)


# --- order of elements -------------------------------------------------------------------------------
@op(static=("axis",))
def flip(x: Any, axis: Any = None) -> Any:
    """Order of the elements reversed along some axes (all of them by default).

    References: Keras `ops.flip`.
    """
    return jnp.flip(strong(x), axis)


@op
def fliplr(x: Any) -> Any:
    """Order reversed along axis 1.

    References: Keras `ops.fliplr`.
    """
    return jnp.fliplr(strong(x))


@op
def flipud(x: Any) -> Any:
    """Order reversed along axis 0.

    References: Keras `ops.flipud`.
    """
    return jnp.flipud(strong(x))


@op(static=("axis",))
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Elements moved by ``shift`` places along axes; those that leave at the end come in at the start.

    Args:
        shift: int, or one for each axis.
        axis: ``None`` rolls the flattened tensor.

    References: Keras `ops.roll`.
    """
    return jnp.roll(strong(x), shift, axis)


@op(static=("k", "axes"))
def rot90(array: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """Rotated ``k`` times by 90 degrees in the plane of two axes, from the first towards the second.

    References: Keras `ops.rot90`.
    """
    array = strong(array)
    if array.ndim < 2:
        raise ShapeError(explain("rot90() rotates a plane.", expected="at least 2 axes", received=f"{array.ndim}"))
    if not isinstance(axes, tuple) or len(axes) != 2 or axes[0] == axes[1]:
        raise ShapeError(explain("rot90(): Invalid axes.", expected="two different axes", received=axes))
    return jnp.rot90(array, k, axes)


# --- repetition and padding --------------------------------------------------------------------------
@op(static=("repeats",))
def tile(x: Any, repeats: Any) -> Any:
    """The whole tensor repeated along its axes.

    Args:
        repeats: how often, for each axis (from the last one backwards if there are fewer).

    References: Keras `ops.tile`.
    """
    return jnp.tile(strong(x), repeats)


@op(static=("repeats", "axis"))
def _repeat_all(x: Any, repeats: int, axis: int | None) -> Any:
    return jnp.repeat(strong(x), repeats, axis)


@op(static=("axis",))
def _pick(x: Any, source: Any, axis: int | None) -> Any:
    x = strong(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    return jnp.take(x, source, axis=axis, mode="clip")


@composite
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each element (or slice along an axis) repeated in place.

    Args:
        repeats: how often: one number, or one for each element along the axis. Its values must be known.
        axis: ``None`` repeats the elements of the flattened tensor.

    References: Keras `ops.repeat`.
    """
    if is_traced(repeats):
        raise TraceError(
            explain(
                "repeat(): the shape of the result depends on `repeats`, whose values are not known here.",
                fix="give Python numbers, or compute `repeats` outside of the compiled function",
            )
        )
    counts = np.asarray(static_value(repeats, "repeats"), dtype=np.int64).reshape(-1)
    if counts.size == 1:
        return _repeat_all(x, int(counts[0]), axis)
    sizes = np.shape(x) if not hasattr(x, "shape") else tuple(x.shape)
    length = math.prod(sizes) if axis is None else sizes[axis]
    if counts.size != length:
        raise ShapeError(explain("repeat(): `repeats` does not fit.", expected=f"1 or {length}", received=counts.size))
    # The places to read from are worked out on the host, so that a program serves all counts of one total.
    return _pick(x, np.repeat(np.arange(length, dtype=np.int32), counts), axis)


def _pad_pairs(pad_width: Any) -> tuple[tuple[int, int], ...]:
    width = static_value(pad_width, "pad_width")
    if isinstance(width, int):
        return ((width, width),)
    if isinstance(width[0], int):
        width = (width,)
    if len({len(pair) for pair in width}) != 1 or len(width[0]) not in (1, 2):
        raise ShapeError(
            explain("pad(): `pad_width` is not understood.", expected="tuples of length 1 or 2", received=pad_width)
        )
    return tuple((pair[0], pair[-1]) for pair in width)


@op(static=("pad_width", "mode"))
def _padded(x: Any, constant_values: Any, pad_width: tuple, mode: str) -> Any:
    x = strong(x)
    if len(pad_width) not in (1, x.ndim):
        raise ShapeError(
            explain(
                "pad(): `pad_width` must have the same length as `x.shape`.",
                expected=f"{x.ndim} pairs, or one for all axes",
                received=pad_width,
            )
        )
    if mode != "constant":
        return jnp.pad(x, pad_width, mode=mode)
    if constant_values is None:
        return jnp.pad(x, pad_width)
    # JAX's rule for the gradient of the padding value fails unless `x` has a gradient too; the select, which
    # compiles to nothing, sees to that.
    x = jnp.where(False, to_dtype(jnp.ravel(constant_values)[0], x.dtype.name), x)
    return jnp.pad(x, pad_width, constant_values=constant_values)


@composite
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """Elements added before and after along each axis.

    Args:
        pad_width: ``((before, after), ...)`` for each axis, one pair or one number for all.
        mode: ``"constant"``, ``"edge"``, ``"reflect"``, ``"symmetric"``, ``"wrap"`` and the other modes of NumPy.
        constant_values: what to add with ``"constant"``; default 0.

    References: Keras `ops.pad`.
    """
    if constant_values is not None and mode != "constant":
        raise ValueError(
            explain(
                "pad(): `constant_values` can only be given with `mode='constant'`.",
                received=f"mode={mode!r}",
                fix="leave `constant_values` out",
            )
        )
    return _padded(x, constant_values, _pad_pairs(pad_width), mode)


# --- facts and copies --------------------------------------------------------------------------------
def ndim(x: Any) -> int:
    """Number of axes.

    References: Keras `ops.ndim`.
    """
    return len(x.shape) if hasattr(x, "shape") else np.ndim(x)


@op
def _count(x: Any) -> Any:
    return jnp.asarray(x.size, np.int32)


def size(x: Any) -> Any:
    """Number of elements: an int, or a symbolic int32 scalar where a size is unknown.

    References: Keras `ops.size`.
    """
    if isinstance(x, KerasTensor) and None in tuple(x.shape):
        return _count(x)
    return math.prod(x.shape) if hasattr(x, "shape") else np.size(x)


@op
def copy(x: Any) -> Any:
    """A tensor of the same values.

    References: Keras `ops.copy`.
    """
    return jnp.copy(strong(x))


@op(static=("shape",))
def unravel_index(indices: Any, shape: Any) -> tuple:
    """Indices into the flattened tensor turned into one index for each axis.

    Args:
        indices: integers.
        shape: shape of the tensor they point into.

    References: Keras `ops.unravel_index`.
    """
    indices = strong(indices)
    return tuple(to_dtype(part, indices.dtype.name) for part in jnp.unravel_index(indices, shape))


@op(static=("dtype",))
def view(x: Any, dtype: Any = None) -> Any:
    """The same bits read as another dtype; the last axis grows or shrinks if the sizes of the dtypes differ.

    References: Keras `ops.view`.
    """
    x = strong(x)
    return x if dtype is None else x.view(np.dtype(dtypes.as_dtype(dtype).as_numpy_dtype))
