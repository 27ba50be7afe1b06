"""Shapes: ``reshape``, ``transpose``, ``expand_dims``, ``flip`` ... and facts about them.

Joining and splitting (``concatenate``, ``stack``, ``split`` ...) is in ``join.py``, diagonals are in ``diagonal.py``,
``tile``, ``repeat`` and ``pad`` in ``repeat.py``.
"""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.base import dtypes
from hornbeam.base.errors import ShapeError, explain
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor
from hornbeam.ops.composite import composite
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
    "ravel",
    "reshape",
    "roll",
    "rot90",
    "size",
    "squeeze",
    "swapaxes",
    "transpose",
    "unravel_index",
    "view",
]


def strong(x: Any) -> Any:
    """The operand as an array that is not weak-typed; strings, of which only the shape is known here, as they are."""
    return x if getattr(x, "dtype", None) == np.object_ else promote(x)[0]


def _strings_with_new_axes(x: Any, axis: Any) -> Any:
    return HostTensor(np.expand_dims(x._value, static_value(axis, "axis")))


def _strings_without_axes(x: Any, axis: Any = None) -> Any:
    return HostTensor(np.squeeze(x._value, None if axis is None else static_value(axis, "axis")))


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
    rest = math.prod(size for size in sizes if size is not None and size != -1)
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


@op(static=("axis",), host=_strings_with_new_axes)
def expand_dims(x: Any, axis: Any) -> Any:
    """New axes of size 1 at the given places of the result.

    References: Keras `ops.expand_dims`.
    """
    return jnp.expand_dims(strong(x), axis)


@op(static=("axis",), host=_strings_without_axes)
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
