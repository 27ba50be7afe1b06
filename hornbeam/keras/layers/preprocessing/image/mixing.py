"""Mixtures of the images of a batch: ``MixUp``, ``CutMix``; and ``MaxNumBoundingBoxes``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base.errors import NotSupportedError
from hornbeam.keras.layers.preprocessing.image.base import ImageLayer
from hornbeam.keras.layers.preprocessing.image.detail import box_masks, crop_bounds
from hornbeam.keras.random import random


class MixUp(ImageLayer):
    """Mix every image and its label with those of another one of the batch, while training.

    Args:
        alpha: both parameters of the beta distribution that the weights are drawn from.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.
        seed: int for equal numbers in each run.

    References: Zhang et al. 2017, equation 1. Keras ``layers.MixUp``.
    """

    unserialized = frozenset({"data_format"})

    def __init__(
        self, alpha: float = 0.2, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.alpha = alpha
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training:
            return None
        batch = self._batch_size(data)
        seed = self._get_seed_generator() if seed is None else seed
        order = random.shuffle(ops.arange(batch, dtype="int32"), seed=seed)
        weight = random.beta((batch,), self.alpha, self.alpha, seed=seed)
        return {"mix_weight": weight, "permutation_order": order}

    def _mixed(self, values: Any, transformation: Any, rank: int) -> Any:
        weight = ops.reshape(transformation["mix_weight"], [-1] + [1] * (rank - 1))
        others = ops.take(values, transformation["permutation_order"], axis=0)
        return weight * values + (1.0 - weight) * others

    def transform_images(self, images: Any, transformation: Any = None, training: Any = True) -> Any:
        if not training:
            return images
        images = ops.cast(images, self.compute_dtype)
        weight = ops.cast(transformation["mix_weight"], self.compute_dtype)
        return self._mixed(images, {**transformation, "mix_weight": weight}, 4)

    def transform_labels(self, labels: Any, transformation: Any, training: Any = True) -> Any:
        return self._mixed(labels, transformation, 2) if training else labels

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: Any = True) -> Any:
        if not training:
            return segmentation_masks
        return self._mixed(segmentation_masks, transformation, len(segmentation_masks.shape))

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: Any = True) -> Any:
        if not training:
            return bounding_boxes
        order = transformation["permutation_order"]
        boxes, labels = bounding_boxes["boxes"], bounding_boxes["labels"]
        return {
            "boxes": ops.concatenate([boxes, ops.take(boxes, order, axis=0)], axis=1),
            "labels": ops.concatenate([labels, ops.take(labels, order, axis=0)], axis=0),
        }


class CutMix(ImageLayer):
    """Put a box of another image of the batch into every image, and mix the labels by area, while training.

    Args:
        factor: limits of the parameter of the beta distribution that the areas are drawn from: two numbers from 0 to
            1, or one for ``(0, factor)``.
        seed: int for equal numbers in each run.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Yun et al. 2019, equations 1 and 2. Keras ``layers.CutMix``.
    """

    _USE_BASE_FACTOR = False
    _FACTOR_BOUNDS = (0, 1)

    def __init__(
        self, factor: Any = 1.0, seed: int | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        """Masks, weights and partners; None for one image, which has nothing to be mixed with."""
        shape = self._image_shape(data)
        if not training or len(shape) == 3:
            return None
        batch, height, width = shape[0], shape[self.height_axis], shape[self.width_axis]
        seed = self._get_seed_generator() if seed is None else seed
        dtype = self.compute_dtype
        alpha = random.uniform((), minval=self.factor[0], maxval=self.factor[1], dtype=dtype, seed=seed) + 1e-6
        weight = random.beta((batch,), alpha, alpha, seed=seed, dtype=dtype)
        share = ops.sqrt(1.0 - weight)
        x = crop_bounds(self, batch, width, share, seed)
        y = crop_bounds(self, batch, height, share, seed)
        masks = ops.repeat(box_masks(self, shape, x, y), shape[self.channel_axis], axis=self.channel_axis)
        area = ops.reshape((x[1] - x[0]) * (y[1] - y[0]), (-1, 1, 1, 1))
        order = random.shuffle(ops.arange(batch, dtype="int32"), seed=seed)
        return {"permutation_order": order, "batch_masks": masks, "mix_weight": 1.0 - area / (width * height)}

    def transform_images(self, images: Any, transformation: Any = None, training: Any = True) -> Any:
        images = ops.cast(images, self.compute_dtype)
        if not training or transformation is None:
            return images
        others = ops.take(images, transformation["permutation_order"], axis=0)
        return ops.where(self._mask_for(images, transformation["batch_masks"]), others, images)

    def _mask_for(self, images: Any, masks: Any) -> Any:
        """The masks with as many channels as the images have: they are the same in all."""
        if images.shape[self.channel_axis] == masks.shape[self.channel_axis]:
            return masks
        return ops.take(masks, [0], axis=self.channel_axis)

    def transform_labels(self, labels: Any, transformation: Any, training: Any = True) -> Any:
        if not training or transformation is None:
            return labels
        weight = ops.reshape(transformation["mix_weight"], [-1, 1])
        others = ops.take(labels, transformation["permutation_order"], axis=0)
        return weight * labels + (1.0 - weight) * others

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: Any = True) -> Any:
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: Any = True) -> Any:
        raise NotSupportedError(
            "CutMix has no rule for bounding boxes: leave 'bounding_boxes' out of the input, or use MixUp."
        )


class MaxNumBoundingBoxes(ImageLayer):
    """Cut or pad the bounding boxes of every image to one number; images stay.

    Args:
        max_number: number of boxes per image.
        fill_value: value of boxes and labels that are added.

    References: Keras ``layers.MaxNumBoundingBoxes``.
    """

    unserialized = frozenset({"fill_value"})

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_number, self.fill_value = int(max_number), int(fill_value)

    def transform_images(self, images: Any, transformation: Any = None, training: Any = True) -> Any:
        return images

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        return segmentation_masks

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: Any = True) -> Any:
        boxes, labels = bounding_boxes["boxes"], bounding_boxes["labels"]
        more = max(self.max_number - boxes.shape[1], 0)
        boxes = ops.pad(boxes[:, : self.max_number], [[0, 0], [0, more], [0, 0]], constant_values=self.fill_value)
        labels = ops.pad(labels[:, : self.max_number], [[0, 0], [0, more]], constant_values=self.fill_value)
        return {**bounding_boxes, "boxes": boxes, "labels": labels}

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shapes with ``max_number`` boxes and labels."""
        if not isinstance(input_shape, dict) or "bounding_boxes" not in input_shape:
            return input_shape
        given = input_shape["bounding_boxes"]
        unknown = set(given) - {"boxes", "labels"}
        if unknown:
            raise KeyError(f"MaxNumBoundingBoxes knows 'boxes' and 'labels'. Received also: {sorted(unknown)}")
        resized = {key: [shape[0], self.max_number, *shape[2:]] for key, shape in given.items()}
        return {**input_shape, "bounding_boxes": resized}
