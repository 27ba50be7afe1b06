"""More elements than there were: ``tile``, ``repeat``, ``pad``."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.base.errors import ShapeError, TraceError, explain
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.ops.composite import composite, is_traced
from hornbeam.ops.promotion import promote, to_dtype

__all__ = ["pad", "repeat", "tile"]


@op(static=("repeats",))
def tile(x: Any, repeats: Any) -> Any:
    """The whole tensor repeated along its axes.

    Args:
        repeats: how often, for each axis (from the last one backwards if there are fewer).

    References: Keras `ops.tile`.
    """
    return jnp.tile(promote(x)[0], repeats)


@op(static=("repeats", "axis"))
def _repeat_all(x: Any, repeats: int, axis: int | None) -> Any:
    return jnp.repeat(promote(x)[0], repeats, axis)


@op(static=("axis",))
def _pick(x: Any, source: Any, axis: int | None) -> Any:
    x = promote(x)[0]
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
    x = promote(x)[0]
    if len(pad_width) not in (1, x.ndim):
        raise ShapeError(
            explain(
                f"pad(): `pad_width` does not fit a tensor of shape {tuple(x.shape)}.",
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
