"""Shapes and axes: ``reshape``, ``transpose``, ``concat``, ``stack``, ``split``, ``tile``, ``pad`` ..."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam import ops
from hornbeam.base import shapes
from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.core.tensor import Tensor
from hornbeam.errors import InvalidArgumentError
from hornbeam.ops.promotion import promote
from hornbeam.tensors.face import dtype_of, face, kept, shape_of, tensor, tensors

__all__ = [
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "broadcast_to",
    "concat",
    "ensure_shape",
    "expand_dims",
    "pad",
    "repeat",
    "reshape",
    "reverse",
    "reverse_sequence",
    "roll",
    "split",
    "squeeze",
    "stack",
    "tile",
    "transpose",
    "unstack",
]


def _axis(axis: Any) -> Any:
    """Axis or axes as Python ints."""
    return static_value(axis, "axis")


def _sizes(shape: Any) -> tuple[int, ...]:
    if type(shape) in (list, tuple):
        return tuple(_size(item) for item in shape)
    found = static_value(shape, "shape")
    return found if isinstance(found, tuple) else (found,)


def _size(item: Any) -> Any:
    """One size of a list; one computed as a float tensor (`tf.math.ceil(height / 2)`) is cast, as TensorFlow does."""
    found = static_value(item, "shape")
    return int(found) if isinstance(item, Tensor) and isinstance(found, float) else found


# --- one tensor ----------------------------------------------------------------------------------
@face(strings=("tensor",))
def reshape(tensor: Any, shape: Any, name: str | None = None) -> Any:
    """The elements in the same order under another shape; -1 stands for the size that follows from the others."""
    return ops.reshape(tensor, _sizes(shape))


@face(strings=("input",))
def expand_dims(input: Any, axis: Any, name: str | None = None) -> Any:
    """A new axis of size 1 at the given place."""
    return ops.expand_dims(tensor(input), int(_axis(axis)))


@face(strings=("input",))
def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Any:
    """Axes of size 1 removed: those named, or all."""
    axes = _axis(axis)
    return ops.squeeze(tensor(input), None if axes == () else axes)


@face(strings=("a",))
def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str | None = "transpose") -> Any:
    """Axes in another order, reversed by default; ``conjugate`` takes the complex conjugate too."""
    turned = ops.transpose(tensor(a), None if perm is None else _axis(perm))
    return ops.conj(turned) if conjugate and turned.dtype.is_complex else turned


@face(strings=("input",))
def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Any:
    """Repeated along axes of size 1 and along new axes in front, up to a shape."""
    return ops.broadcast_to(tensor(input), _sizes(shape))


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> shapes.TensorShape:
    """Shape that two shapes broadcast to."""
    return shapes.TensorShape(shapes.broadcast(shapes.TensorShape(shape_x), shapes.TensorShape(shape_y)))


@face
def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Any:
    """Shape that two shapes (tensors) broadcast to, as a tensor."""
    return kept(tensor(list(shapes.broadcast(_sizes(shape_x), _sizes(shape_y)))), dtype_of(shape_x))


@face(strings=("x",))
def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Any:
    """The tensor itself, if its shape fits.

    Raises:
        tf.errors.InvalidArgumentError: it does not.
    """
    x = tensor(x)
    if not shapes.TensorShape(shape).is_compatible_with(x.shape):
        raise InvalidArgumentError(
            None, None, f"Shape of tensor {tuple(x.shape)} is not compatible with expected shape {shape}."
        )
    return ops.copy(x)


@face(strings=("input",))
def tile(input: Any, multiples: Any, name: str | None = None) -> Any:
    """The whole tensor repeated along its axes, ``multiples`` times each."""
    counts = _sizes(multiples)
    if len(counts) != len(shape_of(input)):
        raise InvalidArgumentError(
            None, None, f"tf.tile: expected one multiple for each of {len(shape_of(input))} axes, received {counts}."
        )
    return ops.tile(tensor(input), counts)


@face(strings=("input",))
def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Any:
    """Each element (or slice along an axis) repeated in place."""
    return ops.repeat(tensor(input), repeats, axis=axis)


@face(strings=("tensor",))
def reverse(tensor: Any, axis: Any, name: str | None = None) -> Any:
    """Order of the elements reversed along the given axes."""
    axes = _sizes(axis)
    return ops.flip(tensor, axes) if axes else ops.copy(tensor)


@face(strings=("input",))
def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Any:
    """Elements moved along axes; those that leave at the end come in at the start."""
    return ops.roll(tensor(input), static_value(shift, "shift"), _axis(axis))


@op(static=("seq_axis", "batch_axis"))
def _reverse_sequence(input: Any, seq_lengths: Any, seq_axis: int, batch_axis: int) -> Any:
    input, lengths = promote(input)[0], promote(seq_lengths)[0].astype(jnp.int32)
    by_time = jnp.moveaxis(input, (batch_axis, seq_axis), (0, 1))
    steps = jnp.arange(by_time.shape[1], dtype=jnp.int32)
    places = jnp.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    places = places.reshape(places.shape + (1,) * (by_time.ndim - 2))
    return jnp.moveaxis(jnp.take_along_axis(by_time, places, axis=1), (0, 1), (batch_axis, seq_axis))


@face(strings=("input",))
def reverse_sequence(
    input: Any, seq_lengths: Any, seq_axis: int | None = None, batch_axis: int | None = None, name: str | None = None
) -> Any:
    """The first ``seq_lengths[i]`` elements of sample ``i`` in reverse order, the others in their places."""
    if seq_axis is None:
        raise ValueError("tf.reverse_sequence: `seq_axis` must be given.")
    return _reverse_sequence(tensor(input), tensor(seq_lengths), seq_axis, batch_axis or 0)


_MODES = {"CONSTANT": "constant", "REFLECT": "reflect", "SYMMETRIC": "symmetric"}


@face(strings=("tensor", "constant_values"))
def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: str | None = None) -> Any:
    """Elements added before and after along each axis.

    Args:
        tensor: what to pad.
        paddings: (rank, 2): number of elements before and after, for each axis.
        mode: ``"CONSTANT"``, ``"REFLECT"`` (without the edge) or ``"SYMMETRIC"`` (with it), in any case.
        constant_values: what to add with ``"CONSTANT"``.
    """
    how = _MODES.get(str(mode).upper())
    if how is None:
        raise ValueError(f"tf.pad: `mode` must be one of {sorted(_MODES)}, received {mode!r}.")
    widths = static_value(paddings, "paddings")
    if how != "constant":
        _check_mirrored(shape_of(tensor), widths, how)
    return ops.pad(tensor, widths, how, constant_values if how == "constant" else None)


def _check_mirrored(shape: Any, widths: Any, how: str) -> None:
    """A mirror shows each axis once: wider margins are refused, as in TensorFlow."""
    for axis, (size, pair) in enumerate(zip(shape, np.asarray(widths).tolist(), strict=True)):
        widest = None if size is None else size - (how == "reflect")
        if widest is not None and max(pair) > widest:
            text = explain(
                f"tf.pad: the margins of axis {axis} are wider than what can be mirrored.",
                expected=f"at most {widest} on each side for mode={how.upper()!r} and size {size}",
                received=f"paddings[{axis}]={pair}",
            )
            raise InvalidArgumentError(None, None, text)


# --- several tensors -----------------------------------------------------------------------------
def _as_list(values: Any) -> list:
    if isinstance(values, (list, tuple)):
        return tensors(*values)
    return [tensor(values)] if len(shape_of(values)) == 0 else list(ops.unstack(tensor(values)))


@face(strings=("values",))
def concat(values: Any, axis: Any, name: str | None = "concat") -> Any:
    """Tensors one after the other along an axis that they all have."""
    if not isinstance(values, (list, tuple)):
        return tensor(values)
    parts = tensors(*values)
    return ops.concatenate(parts, axis=int(_axis(axis))) if len(parts) > 1 else ops.copy(parts[0])


@face(strings=("values",))
def stack(values: Any, axis: int = 0, name: str | None = "stack") -> Any:
    """Tensors of one shape side by side along a new axis."""
    return ops.stack(_as_list(values), axis=axis)


@face(strings=("value",))
def unstack(value: Any, num: int | None = None, axis: int = 0, name: str | None = "unstack") -> list:
    """List of the slices along an axis, which they lose."""
    return ops.unstack(tensor(value), num=num, axis=axis)


@face(strings=("value",))
def split(
    value: Any, num_or_size_splits: Any, axis: Any = 0, num: int | None = None, name: str | None = "split"
) -> list:
    """List of parts along an axis: a number of equal ones, or parts of given sizes, one of which may be -1.

    ``num`` is the number of sizes; it need not be given, because sizes are known.
    """
    value, axis = tensor(value), int(_axis(axis))
    parts = static_value(num_or_size_splits, "num_or_size_splits")
    length = shape_of(value)[axis]
    if not isinstance(parts, tuple):
        if length is not None and length % parts:
            raise InvalidArgumentError(
                None, None, f"tf.split: {length} elements cannot be split in {parts} equal parts."
            )
        return list(ops.split(value, parts, axis=axis))
    if num is not None and num != len(parts):
        raise ValueError(f"tf.split: `num` is {num}, but {len(parts)} sizes were given.")
    if length is None:
        raise NotSupportedError(f"tf.split: sizes of parts need a known size of axis {axis}; give a number of parts.")
    rest = length - sum(size for size in parts if size >= 0)
    sizes = [rest if size < 0 else size for size in parts]
    if sum(sizes) != length or parts.count(-1) > 1 or min(sizes, default=0) < 0:
        raise InvalidArgumentError(None, None, f"tf.split: sizes {parts} do not add up to the {length} of axis {axis}.")
    ends = [sum(sizes[: place + 1]) for place in range(len(sizes) - 1)]
    return list(ops.split(value, ends, axis=axis))
