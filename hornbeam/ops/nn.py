"""Encodings, statistics, normalizations, attention and other building blocks of networks."""

from __future__ import annotations

import warnings
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base import dtypes, settings
from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.core.door import op
from hornbeam.ops.composite import composite
from hornbeam.ops.promotion import as_float, promote, to_dtype
from hornbeam.ops.variance import variance_of

__all__ = [
    "batch_normalization",
    "layer_normalization",
    "moments",
    "multi_hot",
    "normalize",
    "one_hot",
    "polar",
    "psnr",
    "rms_normalization",
]

_HALF = ("float16", "bfloat16")


# --- encodings -----------------------------------------------------------------------------------
def _dense_only(sparse: bool, name: str) -> None:
    if sparse:
        raise NotSupportedError(
            explain(
                f"{name}(sparse=True) is not supported: there are no sparse tensors here.",
                expected="sparse=False",
                received="sparse=True",
                fix="leave `sparse` out; the dense result has the same values",
            )
        )


@op(static=("num_classes", "axis", "dtype", "sparse"))
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> jax.Array:
    """Vectors with a 1 at the place that each integer names, on a new axis.

    Args:
        x: integers; those outside ``[0, num_classes)`` give vectors of zeros.
        num_classes: size of the new axis.
        axis: where the new axis stands in the result.
        dtype: result dtype, float32 by default.
        sparse: only False.

    Raises:
        NotSupportedError: ``sparse=True``.
    """
    _dense_only(sparse, "one_hot")
    return jax.nn.one_hot(x, int(num_classes), axis=axis, dtype=_np_dtype(dtype or "float32"))


@op(static=("num_classes", "axis", "dtype"))
def _multi_hot(inputs: Any, num_classes: int, axis: int, dtype: Any) -> jax.Array:
    inputs = to_dtype(inputs, "int32")
    hot = jax.nn.one_hot(inputs, int(num_classes), axis=axis, dtype=_np_dtype(dtype))
    return jnp.max(hot, axis=1 if inputs.ndim > 1 else 0)


@composite
def multi_hot(
    inputs: Any, num_classes: Any = None, axis: int = -1, dtype: Any = None, sparse: bool = False, **kwargs: Any
) -> Any:
    """One vector per row, with a 1 at every place that one of the row's integers names.

    Args:
        inputs: integers, shape ``(batch, n)`` or ``(n,)``.
        num_classes: size of the result's last axis. ``num_tokens`` is another name for it.
        axis: where the axis of classes stands before the reduction over ``n``.
        dtype: result dtype, ``floatx`` by default.
        sparse: only False.

    Raises:
        ValueError: ``num_classes`` is missing.
    """
    if num_classes is None:
        num_classes = kwargs.pop("num_tokens", None)
    if num_classes is None:
        raise ValueError("Argument `num_classes` must be specified.")
    if kwargs:
        raise TypeError(f"multi_hot() got unexpected keyword arguments {sorted(kwargs)}.")
    _dense_only(sparse, "multi_hot")
    return _multi_hot(inputs, num_classes=num_classes, axis=axis, dtype=dtypes.as_dtype(dtype or settings.floatx()))


def _np_dtype(dtype: Any) -> Any:
    return dtypes.as_dtype(dtype).as_numpy_dtype


# --- statistics ----------------------------------------------------------------------------------
@op(static=("axes", "keepdims", "synchronized"))
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> tuple[jax.Array, jax.Array]:
    """Mean and (biased) variance over some axes.

    16-bit floats are computed in float32 and clipped to the range of float16 on the way back, as in Keras.

    Raises:
        NotSupportedError: ``synchronized=True``; arrays laid out over devices are reduced over all of them anyway.
    """
    if synchronized:
        raise NotSupportedError(
            "moments(synchronized=True) is not supported. Leave it out: statistics of an array that is spread over "
            "devices are taken over all of it."
        )
    x = as_float(x)
    dtype = x.dtype
    half = dtype.name in _HALF
    if half:
        x = x.astype(jnp.float32)
    mean = jnp.mean(x, axis=axes, keepdims=keepdims)
    variance = variance_of(x, axes, keepdims)
    if half:
        limit = jnp.finfo(jnp.float16).max
        mean, variance = (jnp.clip(part, -limit, limit).astype(dtype) for part in (mean, variance))
    return mean, variance


@op
def psnr(x1: Any, x2: Any, max_val: Any) -> jax.Array:
    """Peak signal-to-noise ratio in dB: ``20 log10(max_val) - 10 log10(mean((x1 - x2)^2))``."""
    x1, x2 = promote(x1, x2, at_least=float)
    if x1.shape != x2.shape:
        raise ValueError(f"psnr(): the images differ in shape. Received: {tuple(x1.shape)} and {tuple(x2.shape)}")
    return 20 * jnp.log10(to_dtype(max_val, x2.dtype)) - 10 * jnp.log10(jnp.mean(jnp.square(x1 - x2)))


