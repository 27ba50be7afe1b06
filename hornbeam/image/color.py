"""Colours and light of images."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.core.arguments import static_value
from hornbeam.core.tensor import from_host
from hornbeam.image.dtypes import as_floats, convert_image_dtype
from hornbeam.ops.host import images as host
from hornbeam.ops.host import jpeg
from hornbeam.ops.image.color import hsv_to_rgb as to_rgb
from hornbeam.ops.image.color import rgb_to_hsv as to_hsv
from hornbeam.tensors.face import face, tensor

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_jpeg_quality",
    "adjust_saturation",
    "grayscale_to_rgb",
    "hsv_to_rgb",
    "per_image_standardization",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "rgb_to_yiq",
    "rgb_to_yuv",
    "yiq_to_rgb",
    "yuv_to_rgb",
]

# Columns: what red, green and blue give to each component (ITU-R BT.601 luma).
_YIQ = [
    [0.299, 0.59590059, 0.2115],
    [0.587, -0.27455667, -0.52273617],
    [0.114, -0.32134392, 0.31119955],
]
_YUV = [
    [0.299, -0.14714119, 0.61497538],
    [0.587, -0.28886916, -0.51496512],
    [0.114, 0.43601035, -0.10001026],
]
_RGB_OF_YIQ = [[1, 1, 1], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]]
_RGB_OF_YUV = [[1, 1, 1], [0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0]]


@face
def adjust_brightness(image: Any, delta: Any) -> Any:
    """Add ``delta`` (1 is the whole range) to all values."""
    return as_floats(image, lambda x: x + ops.cast(tensor(delta), x.dtype))


@face
def adjust_contrast(images: Any, contrast_factor: Any) -> Any:
    """``(x - mean) * contrast_factor + mean``, with the mean of each channel of each image."""

    def change(x: Any) -> Any:
        mean = ops.mean(x, axis=(-3, -2), keepdims=True)
        return (x - mean) * ops.cast(tensor(contrast_factor), x.dtype) + mean

    return as_floats(images, change)


@face
def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Any:
    """``gain * x ** gamma`` of values from 0 to 1."""
    known = gamma if isinstance(gamma, (int, float)) else None
    if known is not None and known < 0:
        raise ValueError(f"tf.image.adjust_gamma: `gamma` must not be negative. Received: gamma={gamma}")
    return as_floats(image, lambda x: gain * ops.power(x, ops.cast(tensor(gamma), x.dtype)))


def _in_hsv(images: Any, change: Any) -> Any:
    """Change hue, saturation and value of images of any rank."""

    def run(x: Any) -> Any:
        shape = tuple(x.shape)
        wide = ops.cast(ops.reshape(x, (-1, 1, *shape[-2:])) if len(shape) > 4 else x, "float32")
        hue, saturation, value = (to_hsv(wide, data_format="channels_last")[..., n] for n in range(3))
        changed = ops.stack(change(hue, saturation, value), axis=-1)
        return ops.reshape(ops.cast(to_rgb(changed, data_format="channels_last"), x.dtype), shape)

    return as_floats(images, run)


@face
def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Any:
    """Turn the hue of colour images by ``delta`` full circles, -1 to 1."""
    if isinstance(delta, (int, float)) and not -1 <= delta <= 1:
        raise ValueError(f"tf.image.adjust_hue: `delta` lies between -1 and 1. Received: delta={delta}")
    turn = tensor(delta)
    return _in_hsv(image, lambda h, s, v: [ops.mod(h + ops.cast(turn, h.dtype), 1.0), s, v])


@face
def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Any:
    """Multiply the saturation of colour images."""
    factor = tensor(saturation_factor)
    return _in_hsv(image, lambda h, s, v: [h, ops.clip(s * ops.cast(factor, s.dtype), 0.0, 1.0), v])


@face
def adjust_jpeg_quality(image: Any, jpeg_quality: Any, dct_method: str = "", name: str | None = None) -> Any:
    """What is left of one image after it was stored as JPEG.

    Args:
        image: (height, width, 1 or 3), known now: it is encoded and decoded on the host.
        jpeg_quality: 0 to 100.
        dct_method: as for ``tf.io.decode_jpeg``.
    """
    image = tensor(image)
    given = image.dtype
    pixels = np.asarray(convert_image_dtype(image, "uint8", saturate=True))
    quality = int(static_value(jpeg_quality, "jpeg_quality"))
    options = jpeg.checked_options("tf.image.adjust_jpeg_quality", True, dct_method, 1, False)
    encoded = host.encode_jpeg(pixels, quality=quality, subsampling=2)
    decoded = host.decode(encoded, pixels.shape[-1], jpeg_options=options)
    return convert_image_dtype(from_host(decoded), given, saturate=True)


# --- colour spaces -------------------------------------------------------------------------------
@face
def rgb_to_grayscale(images: Any, name: str | None = None) -> Any:
    """Luma of colour images of any rank, with one channel."""
    images = tensor(images)
    given = images.dtype
    floating = convert_image_dtype(images, "float32")
    weights = ops.convert_to_tensor([0.2989, 0.5870, 0.1140], "float32")
    grey = ops.expand_dims(ops.tensordot(floating, weights, axes=[[-1], [-1]]), -1)
    return convert_image_dtype(grey, given)


@face
def grayscale_to_rgb(images: Any, name: str | None = None) -> Any:
    """Grey images three times over, as colour images."""
    images = tensor(images)
    if images.shape[-1] != 1:
        raise ValueError(f"tf.image.grayscale_to_rgb: the last axis has size 1. Received shape {tuple(images.shape)}")
    return ops.repeat(images, 3, axis=-1)


def _any_rank(convert: Any, images: Any) -> Any:
    images = tensor(images)
    shape = tuple(images.shape)
    if len(shape) in (3, 4):
        return convert(images, data_format="channels_last")
    return ops.reshape(convert(ops.reshape(images, (1, -1, shape[-1])), data_format="channels_last"), shape)


@face
def rgb_to_hsv(images: Any, name: str | None = None) -> Any:
    """Hue, saturation and value of floating colour images of any rank."""
    return _any_rank(to_hsv, images)


@face
def hsv_to_rgb(images: Any, name: str | None = None) -> Any:
    """Colours from hue, saturation and value."""
    return _any_rank(to_rgb, images)


def _mixed(images: Any, kernel: list) -> Any:
    images = tensor(images)
    return ops.tensordot(images, ops.convert_to_tensor(np.asarray(kernel), images.dtype), axes=[[-1], [0]])


@face
def rgb_to_yiq(images: Any) -> Any:
    """Luma, in-phase and quadrature."""
    return _mixed(images, _YIQ)


@face
def yiq_to_rgb(images: Any) -> Any:
    """Colours from luma, in-phase and quadrature."""
    return _mixed(images, _RGB_OF_YIQ)


@face
def rgb_to_yuv(images: Any) -> Any:
    """Luma and two differences of colour."""
    return _mixed(images, _YUV)


@face
def yuv_to_rgb(images: Any) -> Any:
    """Colours from luma and two differences of colour."""
    return _mixed(images, _RGB_OF_YUV)


@face
def per_image_standardization(image: Any) -> Any:
    """Images with mean 0 and variance 1, each by itself; flat images become 0.

    References: TensorFlow `tf.image.per_image_standardization`.
    """
    image = tensor(image)
    given = dtypes.as_dtype(image.dtype)
    x = ops.cast(image, "float32")
    count = float(np.prod(image.shape[-3:]))
    mean = ops.mean(x, axis=(-3, -2, -1), keepdims=True)
    deviation = ops.maximum(ops.std(x, axis=(-3, -2, -1), keepdims=True), 1.0 / count**0.5)
    found = (x - mean) / deviation
    return ops.cast(found, given) if given == "float16" else found
