"""Pictures in files and as arrays: ``load_img``, ``save_img``, ``img_to_array``, ``array_to_img``, ``smart_resize``."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.base import settings
from hornbeam.ops.casting import convert_to_tensor
from hornbeam.ops.host.images import pillow, resampling
from hornbeam.ops.image.resizing import centre_box, crop_images, resize

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """Pillow picture of an array.

    Args:
        x: one image (3 axes), with 1, 3 or 4 channels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.
        scale: stretch the values to 0 ... 255.
        dtype: dtype to compute in; ``floatx`` by default.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: wrong number of axes or channels.

    References: Keras ``utils.array_to_img``.
    """
    data_format = settings.standardize_data_format(data_format)
    x = np.asarray(x, dtype=str(dtype or settings.floatx()))
    if x.ndim != 3:
        raise ValueError(f"array_to_img: expected one image (3 axes). Received shape {x.shape}")
    if data_format == "channels_first":
        x = x.transpose(1, 2, 0)
    if scale:
        x = x - x.min()
        highest = x.max()
        if highest != 0:
            x = x / highest
        x = x * 255
    channels = x.shape[2]
    if channels not in (1, 3, 4):
        raise ValueError(f"array_to_img: expected 1, 3 or 4 channels. Received: {channels}")
    make = pillow().fromarray
    if channels > 1:
        return make(x.astype("uint8"))
    return make(x[:, :, 0].astype("int32" if x.max() > 255 else "uint8"))


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """Array (height, width, channels), or channels first, of a Pillow picture.

    Args:
        img: picture (or anything NumPy understands) with 2 or 3 axes.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.
        dtype: dtype of the result; ``floatx`` by default.

    References: Keras ``utils.img_to_array``.
    """
    last = settings.standardize_data_format(data_format) == "channels_last"
    x = np.asarray(img, dtype=str(dtype or settings.floatx()))
    if x.ndim == 2:
        return x[:, :, None] if last else x[None]
    if x.ndim != 3:
        raise ValueError(f"img_to_array: expected a picture with 2 or 3 axes. Received shape {x.shape}")
    return x if last else x.transpose(2, 0, 1)


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array into a picture file.

    Args:
        path: file name, or an open binary file (then ``file_format`` is needed).
        x: one image (3 axes).
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.
        file_format: format; by default the file name's ending says it.
        scale: stretch the values to 0 ... 255.
        **kwargs: passed to Pillow's ``save``.

    References: Keras ``utils.save_img``.
    """
    if file_format is None and isinstance(path, (str, os.PathLike)):
        file_format = Path(path).suffix[1:].lower()
    if file_format and file_format.lower() == "jpg":
        file_format = "jpeg"
    picture = array_to_img(x, data_format=data_format, scale=scale)
    if picture.mode == "RGBA" and file_format == "jpeg":
        warnings.warn("JPEG files hold no opacity: the fourth channel is left out.", stacklevel=2)
        picture = picture.convert("RGB")
    picture.save(path, format=file_format, **kwargs)


_COLOR_MODES = {"grayscale": ("L", "I;16", "I"), "rgb": ("RGB",), "rgba": ("RGBA",)}
"""Pillow modes that stay as they are, by colour mode; others become the first one."""


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: Any = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Read a picture file.

    Args:
        path: file name, or ``io.BytesIO`` with the file's contents.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        target_size: (height, width) to resize to, in pixels; None keeps the size.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"lanczos"``, ``"box"`` or ``"hamming"``.
        keep_aspect_ratio: cut the middle out before resizing, so that nothing is distorted.

    Returns:
        A Pillow picture.

    Raises:
        ImportError: Pillow is not installed.
        OSError: the file cannot be read, or is no picture.

    References: Keras ``utils.load_img``.
    """
    kept = _COLOR_MODES.get(color_mode)
    if kept is None:
        raise ValueError(f"load_img: `color_mode` is one of {tuple(_COLOR_MODES)}. Received: color_mode={color_mode!r}")
    picture = _open(path)
    if picture.mode not in kept:
        picture = picture.convert(kept[0])
    if target_size is None:
        return picture
    height, width = int(target_size[0]), int(target_size[1])
    if picture.size == (width, height):
        return picture
    method = resampling(interpolation)
    box = _aspect_box(picture.size, width, height) if keep_aspect_ratio else None
    return picture.resize((width, height), method, box=box)


def _open(path: Any) -> Any:
    if isinstance(path, io.BytesIO):
        return pillow().open(path)
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"load_img: `path` is a file name or io.BytesIO. Received: {type(path).__name__}")
    if not os.path.exists(path):
        raise FileNotFoundError(
            f"load_img: there is no file {os.fspath(path)!r}. Check the name, and the current folder ({os.getcwd()})."
        )
    with open(path, "rb") as file:
        contents = io.BytesIO(file.read())
    try:
        picture = pillow().open(contents)
        picture.load()
    except OSError as error:
        # Pillow was given the contents, so its own message does not name the file.
        why = "Pillow knows no such format" if isinstance(error, pillow().UnidentifiedImageError) else str(error)
        raise type(error)(f"load_img: {os.fspath(path)!r} is not a whole picture: {why}.") from error
    return picture


def _aspect_box(size: tuple[int, int], width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the largest box in the middle that has the target's aspect ratio."""
    given_width, given_height = size
    box_height = min(given_height, given_width * height // width)
    box_width = min(given_width, given_height * width // height)
    left, top = (given_width - box_width) // 2, (given_height - box_height) // 2
    return left, top, left + box_width, top + box_height


def smart_resize(x: Any, size: Any, interpolation: str = "bilinear", data_format: str | None = "channels_last") -> Any:
    """Resize images without distortion: the middle is cut out first.

    Args:
        x: one image (3 axes) or a batch of them (4 axes).
        size: new height and width, in pixels.
        interpolation: as for ``keras.ops.image.resize``.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Returns:
        NumPy array for a NumPy array, else a tensor.

    References: Keras ``preprocessing.image.smart_resize``.
    """
    if len(size) != 2:
        raise ValueError(f"smart_resize: `size` is a pair (height, width). Received: size={size}")
    images = convert_to_tensor(x)
    if len(images.shape) not in (3, 4):
        raise ValueError(
            "smart_resize: expected one image (3 axes) or a batch of them (4 axes). "
            f"Received shape {tuple(images.shape)}"
        )
    data_format = settings.standardize_data_format(data_format)
    height, width = tuple(images.shape)[-3:-1] if data_format == "channels_last" else tuple(images.shape)[-2:]
    top, left, box_height, box_width = centre_box(height, width, int(size[0]), int(size[1]))
    images = crop_images(
        images,
        top_cropping=top,
        left_cropping=left,
        target_height=box_height,
        target_width=box_width,
        data_format=data_format,
    )
    images = resize(images, size, interpolation=interpolation, data_format=data_format)
    return np.array(images) if isinstance(x, np.ndarray) else images