# --- normalizations ------------------------------------------------------------------------------
@composite
def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Any:
    """Divide by the ``order``-norm along ``axis``, which counts as ``epsilon`` at least.

    Args:
        x: tensor.
        axis: int or tuple of ints.
        order: int, 1 at least.
        epsilon: default ``keras.config.epsilon()``.
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"normalize(): `order`, that of the norm, is an int of 1 or more. Received: {order!r}")
    return _normalize(x, axis=axis, order=order, epsilon=settings.epsilon() if epsilon is None else epsilon)


@op(static=("axis", "order", "epsilon"))
def _normalize(x: Any, axis: Any, order: int, epsilon: float) -> jax.Array:
    x = as_float(x)
    if x.ndim == 0:
        x = x[None]
    if order != 2:
        norm = jnp.linalg.norm(x, ord=order, axis=axis, keepdims=True)
        return x / jnp.maximum(norm, epsilon)
    square = jnp.sum(jnp.square(x), axis=axis, keepdims=True)
    # At exactly 0 the derivative of 1/sqrt is infinite; the guard keeps the gradient finite.
    zero = square == 0
    limit = jnp.asarray(min(1.0 / epsilon, float(jnp.finfo(x.dtype).max)), x.dtype)
    return x * jnp.where(zero, limit, jnp.minimum(jax.lax.rsqrt(jnp.where(zero, 1, square)), limit))


@op(static=("axis", "epsilon"))
def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> jax.Array:
    """Normalize with given statistics of one axis: ``(x - mean) / sqrt(variance + epsilon) * scale + offset``."""
    given = [part for part in (mean, variance, offset, scale) if part is not None]
    x, *given = promote(x, *given, at_least=float)
    shape = [1] * x.ndim
    shape[axis] = given[0].shape[0]
    parts = iter([part.reshape(shape) for part in given])
    mean, inverse = next(parts), jax.lax.rsqrt(next(parts) + epsilon)
    offset = next(parts) if offset is not None else None
    if scale is not None:
        inverse = inverse * next(parts)
    shift = -mean * inverse
    return x * inverse + (shift if offset is None else shift + offset)


@composite
def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Any:
    """Divide by the root mean square along ``axis``: ``x / sqrt(mean(x^2) + epsilon) * scale``.

    Computed in float32 at least. ``epsilon`` is ``keras.config.epsilon()`` by default.

    References: Zhang and Sennrich 2019, equation 4; Keras `ops.rms_normalization`.
    """
    return _rms_normalization(x, scale, axis=axis, epsilon=settings.epsilon() if epsilon is None else epsilon)


@op(static=("axis", "epsilon"))
def _rms_normalization(x: Any, scale: Any, axis: Any, epsilon: float) -> jax.Array:
    given = promote(x)[0]
    x = promote(given, at_least="float32")[0]
    if x.ndim == 0:
        x = x[None]
    normal = x * jax.lax.rsqrt(jnp.mean(jnp.square(x), axis=axis, keepdims=True) + epsilon)
    if scale is not None:
        normal = normal * to_dtype(scale, x.dtype)
    return normal.astype(given.dtype)


@composite
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None, **kwargs: Any
) -> Any:
    """Normalize each sample over ``axis`` to mean 0 and variance 1, then scale by ``gamma`` and shift by ``beta``.

    Computed in float32 at least. ``epsilon`` is ``keras.config.epsilon()`` by default. The old argument
    ``rms_scaling=True`` divides by the standard deviation without taking off the mean.

    References: Ba et al. 2016, equation 4; Keras `ops.layer_normalization`.
    """
    rms_scaling = bool(kwargs.pop("rms_scaling", False))
    if kwargs:
        raise TypeError(f"layer_normalization() got unexpected keyword arguments {sorted(kwargs)}.")
    if rms_scaling:
        warnings.warn(
            "`rms_scaling=True` is deprecated: it scales by the variance, not by the root mean square. "
            "Use `keras.ops.rms_normalization` for RMS normalization.",
            stacklevel=2,
        )
    epsilon = settings.epsilon() if epsilon is None else epsilon
    return _layer_normalization(x, gamma, beta, axis=axis, epsilon=epsilon, rms_scaling=rms_scaling)


@op(static=("axis", "epsilon", "rms_scaling"))
def _layer_normalization(x: Any, gamma: Any, beta: Any, axis: Any, epsilon: float, rms_scaling: bool) -> jax.Array:
    given = promote(x)[0]
    x = promote(given, at_least="float32")[0]
    axes = sorted((axis,) if isinstance(axis, int) else axis)
    shape = [1] * x.ndim
    for one in axes:
        shape[one] = x.shape[one]

    def fitted(weight: Any) -> Any:
        if weight is None:
            return None
        weight = to_dtype(weight, x.dtype)
        return weight.reshape(shape) if weight.ndim != x.ndim and axes != [x.ndim - 1] else weight

    gamma, beta = fitted(gamma), fitted(beta)
    inverse = jax.lax.rsqrt(variance_of(x, tuple(axes), True) + epsilon)
    if gamma is not None:
        inverse = inverse * gamma
    outputs = x * inverse
    if not rms_scaling:
        shift = -jnp.mean(x, axis=tuple(axes), keepdims=True) * inverse
        outputs = outputs + (shift if beta is None else shift + beta)
    return outputs.astype(given.dtype)


@op
def polar(abs_: Any, angle: Any) -> jax.Array:
    """Complex numbers from absolute values and angles (radians)."""
    abs_, angle = promote(abs_, angle, at_least=float)
    return jax.lax.complex(abs_ * jnp.cos(angle), abs_ * jnp.sin(angle))
