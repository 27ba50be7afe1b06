"""Images of another size: resizing, scaling and moving, cutting and padding."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.ops.casting import saturate_cast
from hornbeam.ops.composite import composite
from hornbeam.ops.image.layout import check_interpolation, image_rank, is_last, spatial_axes
from hornbeam.ops.image.taps import resample
from hornbeam.ops.promotion import promote

__all__ = ["centre_box", "crop_images", "pad_images", "resize", "resized", "scale_and_translate"]

_INTERPOLATIONS = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic")
_SCALE_METHODS = ("linear", "bilinear", "trilinear", "cubic", "bicubic", "tricubic", "lanczos3", "lanczos5")


def centre_box(height: int, width: int, target_height: int, target_width: int) -> tuple[int, int, int, int]:
    """Largest box of the target's aspect ratio in the middle of an image: top, left, height, width."""
    box_height = max(min(height, int(float(width * target_height) / target_width)), 1)
    box_width = max(min(width, int(float(height * target_width) / target_height)), 1)
    return int(float(height - box_height) / 2), int(float(width - box_width) / 2), box_height, box_width


@composite
def resize(
    images: Any,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    """Resize images.

    Args:
        images: one image (3 axes) or a batch of them (4 axes).
        size: new height and width, in pixels.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        antialias: when images shrink, let every pixel count.
        crop_to_aspect_ratio: cut the middle out first, so that nothing is distorted.
        pad_to_aspect_ratio: pad first, for the same purpose.
        fill_mode: only ``"constant"``.
        fill_value: value of the padding.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    Returns:
        Images of the new size, in the dtype of the given ones; integers are rounded.

    References: Keras ``ops.image.resize``.
    """
    size = static_value(size, "size")
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise ValueError(f"resize: `size` is a pair (height, width). Received: size={size}")
    size = (int(size[0]), int(size[1]))
    if min(size) <= 0:
        raise ValueError(f"resize: height and width in `size` must be positive. Received: size={size}")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("resize: give only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio`.")
    check_interpolation(interpolation, "resize", _INTERPOLATIONS)
    if fill_mode != "constant":
        raise ValueError(f"resize: `fill_mode` can only be 'constant'. Received: fill_mode={fill_mode!r}")
    fit = "crop" if crop_to_aspect_ratio else "pad" if pad_to_aspect_ratio else ""
    return _resize(
        images,
        size=size,
        method=interpolation,
        antialias=bool(antialias),
        fit=fit,
        fill=float(fill_value),
        last=is_last(data_format),
    )


@op(static=("size", "method", "antialias", "fit", "fill", "last"))
def _resize(
    images: Any, size: tuple[int, int], method: str, antialias: bool, fit: str, fill: float, last: bool
) -> jax.Array:
    images = promote(images)[0]
    rank = image_rank(images.shape, "resize")
    rows, columns = (axis + rank for axis in spatial_axes(rank, last))
    if fit == "crop":
        top, left, height, width = centre_box(images.shape[rows], images.shape[columns], *size)
        images = jax.lax.slice_in_dim(images, top, top + height, axis=rows)
        images = jax.lax.slice_in_dim(images, left, left + width, axis=columns)
    elif fit == "pad":
        images = _padded_to_aspect(images, rows, columns, size, fill)
    return saturated(resized(images, size, method, antialias, rows, columns), images.dtype)


def saturated(found: jax.Array, dtype: Any) -> jax.Array:
    """The result in the dtype of the images: rounded for integers, and kept within what the dtype holds."""
    if found.dtype == dtype:
        return found
    kind = jnp.dtype(dtype)
    if not jnp.issubdtype(kind, jnp.floating):
        found = jnp.round(found)
    return saturate_cast(found, kind.name)


def resized(
    images: jax.Array, size: tuple[int, int], method: str, antialias: bool, rows: int, columns: int
) -> jax.Array:
    """Resample height and width; integers give float32, except by ``"nearest"``."""
    dtype = images.dtype
    if method != "nearest":
        narrow = jnp.issubdtype(dtype, jnp.floating) and dtype.itemsize < 4
        if narrow or not jnp.issubdtype(dtype, jnp.floating):
            images = images.astype(jnp.float32)
    for axis, target in ((rows, size[0]), (columns, size[1])):
        images = resample(images, axis, target, method, antialias)
    return images.astype(dtype) if jnp.issubdtype(dtype, jnp.floating) else images


def _padded_to_aspect(images: jax.Array, rows: int, columns: int, size: tuple[int, int], fill: float) -> jax.Array:
    height, width = images.shape[rows], images.shape[columns]
    above = int(float(max(height, int(float(width * size[0]) / size[1])) - height) / 2)
    beside = int(float(max(width, int(float(height * size[1]) / size[0])) - width) / 2)
    axis, amount = (rows, above) if above > 0 else (columns, beside)
    if amount <= 0:
        return images
    widths = [(0, 0)] * images.ndim
    widths[axis] = (amount, amount)
    return jnp.pad(images, widths, constant_values=jnp.asarray(fill, images.dtype))


# --- scale and translate -------------------------------------------------------------------------
@op(static=("output_shape", "spatial_dims", "method", "antialias"))
def scale_and_translate(
    images: Any,
    output_shape: Any,
    scale: Any,
    translation: Any,
    spatial_dims: Any,
    method: str,
    antialias: bool = True,
) -> jax.Array:
    """Scale images and move them.

    Args:
        images: array of any number of axes.
        output_shape: shape of the result.
        scale: one factor per entry of ``spatial_dims``.
        translation: one distance in pixels per entry of ``spatial_dims``.
        spatial_dims: the axes to work on.
        method: ``"linear"``, ``"cubic"``, ``"lanczos3"`` or ``"lanczos5"`` (or ``"bilinear"``, ``"bicubic"`` ...).
        antialias: when images shrink, let every pixel count.

    References: Keras ``ops.image.scale_and_translate``.
    """
    check_interpolation(method, "scale_and_translate (argument `method`)", _SCALE_METHODS)
    images = promote(images)[0]
    shape, axes = tuple(output_shape), tuple(spatial_dims)
    scale, translation = promote(scale, translation, at_least=float)
    return jax.image.scale_and_translate(images, shape, axes, scale, translation, method, antialias)


# --- crop and pad --------------------------------------------------------------------------------
def _solved(what: str, size: int, numbers: Any, names: tuple[str, str, str], sign: int) -> tuple[int, int]:
    """Both amounts along one axis, from two of three numbers: size + sign * (first + last) = target."""
    first, last, target = numbers
    given = dict(zip(names, numbers, strict=True))
    if list(given.values()).count(None) != 1:
        raise ValueError(f"{what}: give exactly two of {', '.join(names)}. Received: {given}")
    for name, value in given.items():
        if value is not None and value < 0:
            raise ValueError(f"{what}: {name} must not be negative. Received: {name}={value}")
    if first is None:
        first = sign * (target - size) - last
    if last is None:
        last = sign * (target - size) - first
    total = size + sign * (first + last)
    if min(first, last, total) < 0:
        raise ValueError(
            f"{what}: {names[0]}={first}, {names[1]}={last} and {names[2]}={total} do not fit an image that measures "
            f"{size} there; none of them may be negative."
        )
    return int(first), int(last)


@composite
def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Pad images with zeros; two of the three numbers are given for each of height and width.

    Args:
        images: one image (3 axes) or a batch of them (4 axes).
        top_padding: rows of zeros above.
        left_padding: columns of zeros on the left.
        bottom_padding: rows of zeros below.
        right_padding: columns of zeros on the right.
        target_height: height of the result, in pixels.
        target_width: width of the result, in pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``ops.image.pad_images``.
    """
    vertical = (top_padding, bottom_padding, target_height)
    horizontal = (left_padding, right_padding, target_width)
    return _pad(images, vertical=vertical, horizontal=horizontal, last=is_last(data_format))


@op(static=("vertical", "horizontal", "last"))
def _pad(images: Any, vertical: Any, horizontal: Any, last: bool) -> jax.Array:
    images = promote(images)[0]
    rank = image_rank(images.shape, "pad_images")
    rows, columns = spatial_axes(rank, last)
    widths = [(0, 0)] * rank
    names = ("top_padding", "bottom_padding", "target_height")
    widths[rows] = _solved("pad_images", images.shape[rows], vertical, names, 1)
    names = ("left_padding", "right_padding", "target_width")
    widths[columns] = _solved("pad_images", images.shape[columns], horizontal, names, 1)
    return jnp.pad(images, widths)


@composite
def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Cut images; two of the three numbers are given for each of height and width.

    Args:
        images: one image (3 axes) or a batch of them (4 axes).
        top_cropping: rows to leave out above.
        left_cropping: columns to leave out on the left.
        bottom_cropping: rows to leave out below.
        right_cropping: columns to leave out on the right.
        target_height: height of the result, in pixels.
        target_width: width of the result, in pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``ops.image.crop_images``.
    """
    vertical = (top_cropping, bottom_cropping, target_height)
    horizontal = (left_cropping, right_cropping, target_width)
    return _crop(images, vertical=vertical, horizontal=horizontal, last=is_last(data_format))


@op(static=("vertical", "horizontal", "last"))
def _crop(images: Any, vertical: Any, horizontal: Any, last: bool) -> jax.Array:
    images = promote(images)[0]
    rank = image_rank(images.shape, "crop_images")
    rows, columns = spatial_axes(rank, last)
    names = ("top_cropping", "bottom_cropping", "target_height")
    top, bottom = _solved("crop_images", images.shape[rows], vertical, names, -1)
    names = ("left_cropping", "right_cropping", "target_width")
    left, right = _solved("crop_images", images.shape[columns], horizontal, names, -1)
    images = jax.lax.slice_in_dim(images, top, images.shape[rows] - bottom, axis=rows + rank)
    return jax.lax.slice_in_dim(images, left, images.shape[columns] - right, axis=columns + rank)
