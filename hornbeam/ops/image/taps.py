"""Resampling along one axis: which input pixels make an output pixel, and with which weights.

Sizes are known when a program is made, so the weights are constants of it (but for programs that are saved for any
size). An axis whose outputs need few inputs each
is gathered; otherwise it is multiplied by the (sparse) matrix of weights.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base.errors import NotSupportedError

_FEW_TAPS = 4


def _triangle(x: Any, xp: Any = np) -> Any:
    return xp.maximum(0.0, 1.0 - x)


def _keys(x: Any, xp: Any = np) -> Any:
    """Cubic kernel with a = -1/2: Keys 1981, equation 15."""
    near = ((1.5 * x - 2.5) * x) * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return xp.where(x < 1.0, near, xp.where(x < 2.0, far, 0.0))


def _mitchell(x: Any, xp: Any = np) -> Any:
    """Cubic kernel with B = C = 1/3: Mitchell and Netravali 1988, equation 8."""
    near = ((7.0 * x - 12.0) * x * x + 16.0 / 3.0) / 6.0
    far = (((-7.0 / 3.0 * x + 12.0) * x - 20.0) * x + 32.0 / 3.0) / 6.0
    return xp.where(x < 1.0, near, xp.where(x < 2.0, far, 0.0))


def _gaussian(x: Any, xp: Any = np) -> Any:
    """Gaussian of radius 1.5 that ends at three standard deviations."""
    return xp.where(x < 1.5, xp.exp(-0.5 * (x / 0.5) ** 2), 0.0)


def _lanczos(radius: int, x: Any, xp: Any = np) -> Any:
    top = radius * xp.sin(np.pi * x) * xp.sin(np.pi * x / radius)
    inner = xp.where(x > 1e-3, top / xp.where(x > 1e-3, (np.pi * x) ** 2, 1.0), 1.0)
    return xp.where(x > radius, 0.0, inner)


KERNELS: dict[str, Callable[..., Any]] = {
    "bilinear": _triangle,
    "bicubic": _keys,
    "bicubic_by_table": _keys,
    "mitchellcubic": _mitchell,
    "gaussian": _gaussian,
    "lanczos3": functools.partial(_lanczos, 3),
    "lanczos5": functools.partial(_lanczos, 5),
}
"""Weight of a pixel at a distance of x pixels, by method; computed by NumPy, or by the module given after x."""

_TABLE_STEPS = np.float32(1024.0)
"""Steps per pixel in which ``"bicubic_by_table"`` places its kernel."""


@functools.lru_cache(maxsize=256)
def axis_weights(size: int, target: int, method: str, antialias: bool) -> np.ndarray:
    """Matrix (target, size) of the weights; pixel centres lie at half-integers in both images."""
    scale = size / target
    if method == "area":
        return _area_weights(size, target)
    if method == "nearest":
        places = np.clip(np.floor((np.arange(target) + 0.5) * scale), 0, size - 1).astype(int)
        return np.eye(size)[places]
    return _kernel_weights(np.float32(1.0 / (target / size)), size, target, method, antialias, np)


def _kernel_weights(scale: Any, size: Any, target: Any, method: str, antialias: bool, xp: Any) -> Any:
    # In float32 step by step, as the reference computes them: whole-number images round many ties (7 and 8 make 7.5),
    # and weights that are right to more digits would send them elsewhere.
    stretch = xp.maximum(scale, np.float32(1.0)) if antialias else np.float32(1.0)
    centres = (xp.arange(target, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    if method == "bicubic_by_table":
        whole = xp.floor(centres)
        centres = whole + xp.round((centres - whole) * _TABLE_STEPS) / _TABLE_STEPS
    distances = xp.abs(centres[:, None] - xp.arange(size, dtype=np.float32)[None, :]) / stretch
    weights = KERNELS[method](distances, xp=xp).astype(np.float32)
    total = weights.sum(axis=1, keepdims=True)
    return xp.where(xp.abs(total) > 1e-4, weights / xp.where(total == 0.0, np.float32(1.0), total), np.float32(0.0))


def _area_weights(size: int, target: int) -> np.ndarray:
    """Share of each input pixel in the box that an output pixel covers."""
    scale = size / target
    lower = np.arange(target)[:, None] * scale
    pixels = np.arange(size)[None, :]
    overlap = np.minimum(pixels + 1.0, lower + scale) - np.maximum(pixels, lower)
    return np.maximum(overlap, 0.0) / scale


def _resample_unknown(images: jax.Array, axis: int, target: Any, method: str, antialias: bool) -> jax.Array:
    """``resample`` in a program that is made for any size: the weights are computed when it runs."""
    size = images.shape[axis]
    pixels, total = jnp.asarray(target, jnp.float32), jnp.asarray(size, jnp.float32)
    if method == "nearest":
        places = jnp.floor((jnp.arange(target, dtype=jnp.float32) + 0.5) * (total / pixels))
        return jnp.take(images, jnp.clip(places, 0, total - 1).astype(jnp.int32), axis=axis)
    if method == "area":
        raise NotSupportedError("resize(method='area') needs known image sizes: give the input its height and width.")
    scale = np.float32(1.0) / (pixels / total)
    matrix = _kernel_weights(scale, size, target, method, antialias, jnp).astype(images.dtype)
    out = jnp.tensordot(matrix, images, axes=(1, axis), precision=jax.lax.Precision.HIGHEST)
    return jnp.moveaxis(out, 0, axis)


@functools.lru_cache(maxsize=256)
def _taps(size: int, target: int, method: str, antialias: bool) -> tuple[np.ndarray, np.ndarray] | None:
    """Places (target, taps) and weights of the inputs that count, or None if there are many."""
    weights = axis_weights(size, target, method, antialias)
    count = max(1, int((weights != 0).sum(axis=1).max()))
    if count > _FEW_TAPS or count * 2 > size:
        return None
    # Stable sort: the inputs that count first, in their order.
    places = np.argsort(weights == 0, axis=1, kind="stable")[:, :count]
    return places.astype(np.int32), np.take_along_axis(weights, places, axis=1)


def resample(images: jax.Array, axis: int, target: int, method: str, antialias: bool) -> jax.Array:
    """Images with another size along one axis.

    Args:
        images: any array; it keeps its dtype for ``"nearest"``, else it must be floating.
        axis: the axis, from the start.
        target: its new size, in pixels.
        method: one of ``KERNELS``, ``"nearest"`` or ``"area"``.
        antialias: widen the kernel when the image shrinks, so that every input pixel counts.
    """
    size = images.shape[axis]
    if size == target and method in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area"):
        return images
    if not isinstance(size, int) or not isinstance(target, int):
        return _resample_unknown(images, axis, target, method, antialias)
    taps = _taps(size, target, method, antialias)
    if taps is None:
        matrix = jnp.asarray(axis_weights(size, target, method, antialias), images.dtype)
        out = jnp.tensordot(matrix, images, axes=(1, axis), precision=jax.lax.Precision.HIGHEST)
        return jnp.moveaxis(out, 0, axis)
    places, weights = taps
    if method == "nearest":
        return jnp.take(images, places[:, 0], axis=axis)
    form = [1] * images.ndim
    form[axis] = target
    parts = [
        jnp.take(images, places[:, tap], axis=axis) * weights[:, tap].reshape(form).astype(images.dtype)
        for tap in range(places.shape[1])
    ]
    return functools.reduce(jnp.add, parts)
