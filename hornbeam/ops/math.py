"""Special functions, segment reductions and ranking; the Fourier family is in ``ops.signal``."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.arguments import value_of
from hornbeam.core.door import op
from hornbeam.engine.jax_compat import Tracer
from hornbeam.ops.composite import composite
from hornbeam.ops.promotion import as_float, promote, to_dtype
from hornbeam.ops.signal import fft, fft2, ifft2, irfft, istft, rfft, stft

__all__ = [
    "cdist",
    "erf",
    "erfc",
    "erfinv",
    "extract_sequences",
    "fft",
    "fft2",
    "ifft2",
    "in_top_k",
    "irfft",
    "istft",
    "logdet",
    "logsumexp",
    "rfft",
    "rsqrt",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "stft",
    "top_k",
    "view_as_complex",
    "view_as_real",
]


# --- special functions ---------------------------------------------------------------------------
@op
def erf(x: Any) -> jax.Array:
    """Error function."""
    return jax.lax.erf(as_float(x))


@op
def erfc(x: Any) -> jax.Array:
    """Complementary error function ``1 - erf(x)``, accurate for large ``x``."""
    return jax.lax.erfc(as_float(x))


@op
def erfinv(x: Any) -> jax.Array:
    """Inverse of the error function, on (-1, 1)."""
    return jax.lax.erf_inv(as_float(x))


@op
def rsqrt(x: Any) -> jax.Array:
    """Reciprocal of the square root."""
    return jax.lax.rsqrt(as_float(x))


@op(static=("axis", "keepdims"))
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> jax.Array:
    """``log(sum(exp(x)))`` over some axes, without overflow."""
    return jax.nn.logsumexp(as_float(x), axis=axis, keepdims=keepdims)


@op
def logdet(x: Any) -> jax.Array:
    """``log(abs(det(x)))`` of square matrices, without overflow."""
    return jnp.linalg.slogdet(as_float(x))[1]


@op
def cdist(x: Any, y: Any) -> jax.Array:
    """Euclidean distances between the rows of ``x`` (..., n, d) and those of ``y`` (..., m, d): (..., n, m)."""
    x, y = promote(x, y, at_least=float)
    if x.ndim < 2 or y.ndim < 2:
        raise ValueError(
            "cdist(): each argument holds points as rows, (..., points, coordinates). "
            f"Received: x.shape={tuple(x.shape)}, y.shape={tuple(y.shape)}"
        )
    if x.shape[-1] != y.shape[-1]:
        raise ValueError(
            "cdist(): the points of `x` and `y` have different numbers of coordinates (last axis). "
            f"Received: x.shape={tuple(x.shape)}, y.shape={tuple(y.shape)}"
        )
    difference = x[..., :, None, :] - y[..., None, :, :]
    return jnp.sqrt(jnp.sum(difference * difference, axis=-1))


# --- segments ------------------------------------------------------------------------------------
@composite
def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Sum of the rows of each segment.

    Args:
        data: rows along axis 0.
        segment_ids: segment of each row, one axis; rows of segments outside ``[0, num_segments)`` are left out.
        num_segments: number of segments; by default one more than the largest id, which only works where ids have
            a value, so not inside compiled functions.
        sorted: promise that ``segment_ids`` do not decrease, for speed.

    Returns:
        Tensor (num_segments, ...); empty segments hold 0.
    """
    return _segment(data, segment_ids, num_segments, sorted, "sum")


@composite
def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Largest element of each segment; empty segments hold the lowest value. Arguments as in ``segment_sum``."""
    return _segment(data, segment_ids, num_segments, sorted, "max")


@composite
def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Smallest element of each segment; empty segments hold the highest value. Arguments as in ``segment_sum``."""
    return _segment(data, segment_ids, num_segments, sorted, "min")


