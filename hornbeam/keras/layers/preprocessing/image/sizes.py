"""Layers that change the size of images."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.arguments import value_of
from hornbeam.core.random_state import SeedGenerator, make_default_seed
from hornbeam.core.scopes import scopes
from hornbeam.keras.layers.preprocessing.image.base import ImageLayer, factor_pair, one_at_a_time
from hornbeam.keras.random import random
from hornbeam.ops import image as image_ops
from hornbeam.ops.composite import is_traced
from hornbeam.ops.image import boxes as box_ops
from hornbeam.ops.image.resizing import centre_box


class SizedLayer(ImageLayer):
    """What layers share whose outputs have a height and width of their own."""

    _USE_BASE_FACTOR = False

    def _set_size(self, height: Any, width: Any) -> None:
        self.height, self.width = height, width

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape with the layer's height and width; a dict's other shapes stay."""
        if isinstance(input_shape, dict):
            return {**input_shape, "images": self.compute_output_shape(input_shape["images"])}
        shape = list(input_shape)
        if len(shape) not in (3, 4):
            raise ValueError(
                f"{type(self).__name__}: expected one image (3 axes) or a batch of images (4 axes). "
                f"Received: input_shape={tuple(shape)}"
            )
        shape[self.height_axis], shape[self.width_axis] = self.height, self.width
        return tuple(shape)

    def _cut(self, images: Any, top: Any, left: Any, height: int, width: int) -> Any:
        """A part of the images; its place may be a traced number."""
        starts, sizes = [0] * len(images.shape), list(images.shape)
        starts[self.height_axis], starts[self.width_axis] = top, left
        sizes[self.height_axis], sizes[self.width_axis] = height, width
        return ops.slice(images, starts, sizes)


