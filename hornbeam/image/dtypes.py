"""Values of images in other dtypes: bytes are 0 to 255, floats 0 to 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.tensors.face import face, tensor

__all__ = ["as_floats", "convert_image_dtype"]


def _highest(dtype: dtypes.DType) -> int:
    return int(np.iinfo(dtype.as_numpy_dtype).max)


@face
def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: str | None = None) -> Any:
    """Images in another dtype, with their values scaled: the highest value of an integer dtype is 1.0.

    Args:
        image: images of any shape.
        dtype: dtype of the result.
        saturate: keep values within what the dtype holds, instead of letting them wrap around.

    References: TensorFlow `tf.image.convert_image_dtype`.
    """
    image, wanted = tensor(image), dtypes.as_dtype(dtype)
    given = image.dtype
    if given == wanted:
        return image
    if given.is_floating:
        if wanted.is_floating:
            return ops.cast(image, wanted)
        scaled = image * (_highest(wanted) + 0.5)
        return ops.saturate_cast(scaled, wanted) if saturate else ops.cast(scaled, wanted)
    if wanted.is_floating:
        return ops.cast(image, wanted) * (1.0 / _highest(given))
    high, low = _highest(given), _highest(wanted)
    if high > low:
        return ops.cast(ops.floor_divide(image, ops.cast((high + 1) // (low + 1), given)), wanted)
    larger = ops.saturate_cast(image, wanted) if saturate else ops.cast(image, wanted)
    return larger * ops.cast((low + 1) // (high + 1), wanted)


def as_floats(images: Any, change: Callable[[Any], Any]) -> Any:
    """Change images as floats from 0 to 1, and give the result in their own dtype."""
    images = tensor(images)
    given = images.dtype
    floating = images if given in ("float16", "float32") else convert_image_dtype(images, "float32")
    return convert_image_dtype(change(floating), given, saturate=True)