@composite
def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Product of the elements of each segment; empty segments hold 1. Arguments as in ``segment_sum``."""
    return _segment(data, segment_ids, num_segments, sorted, "prod")


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _product(data: jax.Array, segment_ids: jax.Array, count: int, ordered: bool) -> jax.Array:
    return jax.ops.segment_prod(data, segment_ids, count, indices_are_sorted=ordered)


def _product_forward(data: jax.Array, segment_ids: jax.Array, count: int, ordered: bool) -> tuple[jax.Array, tuple]:
    return _product(data, segment_ids, count, ordered), (data, segment_ids)


def _product_backward(count: int, ordered: bool, saved: tuple, upstream: jax.Array) -> tuple[jax.Array, None]:
    # The product of the other elements: by division where there is no zero, else only the sole zero has one.
    data, segment_ids = saved
    zero = data == 0
    others = jnp.where(zero, 1, data)
    product: Any = _product(others, segment_ids, count, ordered)
    zeros = jax.ops.segment_sum(zero.astype(jnp.int32), segment_ids, count, indices_are_sorted=ordered)
    valid = ((segment_ids >= 0) & (segment_ids < count)).reshape((-1,) + (1,) * (data.ndim - 1))
    mine = jnp.clip(segment_ids, 0, max(count - 1, 0))
    rest = jnp.where(zeros[mine] == zero, product[mine] / others, 0)
    return jnp.where(valid, rest * upstream[mine], 0), None


_product.defvjp(_product_forward, _product_backward)


def _integer_safe_product(data: jax.Array, segment_ids: jax.Array, count: int, indices_are_sorted: bool) -> jax.Array:
    if jnp.issubdtype(data.dtype, jnp.inexact):
        return _product(data, segment_ids, count, indices_are_sorted)
    return jax.ops.segment_prod(data, segment_ids, count, indices_are_sorted=indices_are_sorted)


_REDUCTIONS = {
    "sum": jax.ops.segment_sum,
    "max": jax.ops.segment_max,
    "min": jax.ops.segment_min,
    "prod": _integer_safe_product,
}


def _segment(data: Any, segment_ids: Any, num_segments: int | None, ordered: bool, reduction: str) -> Any:
    if num_segments is None:
        num_segments = _count_segments(segment_ids, reduction)
    return _segment_reduce(
        data, segment_ids, num_segments=int(num_segments), ordered=bool(ordered), reduction=reduction
    )


def _count_segments(segment_ids: Any, reduction: str) -> int:
    ids = value_of(segment_ids)
    if isinstance(ids, Tracer) or (not hasattr(ids, "__array__") and not isinstance(ids, (list, tuple))):
        raise ValueError(
            "Argument `num_segments` must be set inside compiled functions and on symbolic tensors, where the ids have "
            f"no value yet: segment_{reduction}(..., num_segments=n). Received: num_segments=None"
        )
    if isinstance(ids, (list, tuple)):
        return max((int(i) for i in ids), default=-1) + 1
    return int(jnp.max(ids)) + 1 if ids.size else 0


@op(static=("num_segments", "ordered", "reduction"))
def _segment_reduce(data: Any, segment_ids: Any, num_segments: int, ordered: bool, reduction: str) -> jax.Array:
    data, segment_ids = promote(data)[0], promote(segment_ids)[0]
    if segment_ids.ndim > 1:
        raise ValueError(
            f"segment_{reduction}(): `segment_ids` has one axis, an id for each row of `data`. Flatten it, and the "
            f"leading axes of `data` with it. Received: segment_ids.shape={tuple(segment_ids.shape)}"
        )
    if segment_ids.shape[0] != data.shape[0]:
        raise ValueError(
            f"segment_{reduction}(): `data` has {data.shape[0]} rows, but `segment_ids` holds {segment_ids.shape[0]} "
            "ids. Give one id for each row."
        )
    return _REDUCTIONS[reduction](data, segment_ids, num_segments, indices_are_sorted=ordered)


# --- ranking -------------------------------------------------------------------------------------
@op(static=("k", "sorted"))
def top_k(x: Any, k: int, sorted: bool = True) -> tuple[jax.Array, jax.Array]:
    """The ``k`` largest elements along the last axis, largest first, and their places (int32).

    ``sorted=False`` allows any order; the result is sorted all the same.
    """
    values, places = jax.lax.top_k(promote(x)[0], int(k))
    return values, places.astype(jnp.int32)


@op(static=("k",))
def in_top_k(targets: Any, predictions: Any, k: int) -> jax.Array:
    """Whether the target class is among the ``k`` highest predictions of its row; ties count as in.

    A target outside the classes is never in.
    """
    predictions = promote(predictions)[0]
    targets = promote(targets)[0]
    of_target = jnp.take_along_axis(predictions, targets[..., None], axis=-1)
    lowest = -jnp.inf if jnp.issubdtype(predictions.dtype, jnp.floating) else jnp.iinfo(predictions.dtype).min
    of_target = jnp.where(jnp.isnan(of_target), lowest, of_target)
    return 1 + jnp.sum(predictions > of_target, axis=-1, dtype=jnp.int32) <= k


@op(static=("sequence_length", "sequence_stride"))
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> jax.Array:
    """Windows of ``sequence_length`` samples, ``sequence_stride`` samples apart, along the last axis."""
    x = promote(x)[0]
    count = 1 + (x.shape[-1] - sequence_length) // sequence_stride
    starts = jnp.arange(max(count, 0), dtype=jnp.int32) * sequence_stride
    return jnp.take(x, starts[:, None] + jnp.arange(sequence_length, dtype=jnp.int32), axis=-1)


# --- complex numbers -----------------------------------------------------------------------------
@op
def view_as_complex(x: Any) -> jax.Array:
    """Complex numbers from pairs (real, imaginary) on the last axis."""
    x = as_float(x)
    if x.ndim < 1 or x.shape[-1] != 2:
        raise ValueError(
            "view_as_complex(): the last axis holds pairs (real and imaginary part), so its size is 2. "
            f"Received: x.shape={tuple(x.shape)}"
        )
    if x.dtype.itemsize < 4:
        x = to_dtype(x, "float32")
    return jax.lax.complex(x[..., 0], x[..., 1])


@op
def view_as_real(x: Any) -> jax.Array:
    """Pairs (real, imaginary) on a new last axis."""
    x = promote(x)[0]
    return jnp.stack((jnp.real(x), jnp.imag(x)), axis=-1)