class Resizing(SizedLayer):
    """Resize images.

    Args:
        height: new height, in pixels.
        width: new width, in pixels.
        interpolation: ``"bilinear"``, ``"nearest"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``.
        crop_to_aspect_ratio: cut the middle out first, so that nothing is distorted.
        pad_to_aspect_ratio: pad first, for the same purpose.
        fill_mode: only ``"constant"``.
        fill_value: value of the padding.
        antialias: when images shrink, let every pixel count.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    Whole numbers stay whole numbers, and are rounded; in a data set's ``map`` they become floats first, as in Keras.

    References: Keras ``layers.Resizing``.
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_size(height, width)
        self.interpolation = interpolation
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = crop_to_aspect_ratio, pad_to_aspect_ratio
        self.fill_mode, self.fill_value = fill_mode, fill_value
        self.antialias = bool(antialias)

    def __call__(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        if scopes.pipeline:
            data = one_at_a_time(data, lambda item: ops.cast(item, self.compute_dtype))
        return super().__call__(data, *args, **kwargs)

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        return image_ops.resize(
            images,
            (self.height, self.width),
            interpolation=interpolation,
            antialias=self.antialias,
            crop_to_aspect_ratio=self.crop_to_aspect_ratio,
            pad_to_aspect_ratio=self.pad_to_aspect_ratio,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        """Height and width of the images; nothing is random."""
        shape = self._image_shape(data)
        return shape[self.height_axis], shape[self.width_axis]

    def transform_images(self, images: Any, transformation: Any = None, training: Any = True) -> Any:
        return self._transform_images(images, transformation, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        return self._transform_images(segmentation_masks, transformation, "nearest")

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: Any = True) -> Any:
        height, width = transformation
        given = bounding_boxes["boxes"]
        padding = ops.logical_or(ops.all(given == -1, axis=-1), ops.all(given == 0, axis=-1))
        moved = box_ops.convert_format(
            bounding_boxes, source=self.bounding_box_format, target="xyxy", height=height, width=width
        )
        x_scale, y_scale, x_shift, y_shift = self._box_change(height, width)
        boxes = moved["boxes"]
        boxes = boxes * ops.convert_to_tensor([x_scale, y_scale] * 2, boxes.dtype)
        boxes = boxes + ops.convert_to_tensor([x_shift, y_shift] * 2, boxes.dtype)
        moved = box_ops.clip_to_image_size({**moved, "boxes": boxes}, height=self.height, width=self.width)
        moved["boxes"] = ops.where(ops.expand_dims(padding, -1), 0.0, moved["boxes"])
        return box_ops.convert_format(
            moved, source="xyxy", target=self.bounding_box_format, height=self.height, width=self.width
        )

    def _box_change(self, height: int, width: int) -> tuple[float, float, float, float]:
        """Factors and shifts of x and y."""
        y_ratio, x_ratio = self.height / height, self.width / width
        if self.pad_to_aspect_ratio:
            ratio = min(y_ratio, x_ratio)
            return ratio, ratio, (self.width - width * ratio) // 2, (self.height - height * ratio) // 2
        if self.crop_to_aspect_ratio:
            wide = width / height > self.width / self.height
            new_width = self.height * width / height if wide else self.width
            new_height = self.height if wide else self.width * height / width
            return (
                new_width / width,
                new_height / height,
                -((new_width - self.width) // 2),
                -((new_height - self.height) // 2),
            )
        return x_ratio, y_ratio, 0.0, 0.0


class CenterCrop(SizedLayer):
    """Cut the middle out of images; smaller images are resized, without distortion.

    Args:
        height: height of the result, in pixels.
        width: width of the result, in pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``layers.CenterCrop``.
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_size(height, width)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        """The shape of the images; nothing is random."""
        return {"input_shape": self._image_shape(data)}

    def transform_images(self, images: Any, transformation: Any = None, training: Any = True) -> Any:
        images = ops.cast(images, self.compute_dtype)
        height, width = images.shape[self.height_axis], images.shape[self.width_axis]
        if height >= self.height and width >= self.width:
            top, left = (height - self.height) // 2, (width - self.width) // 2
            return self._cut(images, top, left, self.height, self.width)
        images = self._cut(images, *centre_box(height, width, self.height, self.width))
        return image_ops.resize(images, (self.height, self.width), data_format=self.data_format)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: Any = True
    ) -> Any:
        return self.transform_images(segmentation_masks, transformation, training=training)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: Any = True) -> Any:
        shape = transformation["input_shape"]
        height, width = shape[self.height_axis], shape[self.width_axis]
        own = {"height": self.height, "width": self.width}
        moved = box_ops.convert_format(
            bounding_boxes, source=self.bounding_box_format, target="xyxy", height=height, width=width
        )
        fits = height >= self.height and width >= self.width
        if fits:
            box = (height - self.height) // 2, (width - self.width) // 2, self.height, self.width
        else:
            box = centre_box(height, width, self.height, self.width)
        boxes = box_ops.crop(moved["boxes"], *box)
        moved = {**moved, "boxes": boxes}
        if not fits:
            moved = box_ops.convert_format(moved, source="xyxy", target="rel_xyxy", height=box[2], width=box[3])
            moved = box_ops.convert_format(moved, source="rel_xyxy", target="xyxy", **own)
        moved = box_ops.clip_to_image_size(moved, bounding_box_format="xyxy", **own)
        return box_ops.convert_format(moved, source="xyxy", target=self.bounding_box_format, **own)


