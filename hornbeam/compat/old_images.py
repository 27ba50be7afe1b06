"""Helpers that Keras dropped from ``keras.preprocessing.image``."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from hornbeam.base.errors import NotSupportedError


def flip_axis(x: Any, axis: int) -> np.ndarray:
    """The array turned round along an axis."""
    return np.flip(np.asarray(x), axis)


def list_pictures(directory: Any, ext: Any = "jpg|jpeg|bmp|png|ppm") -> list[str]:
    """Paths of all pictures in a folder and the folders in it.

    Args:
        directory: folder.
        ext: endings, separated by bars, or a tuple of them.
    """
    endings = ext if isinstance(ext, str) else "|".join(one.lstrip(".") for one in ext)
    pattern = re.compile(rf"\.(?:{endings})$", re.IGNORECASE)
    return [
        os.path.join(folder, file) for folder, _, files in os.walk(directory) for file in files if pattern.search(file)
    ]


def transform_matrix_offset_center(matrix: Any, x: float, y: float) -> np.ndarray:
    """An affine matrix that works around the middle of a picture of height ``x`` and width ``y``."""
    there = np.array([[1, 0, x / 2 - 0.5], [0, 1, y / 2 - 0.5], [0, 0, 1]])
    back = np.array([[1, 0, -(x / 2 - 0.5)], [0, 1, -(y / 2 - 0.5)], [0, 0, 1]])
    return there @ np.asarray(matrix) @ back


def apply_transform(
    x: Any, transform_matrix: Any, channel_axis: int = 0, fill_mode: str = "nearest", cval: float = 0.0
) -> np.ndarray:
    """A picture moved by an affine matrix; each place takes the nearest pixel.

    Args:
        x: picture of 3 axes.
        transform_matrix: 3 by 3, from places in the result to places in the picture.
        channel_axis: axis of the channels.
        fill_mode: "nearest", "constant", "reflect" or "wrap".
        cval: value outside the picture, for "constant".
    """
    try:
        from scipy import ndimage
    except ImportError as error:
        raise NotSupportedError("apply_transform needs SciPy: `pip install scipy`.") from error
    matrix: Any = np.asarray(transform_matrix)
    channels = [
        ndimage.affine_transform(channel, matrix[:2, :2], matrix[:2, 2], order=0, mode=fill_mode, cval=cval)
        for channel in np.moveaxis(np.asarray(x), channel_axis, 0)
    ]
    return np.moveaxis(np.stack(channels), 0, channel_axis)
