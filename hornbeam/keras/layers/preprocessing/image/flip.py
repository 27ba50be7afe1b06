"""``RandomFlip``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.preprocessing.image.base import ImageLayer
from hornbeam.keras.random import random
from hornbeam.ops.image.boxes import clip_to_image_size, convert_format

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


class RandomFlip(ImageLayer):
    """Mirror images at random, each with probability 1/2, while training.

    Args:
        mode: ``"horizontal"`` (left and right change places), ``"vertical"``, or ``"horizontal_and_vertical"``.
        seed: int for equal numbers in each run.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``layers.RandomFlip``.
    """

    _USE_BASE_FACTOR = False

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if mode not in _MODES:
            raise ValueError(f"RandomFlip: `mode` is one of {_MODES}. Received: mode={mode!r}")
        self._set_seed(seed)
        self.mode = mode

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training:
            return None
        drawn = random.uniform(self._per_image(data), seed=self._get_seed_generator() if seed is None else seed)
        return {"flips": drawn <= 0.5, "input_shape": self._image_shape(data)}

    def transform_images(self, images: Any, transformation: Any, training: Any = True) -> Any:
        images = ops.cast(images, self.compute_dtype)
        if not training or transformation is None:
            return images
        flips = transformation["flips"]
        for name, axis in (("horizontal", self.width_axis), ("vertical", self.height_axis)):
            if name in self.mode:
                images = ops.where(flips, ops.flip(images, axis=axis), images)
        return images

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: Any = True) -> Any:
        return self.transform_images(segmentation_masks, transformation, training=training)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: Any = True) -> Any:
        if not training or transformation is None:
            return bounding_boxes
        flips = ops.squeeze(transformation["flips"], axis=-1)
        shape = transformation["input_shape"]
        size = {"height": shape[self.height_axis], "width": shape[self.width_axis]}
        moved = convert_format(bounding_boxes, source=self.bounding_box_format, target="rel_xyxy", **size)
        boxes = moved["boxes"]
        for name, first in (("horizontal", 0), ("vertical", 1)):
            if name in self.mode:
                parts = ops.split(boxes, 4, axis=-1)
                parts[first], parts[first + 2] = 1 - parts[first + 2], 1 - parts[first]
                boxes = ops.where(flips, ops.concatenate(parts, axis=-1), boxes)
        moved = clip_to_image_size({**moved, "boxes": boxes}, bounding_box_format="xyxy", **size)
        return convert_format(moved, source="rel_xyxy", target=self.bounding_box_format, **size)