class RandomCrop(SizedLayer):
    """Cut a random part out of images while training; smaller images are resized without distortion.

    All images of a batch are cut at the same place. Outside of training images pass through whole: put a ``CenterCrop``
    or ``Resizing`` behind this layer if sizes must agree then.

    Args:
        height: height of the result, in pixels.
        width: width of the result, in pixels.
        seed: int for equal numbers in each run.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``layers.RandomCrop``.
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, name=name, **kwargs)
        self._set_size(height, width)
        self.seed = seed if seed is not None else make_default_seed()
        self.generator = SeedGenerator(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        """Top and left of the part."""
        shape = self._image_shape(data)
        height, width = shape[self.height_axis], shape[self.width_axis]
        if not (training and height > self.height and width > self.width):
            return centre_box(height, width, self.height, self.width)[:2]
        seed = self._get_seed_generator() if seed is None else seed
        top = random.uniform((), 0, maxval=float(height - self.height + 1), seed=seed)
        left = random.uniform((), 0, maxval=float(width - self.width + 1), seed=seed)
        return ops.cast(top, "int32"), ops.cast(left, "int32")

    def transform_images(self, images: Any, transformation: Any, training: Any = True) -> Any:
        if not training:
            return images
        images = ops.cast(images, self.compute_dtype)
        top, left = transformation
        height, width = images.shape[self.height_axis], images.shape[self.width_axis]
        known = not hasattr(value_of(top), "shape")
        box_height = min(self.height, height - int(top)) if known else self.height
        box_width = min(self.width, width - int(left)) if known else self.width
        return self._fitted(self._cut(images, top, left, box_height, box_width))

    def _fitted(self, images: Any) -> Any:
        if (images.shape[self.height_axis], images.shape[self.width_axis]) == (self.height, self.width):
            return images
        return image_ops.resize(images, (self.height, self.width), data_format=self.data_format)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: Any = True) -> Any:
        return self.transform_images(segmentation_masks, transformation, training=training)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: Any = True) -> Any:
        if not training:
            return bounding_boxes
        size = {"height": self.height, "width": self.width}
        boxes = box_ops.convert_format(bounding_boxes["boxes"], source=self.bounding_box_format, target="xyxy", **size)
        top, left = (ops.cast(one, boxes.dtype) for one in transformation)
        # The reference takes the rows from x and the columns from y; its numbers are kept.
        boxes = ops.maximum(boxes - ops.stack([top, left, top, left]), 0)
        boxes = box_ops.convert_format(boxes, source="xyxy", target=self.bounding_box_format, **size)
        return {"boxes": boxes, "labels": bounding_boxes["labels"]}


class _RandomSide(ImageLayer):
    """Images of a random height or width."""

    # Each call gives another size, so calls are not compiled as a whole.
    pure = False
    _USE_BASE_FACTOR = False
    _SIDE = "height"

    def __init__(self, factor: Any, interpolation: str = "bilinear", seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor
        self.lower, self.upper = factor_pair(factor, open_below=True)
        self.interpolation = interpolation
        self._set_seed(seed)

    def transform_images(self, images: Any, transformation: Any = None, training: Any = True) -> Any:
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        drawn = random.uniform((), minval=1.0 + self.lower, maxval=1.0 + self.upper, seed=self._get_seed_generator())
        if is_traced(images) or is_traced(drawn):
            raise NotSupportedError(
                f"{type(self).__name__} gives images of another size at each call, which a compiled program cannot.\n"
                "  fix:      use RandomZoom, or call the layer outside of the model on batches that are not traced"
            )
        size = [images.shape[self.height_axis], images.shape[self.width_axis]]
        place = 0 if self._SIDE == "height" else 1
        size[place] = max(int(float(drawn) * size[place]), 1)
        return image_ops.resize(images, size, interpolation=self.interpolation, data_format=self.data_format)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape with an unknown side."""
        shape = list(input_shape)
        shape[self.height_axis if self._SIDE == "height" else self.width_axis] = None
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {**config, "factor": self.factor, "interpolation": self.interpolation, "seed": self.seed}


class RandomHeight(_RandomSide):
    """Give images a random height, while training and outside of compiled programs.

    Args:
        factor: limits of the change, as a fraction of the height: two numbers, or one for ``(-factor, factor)``.
        interpolation: as for ``Resizing``.
        seed: int for equal numbers in each run.

    References: TensorFlow ``tf.keras.layers.RandomHeight``.
    """


class RandomWidth(_RandomSide):
    """Give images a random width, while training and outside of compiled programs.

    Args:
        factor: limits of the change, as a fraction of the width: two numbers, or one for ``(-factor, factor)``.
        interpolation: as for ``Resizing``.
        seed: int for equal numbers in each run.

    References: TensorFlow ``tf.keras.layers.RandomWidth``.
    """

    _SIDE = "width"
