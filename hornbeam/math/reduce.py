"""Reductions along axes: sums, means, extremes and their places, truth, and running versions of them.

``axis`` is an axis, a list of axes, or None for all; ``keepdims`` keeps reduced axes with size 1. Results have
the dtype of the input; means of integers are cut off towards zero.
"""

from __future__ import annotations

import builtins
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes, shapes
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.core.symbolic import KerasTensor
from hornbeam.ops.promotion import promote
from hornbeam.tensors.face import face, kept, tensor

__all__ = [
    "argmax",
    "argmin",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "cumulative_logsumexp",
    "reduce_all",
    "reduce_any",
    "reduce_euclidean_norm",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_std",
    "reduce_sum",
    "reduce_variance",
    "zero_fraction",
]


def _axes(axis: Any) -> Any:
    return static_value(axis, "axis")


@face
def reduce_sum(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Sum; 0 where there is nothing to add."""
    x = tensor(input_tensor)
    return kept(ops.sum(x, axis=_axes(axis), keepdims=bool(keepdims)), x.dtype)


@face
def reduce_prod(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Product; 1 where there is nothing to multiply."""
    x = tensor(input_tensor)
    return kept(ops.prod(x, axis=_axes(axis), keepdims=bool(keepdims)), x.dtype)


@op(static=("axis", "keepdims"))
def _whole_mean(x: Any, axis: Any, keepdims: bool) -> Any:
    total = jnp.sum(promote(x)[0], axis=axis, keepdims=keepdims, dtype=x.dtype)
    count = x.size // builtins.max(1, total.size)
    return jax.lax.div(total, jnp.asarray(count, x.dtype))


@face
def reduce_mean(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Mean; of integers the sum divided by the count, cut off towards zero."""
    x = tensor(input_tensor)
    if x.dtype.is_integer:
        return _whole_mean(x, _axes(axis), bool(keepdims))
    return ops.mean(x, axis=_axes(axis), keepdims=bool(keepdims))


@face
def reduce_variance(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Mean squared distance from the mean."""
    return _variance(input_tensor, axis, keepdims)


def _variance(given: Any, axis: Any, keepdims: Any) -> Any:
    out = ops.var(tensor(given), axis=_axes(axis), keepdims=bool(keepdims))
    return ops.real(out) if out.dtype.is_complex else out


@face
def reduce_std(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Square root of the variance."""
    return ops.sqrt(_variance(input_tensor, axis, keepdims))


@face
def reduce_max(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Largest element; the lowest value of the dtype where there is none."""
    return _extreme(ops.max, input_tensor, axis, keepdims, -1)


@face
def reduce_min(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Smallest element; the highest value of the dtype where there is none."""
    return _extreme(ops.min, input_tensor, axis, keepdims, 1)


def _extreme(function: Any, given: Any, axis: Any, keepdims: Any, side: int) -> Any:
    x = tensor(given)
    initial = None
    if not isinstance(x, KerasTensor) and not shapes.count(x.shape):
        initial = side * np.inf if x.dtype.is_floating else x.dtype.limits[side > 0]
    return function(x, axis=_axes(axis), keepdims=bool(keepdims), initial=initial)


@face
def reduce_all(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Whether all elements are true."""
    return ops.all(tensor(input_tensor), axis=_axes(axis), keepdims=bool(keepdims))


@face
def reduce_any(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Whether an element is true."""
    return ops.any(tensor(input_tensor), axis=_axes(axis), keepdims=bool(keepdims))


@face
def reduce_logsumexp(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """``log(sum(exp(x)))``, without overflow."""
    return ops.logsumexp(tensor(input_tensor), axis=_axes(axis), keepdims=bool(keepdims))


@face
def reduce_euclidean_norm(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Square root of the sum of squares."""
    x = tensor(input_tensor)
    size = ops.absolute(x) if x.dtype.is_complex else x
    return kept(ops.sqrt(ops.sum(ops.square(size), axis=_axes(axis), keepdims=bool(keepdims))), x.dtype)


@face(strings=())
def count_nonzero(
    input: Any, axis: Any = None, keepdims: bool = False, dtype: Any = "int64", name: str | None = None
) -> Any:
    """Number of elements that are not 0."""
    hits = ops.cast(ops.not_equal(tensor(input), 0), dtypes.as_dtype(dtype))
    return kept(ops.sum(hits, axis=_axes(axis), keepdims=bool(keepdims)), dtype)


@face
def zero_fraction(value: Any, name: str | None = None) -> Any:
    """Share of elements that are 0, float32."""
    return ops.mean(ops.cast(ops.equal(tensor(value), 0), "float32"))


@face
def argmax(input: Any, axis: Any = None, output_type: Any = "int64", name: str | None = None) -> Any:
    """Place of the largest element along an axis (the first by default), int64; the first one of equals."""
    return _place(ops.argmax, input, axis, output_type)


@face
def argmin(input: Any, axis: Any = None, output_type: Any = "int64", name: str | None = None) -> Any:
    """Place of the smallest element along an axis (the first by default), int64; the first one of equals."""
    return _place(ops.argmin, input, axis, output_type)


def _place(function: Any, x: Any, axis: Any, output_type: Any) -> Any:
    places = function(tensor(x), axis=0 if axis is None else int(_axes(axis)))
    return kept(places, dtypes.as_dtype(output_type))


# --- running -------------------------------------------------------------------------------------
_RUNNING = {"sum": jnp.cumsum, "prod": jnp.cumprod, "logsumexp": jax.lax.cumlogsumexp}


@op(static=("axis", "exclusive", "reverse", "how"))
def _running(x: Any, axis: int, exclusive: bool, reverse: bool, how: str) -> Any:
    x = promote(x)[0]
    axis %= x.ndim
    if reverse:
        x = jnp.flip(x, axis)
    if exclusive:
        first = {"sum": 0, "prod": 1, "logsumexp": -jnp.inf}[how]
        widths = [(0, 0)] * x.ndim
        widths[axis] = (1, 0)
        x = jax.lax.slice_in_dim(jnp.pad(x, widths, constant_values=first), 0, x.shape[axis], axis=axis)
    out = _RUNNING[how](x, axis) if how == "logsumexp" else _RUNNING[how](x, axis=axis, dtype=x.dtype)
    return jnp.flip(out, axis) if reverse else out


@face
def cumsum(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Any:
    """Running sums along an axis.

    Args:
        x: tensor.
        axis: axis to go along.
        exclusive: leave each element itself out of its sum.
        reverse: run from the end.
    """
    return _running(tensor(x), int(_axes(axis)), bool(exclusive), bool(reverse), "sum")


@face
def cumprod(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Any:
    """Running products along an axis; arguments as in ``cumsum``."""
    return _running(tensor(x), int(_axes(axis)), bool(exclusive), bool(reverse), "prod")


@face
def cumulative_logsumexp(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Any:
    """Running ``log(sum(exp))`` along an axis; the empty one of ``exclusive`` is -inf."""
    return _running(tensor(x), int(_axes(axis)), bool(exclusive), bool(reverse), "logsumexp")
