"""Colours: grey, hue, saturation and value."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.door import op
from hornbeam.ops.composite import composite
from hornbeam.ops.image.layout import image_rank, is_last
from hornbeam.ops.promotion import as_float, promote

__all__ = ["hsv_to_rgb", "rgb_planes", "rgb_to_grayscale", "rgb_to_hsv"]

# Share of red, green and blue in luma: ITU-R BT.601, rounded as image libraries have it.
_LUMA = (0.2989, 0.5870, 0.1140)


@composite
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Any:
    """Luma of colour images, with one channel; grey images stay as they are.

    Args:
        images: one image (3 axes) or a batch of them (4 axes), of 3 channels or 1.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``ops.image.rgb_to_grayscale``.
    """
    return _grayscale(images, last=is_last(data_format))


@op(static=("last",))
def _grayscale(images: Any, last: bool) -> jax.Array:
    images = promote(images)[0]
    image_rank(images.shape, "rgb_to_grayscale")
    axis = -1 if last else -3
    if images.shape[axis] not in (1, 3):
        raise ValueError(
            f"rgb_to_grayscale: expected 3 channels (colour) or 1 (grey). Received: images.shape={images.shape}"
        )
    if images.shape[axis] == 1:
        return images
    dtype = images.dtype
    images = as_float(images)
    grey = jnp.tensordot(images, jnp.asarray(_LUMA, images.dtype), axes=(axis, -1))
    return jnp.expand_dims(grey, axis).astype(dtype)


def rgb_planes(images: jax.Array, axis: int, where: str) -> list[jax.Array]:
    """The three planes of floating colour images.

    Raises:
        ValueError: the images are not floating, or have not three channels.
    """
    if not jnp.issubdtype(images.dtype, jnp.floating):
        raise ValueError(f"{where}: expected floating images. Received: images.dtype={images.dtype}")
    if images.shape[axis] != 3:
        raise ValueError(f"{where}: expected 3 channels. Received: images.shape={tuple(images.shape)}")
    return [jax.lax.index_in_dim(images, channel, axis % images.ndim, keepdims=False) for channel in range(3)]


@composite
def rgb_to_hsv(images: Any, data_format: str | None = None) -> Any:
    """Hue, saturation and value (0 to 1) of floating colour images with values 0 to 1.

    Args:
        images: one image (3 axes) or a batch of them (4 axes), of 3 channels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Smith 1978, "Color gamut transform pairs". Keras ``ops.image.rgb_to_hsv``.
    """
    return _to_hsv(images, last=is_last(data_format))


@op(static=("last",))
def _to_hsv(images: Any, last: bool) -> jax.Array:
    images = promote(images)[0]
    image_rank(images.shape, "rgb_to_hsv")
    axis = -1 if last else -3
    red, green, blue = rgb_planes(images, axis, "rgb_to_hsv")
    tiny = jnp.finfo(images.dtype).eps
    red, green, blue = (jnp.where(jnp.abs(plane) < tiny, 0.0, plane) for plane in (red, green, blue))
    value = jnp.maximum(jnp.maximum(red, green), blue)
    spread = value - jnp.minimum(jnp.minimum(red, green), blue)
    saturation = jnp.where(value > 0, spread / jnp.where(value > 0, value, 1.0), 0.0)
    sixth = 1.0 / (6.0 * jnp.where(spread > 0, spread, 1.0))
    hue = jnp.where(value == green, sixth * (blue - red) + 2.0 / 6.0, sixth * (red - green) + 4.0 / 6.0)
    hue = jnp.where(value == red, sixth * (green - blue), hue)
    hue = jnp.where(spread > 0, hue, 0.0) + (hue < 0.0).astype(images.dtype)
    return jnp.stack([hue, saturation, value], axis=axis).astype(images.dtype)


@composite
def hsv_to_rgb(images: Any, data_format: str | None = None) -> Any:
    """Colour images from hue, saturation and value, all 0 to 1; the inverse of ``rgb_to_hsv``.

    Args:
        images: one image (3 axes) or a batch of them (4 axes), of 3 channels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Smith 1978, "Color gamut transform pairs". Keras ``ops.image.hsv_to_rgb``.
    """
    return _to_rgb(images, last=is_last(data_format))


@op(static=("last",))
def _to_rgb(images: Any, last: bool) -> jax.Array:
    images = promote(images)[0]
    image_rank(images.shape, "hsv_to_rgb")
    axis = -1 if last else -3
    hue, saturation, value = rgb_planes(images, axis, "hsv_to_rgb")
    turn = jnp.mod(hue, 1.0) * 6.0
    pure = (
        jnp.clip(jnp.abs(turn - 3.0) - 1.0, 0.0, 1.0),
        jnp.clip(2.0 - jnp.abs(turn - 2.0), 0.0, 1.0),
        jnp.clip(2.0 - jnp.abs(turn - 4.0), 0.0, 1.0),
    )
    planes = [value * ((1.0 - saturation) + saturation * plane) for plane in pure]
    return jnp.stack(planes, axis=axis).astype(images.dtype)
