"""Blurring, edges, likeness of images, and elastic warps."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base import dtypes
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.core.random_state import draw_seed
from hornbeam.ops import random as draws
from hornbeam.ops.composite import composite
from hornbeam.ops.image.layout import (
    INTERPOLATIONS,
    as_batch,
    check_interpolation,
    image_rank,
    is_last,
    restored,
)
from hornbeam.ops.image.warps import check_fill_mode, sampled
from hornbeam.ops.promotion import as_float, promote

__all__ = ["elastic_transform", "gaussian_blur", "sobel_edges", "ssim"]

# Longer kernels are multiplied as banded matrices: one big product instead of many shifted copies.
_SHIFTED_TAPS = 15


def _bell(length: int, size: Any, sigma: Any) -> jax.Array:
    """Gaussian of ``length`` taps; those beyond the middle ``size`` of them (a possibly traced number) are zero."""
    place = jnp.arange(length, dtype=jnp.float32) - (length - 1) / 2
    kernel = jnp.exp(-0.5 * (place / sigma) ** 2)
    if size is not None:
        kernel = jnp.where(jnp.abs(place) <= (size - 1) / 2, kernel, 0.0)
    return kernel / jnp.sum(kernel)


def correlate_axis(images: jax.Array, kernel: jax.Array, axis: int, valid: bool = False) -> jax.Array:
    """Correlate along one axis: zeros around, the size kept; or only where the kernel fits (``valid``)."""
    length, size = kernel.shape[0], images.shape[axis]
    before = 0 if valid else (length - 1) // 2
    count = size - length + 1 if valid else size
    if length > _SHIFTED_TAPS:
        offset = jnp.arange(size)[None, :] - jnp.arange(count)[:, None] + before
        band = jnp.where((offset >= 0) & (offset < length), kernel[jnp.clip(offset, 0, length - 1)], 0.0)
        out = jnp.tensordot(band.astype(images.dtype), images, axes=(1, axis), precision=jax.lax.Precision.HIGHEST)
        return jnp.moveaxis(out, 0, axis)
    if not valid:
        widths = [(0, 0)] * images.ndim
        widths[axis] = (before, length - 1 - before)
        images = jnp.pad(images, widths)
    taps = (
        kernel[tap].astype(images.dtype) * jax.lax.slice_in_dim(images, tap, tap + count, axis=axis)
        for tap in range(length)
    )
    return functools.reduce(jnp.add, taps)


@composite
def gaussian_blur(
    images: Any, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: str | None = None
) -> Any:
    """Blur images by a Gaussian; zeros lie around them.

    Args:
        images: one image (3 axes) or a batch of them (4 axes).
        kernel_size: width and height of the kernel, in pixels.
        sigma: standard deviations along width and height, in pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``ops.image.gaussian_blur``.
    """
    size = tuple(int(one) for one in static_value(kernel_size, "kernel_size"))
    return _blur(images, sigma, kernel_size=size, last=is_last(data_format))


@op(static=("kernel_size", "last"))
def _blur(images: Any, sigma: Any, kernel_size: tuple[int, int], last: bool) -> jax.Array:
    images, sigma = promote(images)[0], promote(sigma, at_least="float32")[0].reshape(2)
    rank = image_rank(images.shape, "gaussian_blur")
    return restored(_blurred(as_batch(images, last), kernel_size, (None, None), sigma), rank, last)


def _blurred(images: jax.Array, lengths: tuple[int, int], sizes: tuple, sigma: Any) -> jax.Array:
    dtype = images.dtype
    images = promote(images, at_least="float32")[0]
    images = correlate_axis(images, _bell(lengths[0], sizes[0], sigma[0]), 2)
    return correlate_axis(images, _bell(lengths[1], sizes[1], sigma[1]), 1).astype(dtype)


@composite
def sobel_edges(images: Any, data_format: str | None = None) -> Any:
    """Vertical and horizontal change of brightness, by Sobel's kernels; zeros lie around the images.

    Args:
        images: batch of images (4 axes).
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    Returns:
        The images' shape with one more axis of size 2: change along the height, then along the width.

    References: Keras ``ops.image.sobel_edges``.
    """
    return _sobel(images, last=is_last(data_format))


@op(static=("last",))
def _sobel(images: Any, last: bool) -> jax.Array:
    images = promote(images)[0]
    if images.ndim != 4:
        raise ValueError(f"sobel_edges: expected a batch of images (4 axes). Received shape {tuple(images.shape)}")
    rows, columns = (1, 2) if last else (2, 3)
    smooth, change = jnp.asarray([1, 2, 1], images.dtype), jnp.asarray([-1, 0, 1], images.dtype)
    along_rows = correlate_axis(correlate_axis(images, smooth, columns), change, rows)
    along_columns = correlate_axis(correlate_axis(images, smooth, rows), change, columns)
    return jnp.stack([along_rows, along_columns], axis=-1)


# --- likeness ------------------------------------------------------------------------------------
@composite
def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Any:
    """Structural similarity of images, 1 for equal ones.

    Args:
        image1: one image (3 axes) or a batch of them (4 axes).
        image2: images of the same shape.
        max_val: difference between the highest and the lowest value that images may have.
        filter_size: edge of the Gaussian window, in pixels.
        filter_sigma: its standard deviation.
        k1: constant that keeps dark regions stable.
        k2: constant that keeps flat regions stable.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    Returns:
        One number per image.

    References: Wang et al. 2004, equation 13. Keras ``ops.image.ssim``.
    """
    return _ssim(
        image1,
        image2,
        max_val,
        filter_sigma,
        k1,
        k2,
        filter_size=int(filter_size),
        last=is_last(data_format),
    )


@op(static=("filter_size", "last"))
def _ssim(
    image1: Any, image2: Any, max_val: Any, sigma: Any, k1: Any, k2: Any, filter_size: int, last: bool
) -> jax.Array:
    first, second = promote(image1)[0], promote(image2)[0]
    rank = image_rank(first.shape, "ssim")
    image_rank(second.shape, "ssim")
    dtype = first.dtype
    first, second = (as_batch(as_float(images), last) for images in (first, second))
    per_channel, _ = ssim_per_channel(first, second, max_val, filter_size, sigma, k1, k2)
    found = jnp.mean(per_channel, axis=-1).astype(dtype)
    return found[0] if rank == 3 else found


def ssim_per_channel(
    first: jax.Array, second: jax.Array, max_val: Any, size: int, sigma: Any, k1: Any, k2: Any, mean: bool = True
) -> tuple[jax.Array, jax.Array]:
    """Structural similarity and its contrast part, averaged over places (or not), per channel.

    Args:
        first: images (..., height, width, channels), floating.
        second: images of the same shape.
        max_val: range of values.
        size: edge of the window.
        sigma: its standard deviation.
        k1: constant for the means.
        k2: constant for the variances.
        mean: average over height and width.
    """
    kernel = _bell(size, None, sigma)

    def window(images: jax.Array) -> jax.Array:
        down = correlate_axis(images, kernel, images.ndim - 3, valid=True)
        return correlate_axis(down, kernel, images.ndim - 2, valid=True)

    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    mean1, mean2 = window(first), window(second)
    squares, product = mean1 * mean1 + mean2 * mean2, mean1 * mean2
    variances = window(first * first + second * second) - squares
    covariance = window(first * second) - product
    contrast = (2.0 * covariance + c2) / (variances + c2)
    likeness = (2.0 * product + c1) / (squares + c1) * contrast
    if not mean:
        return likeness, contrast
    return jnp.mean(likeness, axis=(-3, -2)), jnp.mean(contrast, axis=(-3, -2))


# --- elastic -------------------------------------------------------------------------------------
@composite
def elastic_transform(
    images: Any,
    alpha: Any = 20.0,
    sigma: Any = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Any:
    """Move pixels along a smooth random field.

    Args:
        images: one image (3 axes) or a batch of them (4 axes), floating.
        alpha: strength of the movement.
        sigma: smoothness of the field: standard deviation of the Gaussian that blurs it, in pixels.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_mode: what lies outside: ``"constant"``, ``"nearest"``, ``"wrap"``, ``"mirror"`` or ``"reflect"``.
        fill_value: value outside for ``"constant"``.
        seed: generator, int or None.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Simard et al. 2003, section 2. Keras ``ops.image.elastic_transform``.
    """
    check_interpolation(interpolation, "elastic_transform")
    check_fill_mode(fill_mode, "elastic_transform")
    limit = int(6 * float(static_value(sigma, "sigma"))) | 1
    return elastic_up_to(
        limit, images, alpha, sigma, interpolation, fill_mode, fill_value, draw_seed(seed), is_last(data_format)
    )


def elastic_up_to(
    longest: int,
    images: Any,
    alpha: Any,
    sigma: Any,
    interpolation: str,
    fill_mode: str,
    fill_value: float,
    seed: Any,
    last: bool,
) -> Any:
    """``elastic_transform`` with a ``sigma`` that may be traced; its kernel has ``longest`` taps at most."""
    shape = tuple(images.shape)
    rank = image_rank(shape, "elastic_transform")
    batch = shape[0] if rank == 4 else 1
    sizes = shape[-3:-1] if last else shape[-2:]
    given = dtypes.as_dtype(images.dtype)
    noise = draws.normal(seed, shape=(batch, *sizes), dtype=given if given.is_floating else "float32")
    order = INTERPOLATIONS[interpolation]
    return _elastic(
        images, noise, alpha, sigma, fill_value, longest=longest, order=order, fill_mode=fill_mode, last=last
    )


@op(static=("longest", "order", "fill_mode", "last"))
def _elastic(
    images: Any,
    noise: Any,
    alpha: Any,
    sigma: Any,
    fill_value: Any,
    longest: int,
    order: int,
    fill_mode: str,
    last: bool,
) -> jax.Array:
    images = promote(images)[0]
    noise, alpha, sigma = (promote(item, at_least="float32")[0] for item in (noise, alpha, sigma))
    rank = images.ndim
    images = as_batch(images, last)
    size = jnp.trunc(6 * sigma).astype(jnp.int32) | 1
    # One field serves both directions, as in Keras, where the same seed is used for each of them.
    field = _blurred((noise * sigma)[..., None], (longest, longest), (size, size), (sigma, sigma))[..., 0]
    y = jnp.arange(images.shape[1], dtype=field.dtype)[None, :, None]
    x = jnp.arange(images.shape[2], dtype=field.dtype)[None, None, :]
    found = sampled(images, y + alpha * field, x + alpha * field, order, fill_mode, fill_value)
    return restored(found, rank, last)
