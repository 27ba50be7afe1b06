"""``draw_segmentation_masks``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base.errors import explain
from hornbeam.keras.visualization.pictures import batch_of

__all__ = ["draw_segmentation_masks"]


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: dict[int, Any] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray:
    """Colour the pixels of images by their class.

    Args:
        images: ``(batch, height, width, channels)``, 0 to 255.
        segmentation_masks: class numbers of the pixels, an integer dtype, ``(batch, height, width, 1)`` or without the
            last axis.
        num_classes: classes from this number on are left alone; by default the largest number in the masks.
        color_mapping: colour by class number, for all classes from 0; by default a palette.
        alpha: share of the colour in the result, 0 to 1.
        blend: mix colour and image; False paints the colour over it.
        ignore_index: pixels of this class are left alone where colours are mixed.
        data_format: where the channels are.

    Returns:
        Images of the shape given, channels last: uint8, or float32 without ``blend``.

    Raises:
        ValueError: images without a batch axis.
        TypeError: masks that are no integers.

    References: Keras ``keras.visualization.draw_segmentation_masks``.
    """
    pictures, first = batch_of(images, data_format, "draw_segmentation_masks")
    pictures = pictures.astype("float32")
    masks = np.asarray(ops.convert_to_numpy(segmentation_masks))
    if masks.dtype.kind not in "iu":
        raise TypeError(
            explain(
                "draw_segmentation_masks() takes class numbers.",
                expected="`segmentation_masks` of an integer dtype",
                received=f"dtype {masks.dtype}",
                fix="cast it, or take the largest score: `ops.argmax(scores, axis=-1)`",
            )
        )
    if masks.ndim == 4:
        masks = masks[:, 0] if first else masks[..., 0]
    classes = int(masks.max()) if num_classes is None else int(num_classes)
    colors = [color_mapping[number] for number in range(classes)] if color_mapping is not None else _palette(classes)
    painted = pictures.copy()
    for number, color in enumerate(colors):
        painted[masks == number] = np.asarray(color, "float32")
    if not blend:
        return painted
    mixed = pictures * (1 - alpha) + painted * alpha
    mixed = np.where((masks != ignore_index)[..., None], mixed, pictures)
    return np.clip(mixed, 0, 255).astype("uint8")


def _palette(classes: int) -> list[list[int]]:
    """Colours that differ much from each class to the next."""
    steps = np.array([2**25 - 1, 2**15 - 1, 2**21 - 1])
    return [((number * steps) % 255).tolist() for number in range(classes)]
