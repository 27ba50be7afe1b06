"""Decoding and encoding of pictures, on the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.tensor import from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.ops.host import images as host
from hornbeam.ops.host import jpeg
from hornbeam.tensors.texts import each, one

__all__ = [
    "decode_and_crop_jpeg",
    "decode_bmp",
    "decode_gif",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "decode_webp",
    "encode_jpeg",
    "encode_png",
    "extract_jpeg_shape",
    "is_jpeg",
]


def _decoded(contents: Any, where: str, channels: Any, **options: Any) -> np.ndarray:
    data = one(contents, where)
    channels = int(channels or 0)
    try:
        return host.decode(data, channels=channels, where=where, **options)
    except ValueError as error:
        raise InvalidArgumentError(None, None, str(error)) from error


def decode_image(
    contents: Any, channels: Any = None, dtype: Any = "uint8", name: str | None = None, expand_animations: bool = True
) -> Any:
    """Pixels of a JPEG, PNG, GIF, BMP or WebP picture.

    Args:
        contents: one string, the file's contents.
        channels: 0 or None for as many as the picture has, 1 grey, 3 colour, 4 colour with opacity.
        dtype: ``uint8``, or ``uint16`` or a float dtype to which values are scaled.
        expand_animations: GIF and WebP animations give (frames, height, width, channels); False gives the first frame.

    Returns:
        Tensor (height, width, channels), or with frames in front.

    Raises:
        tf.errors.InvalidArgumentError: not a picture, or a damaged one.

    References: TensorFlow `tf.io.decode_image`.
    """
    where = "tf.io.decode_image"
    quick = jpeg.checked_options(where, True, "", 1, False)
    wanted = dtypes.as_dtype(dtype)
    data = one(contents, where)
    moving = expand_animations and host.kind_of_picture(data) == "gif"
    depth = 16 if wanted in ("uint16", "float32", "float64") and host.is_deep_png(data) else 8
    array = _decoded(data, where, channels, depth=depth, frames=moving, jpeg_options=quick)
    if wanted == array.dtype.name:
        return from_host(array)
    if wanted.is_floating:
        scaled = array.astype(np.float32) * np.float32(1.0 / np.iinfo(array.dtype).max)
        return from_host(scaled.astype(wanted.as_numpy_dtype))
    if wanted == "uint16":
        return from_host(array.astype(np.uint16) * 256)
    raise ValueError(f"{where}: `dtype` is uint8, uint16 or a float dtype. Received: dtype={wanted.name}")


def decode_jpeg(
    contents: Any,
    channels: Any = 0,
    ratio: int = 1,
    fancy_upscaling: bool = True,
    try_recover_truncated: bool = False,
    acceptable_fraction: float = 1,
    dct_method: str = "",
    name: str | None = None,
) -> Any:
    """Pixels of a JPEG picture (or of another format), as uint8 (height, width, channels).

    Args:
        contents: one string, the file's contents.
        channels: 0 for as many as the picture has, 1 grey, 3 colour.
        ratio: 1, 2, 4 or 8: decode to that part of the size, which is quicker.
        fancy_upscaling: smooth colours; False needs the package ``simplejpeg``.
        try_recover_truncated: take a picture that is cut short; what is missing is grey.
        acceptable_fraction: least share of a cut picture that must be there; only 1, the whole, is offered.
        dct_method: ``"INTEGER_FAST"`` (needs ``simplejpeg``), ``"INTEGER_ACCURATE"``, or ``""`` for the fast one if it
            is there: values differ by up to 3 of 255.

    Raises:
        NotSupportedError: an option that cannot be had.

    References: TensorFlow `tf.io.decode_jpeg`.
    """
    if ratio not in (1, 2, 4, 8):
        raise ValueError(f"tf.io.decode_jpeg: `ratio` is 1, 2, 4 or 8. Received: ratio={ratio}")
    where, recover = "tf.io.decode_jpeg", bool(try_recover_truncated)
    if acceptable_fraction != 1:
        raise NotSupportedError(
            f"{where}: `acceptable_fraction` can only be 1. Received: {acceptable_fraction}\n"
            "  fix:      try_recover_truncated=True takes cut pictures whatever is left of them"
        )
    quick = jpeg.checked_options(where, bool(fancy_upscaling), dct_method, int(ratio), recover)
    return from_host(_decoded(contents, where, channels, ratio=int(ratio), recover=recover, jpeg_options=quick))


def decode_png(contents: Any, channels: Any = 0, dtype: Any = "uint8", name: str | None = None) -> Any:
    """Pixels of a PNG picture (or of another format), as uint8 or uint16 (height, width, channels).

    Args:
        contents: one string, the file's contents.
        channels: 0 for as many as the picture has, 1 grey, 2 grey with opacity, 3 colour, 4 colour with opacity.
        dtype: ``uint8`` or ``uint16``.

    References: TensorFlow `tf.io.decode_png`.
    """
    wanted = dtypes.as_dtype(dtype)
    if wanted not in ("uint8", "uint16"):
        raise ValueError(f"tf.io.decode_png: `dtype` is uint8 or uint16. Received: dtype={wanted.name}")
    depth = 16 if wanted == "uint16" else 8
    quick = jpeg.checked_options("tf.io.decode_png", True, "", 1, False)
    return from_host(_decoded(contents, "tf.io.decode_png", channels, depth=depth, jpeg_options=quick))


def decode_bmp(contents: Any, channels: Any = 0, name: str | None = None) -> Any:
    """Pixels of a BMP picture, as uint8 (height, width, channels)."""
    return from_host(_decoded(contents, "tf.io.decode_bmp", channels))


def decode_webp(contents: Any, channels: Any = 0, dtype: Any = "uint8", name: str | None = None) -> Any:
    """Pixels of a WebP picture, as uint8 (frames, height, width, channels)."""
    if dtypes.as_dtype(dtype) != "uint8":
        raise ValueError(f"tf.io.decode_webp: `dtype` can only be uint8. Received: dtype={dtype}")
    return from_host(_decoded(contents, "tf.io.decode_webp", channels, frames=True))


def decode_gif(contents: Any, name: str | None = None) -> Any:
    """Pixels of a GIF picture, as uint8 (frames, height, width, 3)."""
    return from_host(_decoded(contents, "tf.io.decode_gif", 3, frames=True))


def decode_and_crop_jpeg(contents: Any, crop_window: Any, channels: Any = 0, **options: Any) -> Any:
    """A part of a JPEG picture.

    Args:
        contents: one string, the file's contents.
        crop_window: top, left, height and width, in pixels.
        channels: 0 for as many as the picture has, 1 grey, 3 colour.
        **options: as for ``decode_jpeg``.
    """
    top, left, height, width = (int(item) for item in np.asarray(crop_window).reshape(-1))
    pixels = decode_jpeg(contents, channels=channels, **options)
    rows, columns = pixels.shape[0], pixels.shape[1]
    if min(top, left) < 0 or min(height, width) <= 0 or top + height > rows or left + width > columns:
        raise InvalidArgumentError(
            None,
            None,
            f"tf.io.decode_and_crop_jpeg: the window (top {top}, left {left}, {height} x {width}) does not lie in the "
            f"picture of {rows} x {columns} pixels.",
        )
    return pixels[top : top + height, left : left + width]


def is_jpeg(contents: Any, name: str | None = None) -> Any:
    """True if the contents begin as a JPEG file does."""
    return from_host(np.asarray(host.kind_of_picture(one(contents, "tf.io.is_jpeg")) == "jpeg"))


def extract_jpeg_shape(contents: Any, output_type: Any = "int32", name: str | None = None) -> Any:
    """Height, width and channels of a JPEG picture, without decoding it."""
    shape = host.shape_of_picture(one(contents, "tf.io.extract_jpeg_shape"))
    return from_host(np.asarray(shape, dtypes.as_dtype(output_type).as_numpy_dtype))


def encode_jpeg(
    image: Any,
    format: str = "",
    quality: int = 95,
    progressive: bool = False,
    optimize_size: bool = False,
    chroma_downsampling: bool = True,
    density_unit: str = "in",
    x_density: int = 300,
    y_density: int = 300,
    xmp_metadata: str = "",
    name: str | None = None,
) -> Any:
    """JPEG file of a uint8 image (height, width, 1 or 3 channels), as one string.

    Args:
        image: the pixels.
        format: ``""``, ``"grayscale"`` or ``"rgb"``; must fit the number of channels.
        quality: 0 to 100.
        progressive: order the file so that it can be shown while it loads.
        optimize_size: take more time to make the file smaller.
        chroma_downsampling: store colours in half the resolution.
        density_unit: unit of the densities, ``"in"`` or ``"cm"``.
        x_density: pixels per unit along the width.
        y_density: pixels per unit along the height.
        xmp_metadata: must be empty.

    References: TensorFlow `tf.io.encode_jpeg`.
    """
    array = _pixels(image)
    wanted = {"": (1, 3), "grayscale": (1,), "rgb": (3,)}.get(format)
    if wanted is None or array.ndim != 3 or array.shape[2] not in wanted:
        raise InvalidArgumentError(
            None, None, f"tf.io.encode_jpeg: format {format!r} does not fit an image of shape {array.shape}."
        )
    if xmp_metadata:
        raise ValueError("tf.io.encode_jpeg: `xmp_metadata` is not written; leave it out.")
    scale = 2.54 if density_unit == "cm" else 1.0
    options = {
        "progressive": bool(progressive),
        "optimize": bool(optimize_size),
        "subsampling": 2 if chroma_downsampling else 0,
        "dpi": (round(x_density * scale), round(y_density * scale)),
    }
    return _encoded(lambda: host.encode_jpeg(array, quality=int(quality), **options), "tf.io.encode_jpeg")


def encode_png(image: Any, compression: int = -1, name: str | None = None) -> Any:
    """PNG file of a uint8 or uint16 image (height, width, 1 to 4 channels), as one string.

    Args:
        image: the pixels; several images give as many strings.
        compression: 0 (quick) to 9 (small), -1 for the encoder's choice.

    References: TensorFlow `tf.io.encode_png`.
    """
    array = _pixels(image)
    if array.ndim == 3:
        return _encoded(lambda: host.encode_png(array, int(compression)), "tf.io.encode_png")
    out = np.empty(array.shape[:-3], object)
    for index in np.ndindex(out.shape):
        out[index] = host.encode_png(array[index], int(compression))
    return from_host(out)


def _pixels(image: Any) -> np.ndarray:
    return np.asarray(image)


def _encoded(make: Any, where: str) -> Any:
    try:
        return each(make(), bytes, where)
    except ValueError as error:
        raise InvalidArgumentError(None, None, str(error)) from error
