"""Affine changes: ``RandomRotation``, ``RandomTranslation``, ``RandomZoom``, ``RandomShear``."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.preprocessing.image.base import ImageLayer, factor_pair
from hornbeam.keras.random import random
from hornbeam.ops import image as image_ops
from hornbeam.ops.image import boxes as box_ops

_FILL_MODES = ("reflect", "wrap", "constant", "nearest")
_INTERPOLATIONS = ("nearest", "bilinear")


class AffineLayer(ImageLayer):
    """What layers share that warp images by affine maps."""

    _USE_BASE_FACTOR = False

    def _set_warp(self, fill_mode: str, interpolation: str, fill_value: float) -> None:
        for name, value, known in (
            ("fill_mode", fill_mode, _FILL_MODES),
            ("interpolation", interpolation, _INTERPOLATIONS),
        ):
            if value not in known:
                raise NotImplementedError(f"{type(self).__name__}: `{name}` is one of {known}. Received: {value!r}")
        self.fill_mode, self.interpolation, self.fill_value = fill_mode, interpolation, fill_value

    def _maps(self, transformation: Any, images: Any) -> Any:
        """Rows of 8 numbers, one per image, for ``affine_transform``."""
        raise NotImplementedError(f"{type(self).__name__} must implement `_maps`.")

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        if transformation is None:
            return images
        return image_ops.affine_transform(
            images,
            self._maps(transformation, images),
            interpolation=interpolation,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )

    def _size(self, shape: Any) -> dict[str, Any]:
        return {"height": shape[self.height_axis], "width": shape[self.width_axis]}


def _rows(*numbers: Any) -> Any:
    """Maps from six columns (batch, 1); numbers stand for constant columns."""
    model = next(one for one in numbers if hasattr(one, "shape"))
    blank = ops.zeros_like(model)
    return ops.concatenate([one if hasattr(one, "shape") else blank + one for one in (*numbers, 0, 0)], axis=1)


def _at(maps: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Where the maps take a point: two columns (batch, 1)."""
    a0, a1, a2, b0, b1, b2 = (maps[:, column : column + 1] for column in range(6))
    return a0 * x + a1 * y + a2, b0 * x + b1 * y + b2


class RandomRotation(AffineLayer):
    """Rotate images about their middle by a random angle, while training.

    Args:
        factor: limits of the angle, as a fraction of a full turn: two numbers, or one for ``(-factor, factor)``.
            Positive angles turn counter-clockwise.
        fill_mode: what lies outside: ``"reflect"``, ``"wrap"``, ``"constant"`` or ``"nearest"``.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        seed: int for equal numbers in each run.
        fill_value: value outside for ``"constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``layers.RandomRotation``.
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor or 0.0)
        self._set_seed(seed)
        self._set_warp(fill_mode, interpolation, fill_value)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training:
            return None
        shape, batch = self._image_shape(data), self._batch_size(data)
        height, width = shape[self.height_axis], shape[self.width_axis]
        angle = random.uniform(
            (batch,),
            minval=self.factor[0] * 360.0,
            maxval=self.factor[1] * 360.0,
            seed=self._get_seed_generator() if seed is None else seed,
        )
        turn = ops.expand_dims(angle * (math.pi / 180.0), -1)
        cos, sin = ops.cos(turn), ops.sin(turn)
        x, y = 0.5 * (width - 1), 0.5 * (height - 1)
        matrix = _rows(cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos)
        return {
            "angle": angle,
            "rotation_matrix": matrix[0] if len(shape) == 3 else matrix,
            "image_height": height,
            "image_width": width,
            "batch_size": batch,
        }

    def _maps(self, transformation: Any, images: Any) -> Any:
        return transformation["rotation_matrix"]

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: Any = True) -> Any:
        if not training or transformation is None:
            return bounding_boxes
        size = {"height": transformation["image_height"], "width": transformation["image_width"]}
        angle = transformation["angle"]
        none, one = ops.zeros_like(angle), ops.ones_like(angle)
        boxes = box_ops.affine_transform(
            bounding_boxes["boxes"], angle, none, none, one, none, none, size["height"], size["width"]
        )
        moved = box_ops.clip_to_image_size({**bounding_boxes, "boxes": boxes}, bounding_box_format="xyxy", **size)
        return box_ops.convert_format(moved, source="xyxy", target=self.bounding_box_format, **size)


class RandomTranslation(AffineLayer):
    """Move images by a random distance, while training.

    Args:
        height_factor: limits of the way down, as a fraction of the height: two numbers, or one for
            ``(-factor, factor)``. Negative is up.
        width_factor: limits of the way to the right, as a fraction of the width. Negative is left.
        fill_mode: what lies outside: ``"reflect"``, ``"wrap"``, ``"constant"`` or ``"nearest"``.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        seed: int for equal numbers in each run.
        fill_value: value outside for ``"constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``layers.RandomTranslation``.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self.height_lower, self.height_upper = factor_pair(height_factor, "height_factor")
        self.width_lower, self.width_upper = factor_pair(width_factor, "width_factor")
        self._set_warp(fill_mode, interpolation, fill_value)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training:
            return None
        shape, batch = self._image_shape(data), self._batch_size(data)
        seed = self._get_seed_generator() if seed is None else seed
        down = random.uniform((batch, 1), minval=self.height_lower, maxval=self.height_upper, seed=seed)
        right = random.uniform((batch, 1), minval=self.width_lower, maxval=self.width_upper, seed=seed)
        translations = ops.concatenate([right * shape[self.width_axis], down * shape[self.height_axis]], axis=1)
        return {"translations": ops.cast(translations, "float32"), "input_shape": shape}

    def _maps(self, transformation: Any, images: Any) -> Any:
        shifts = transformation["translations"]
        return _rows(1, 0, -shifts[:, 0:1], 0, 1, -shifts[:, 1:2])

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: Any = True) -> Any:
        if not training or transformation is None:
            return bounding_boxes
        size = self._size(transformation["input_shape"])
        moved = box_ops.convert_format(bounding_boxes, source=self.bounding_box_format, target="xyxy", **size)
        right, down = (ops.expand_dims(one, -1) for one in _at(self._maps(transformation, None), 0, 0))
        x1, y1, x2, y2 = ops.split(moved["boxes"], 4, axis=-1)
        boxes = ops.concatenate([x1 - right, y1 - down, x2 - right, y2 - down], axis=-1)
        moved = box_ops.clip_to_image_size({**moved, "boxes": boxes}, bounding_box_format="xyxy", **size)
        return box_ops.convert_format(moved, source="xyxy", target=self.bounding_box_format, **size)


class RandomZoom(AffineLayer):
    """Zoom into or out of images at random, while training.

    Args:
        height_factor: limits of the change of the visible height: two numbers, or one for ``(-factor, factor)``.
            Positive zooms out (0.2 shows 20 % more), negative zooms in.
        width_factor: limits for the width; by default the same zoom as for the height, which keeps the proportions.
        fill_mode: what lies outside: ``"reflect"``, ``"wrap"``, ``"constant"`` or ``"nearest"``.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        seed: int for equal numbers in each run.
        fill_value: value outside for ``"constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``layers.RandomZoom``.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self.height_lower, self.height_upper = factor_pair(height_factor, "height_factor", open_below=True)
        if width_factor is not None:
            self.width_lower, self.width_upper = factor_pair(width_factor, "width_factor", open_below=True)
        self._set_warp(fill_mode, interpolation, fill_value)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training:
            return None
        shape, batch = self._image_shape(data), self._batch_size(data)
        seed = self._get_seed_generator() if seed is None else seed
        height_zoom = random.uniform(
            (batch, 1), minval=1.0 + self.height_lower, maxval=1.0 + self.height_upper, seed=seed
        )
        width_zoom = height_zoom
        if self.width_factor is not None:
            width_zoom = random.uniform(
                (batch, 1), minval=1.0 + self.width_lower, maxval=1.0 + self.width_upper, seed=seed
            )
        return {"height_zoom": height_zoom, "width_zoom": width_zoom, "input_shape": shape}

    def _maps(self, transformation: Any, images: Any) -> Any:
        shape = transformation["input_shape"] if images is None else images.shape
        x_zoom, y_zoom = (ops.cast(transformation[name], "float32") for name in ("width_zoom", "height_zoom"))
        x_offset = (shape[self.width_axis] - 1.0) / 2.0 * (1.0 - x_zoom)
        y_offset = (shape[self.height_axis] - 1.0) / 2.0 * (1.0 - y_zoom)
        return _rows(x_zoom, 0, x_offset, 0, y_zoom, y_offset)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: Any = True) -> Any:
        if not training or transformation is None:
            return bounding_boxes
        size = self._size(transformation["input_shape"])
        moved = box_ops.convert_format(bounding_boxes, source=self.bounding_box_format, target="xyxy", **size)
        maps = self._maps(transformation, None)
        left, top = (ops.expand_dims(one, -1) for one in _at(maps, 0, 0))
        right, bottom = (ops.expand_dims(one, -1) for one in _at(maps, size["width"], size["height"]))
        x1, y1, x2, y2 = ops.split(moved["boxes"], 4, axis=-1)
        inside = [
            ops.clip(x1, left, right) - left,
            ops.clip(y1, top, bottom) - top,
            ops.clip(x2, left, right) - left,
            ops.clip(y2, top, bottom) - top,
        ]
        moved = {**moved, "boxes": ops.concatenate(inside, axis=-1)}
        seen = {"height": bottom - top, "width": right - left}
        moved = box_ops.convert_format(moved, source="xyxy", target="rel_xyxy", **seen)
        moved = box_ops.clip_to_image_size(moved, bounding_box_format="rel_xyxy", **seen)
        return box_ops.convert_format(moved, source="rel_xyxy", target=self.bounding_box_format, **size)


class RandomShear(AffineLayer):
    """Shear images at random, while training.

    Args:
        x_factor: limits of the horizontal shift per row: two numbers from 0 to 1, or one for ``(-factor, factor)``.
        y_factor: limits of the vertical shift per column.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_mode: what lies outside: ``"reflect"``, ``"wrap"``, ``"constant"`` or ``"nearest"``.
        fill_value: value outside for ``"constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.
        seed: int for equal numbers in each run.

    References: Keras ``layers.RandomShear``.
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.x_factor = _shear_pair(x_factor, "x_factor")
        self.y_factor = _shear_pair(y_factor, "y_factor")
        self._set_warp(fill_mode, interpolation, fill_value)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training:
            return None
        shape, batch = self._image_shape(data), self._batch_size(data)
        common = {"seed": self._get_seed_generator() if seed is None else seed, "dtype": self.compute_dtype}
        sign = random.uniform((batch, 1), minval=0, maxval=1, **common)
        sign = ops.where(sign > 0.5, -ops.ones_like(sign), ops.ones_like(sign))
        y = random.uniform((batch, 1), minval=self.y_factor[0], maxval=self.y_factor[1], **common)
        x = random.uniform((batch, 1), minval=self.x_factor[0], maxval=self.x_factor[1], **common)
        return {"shear_factor": ops.concatenate([x, y], axis=1) * sign, "input_shape": shape}

    def _maps(self, transformation: Any, images: Any) -> Any:
        shear = ops.cast(transformation["shear_factor"], "float32")
        return _rows(1, shear[:, 0:1], 0, shear[:, 1:2], 1, 0)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: Any = True) -> Any:
        if not training or transformation is None:
            return bounding_boxes
        size = self._size(transformation["input_shape"])
        dtype = self.compute_dtype
        moved = box_ops.convert_format(
            bounding_boxes, source=self.bounding_box_format, target="rel_xyxy", dtype=dtype, **size
        )
        shear = ops.cast(transformation["shear_factor"], dtype)
        x, y = shear[:, 0:1], shear[:, 1:2]
        x1, y1, x2, y2 = (moved["boxes"][..., number] for number in range(4))
        x1, x2 = (
            ops.where(x < 0, x1 - x * y1, x1 - x * y2),
            ops.where(x < 0, x2 - x * y2, x2 - x * y1),
        )
        y1, y2 = (
            ops.where(y > 0, y1 - y * x2, y1 - y * x1),
            ops.where(y > 0, y2 - y * x1, y2 - y * x2),
        )
        moved = {**moved, "boxes": ops.stack([x1, y1, x2, y2], axis=-1)}
        moved = box_ops.clip_to_image_size(moved, bounding_box_format="rel_xyxy", **size)
        return box_ops.convert_format(moved, source="rel_xyxy", target=self.bounding_box_format, dtype=dtype, **size)


def _shear_pair(factor: Any, name: str) -> tuple[float, float]:
    if isinstance(factor, (tuple, list)) and len(factor) == 2 and 0 <= factor[1] <= 1 and factor[0] == -factor[1]:
        # What one number became: so it stands in configs.
        return factor[0], factor[1]
    return factor_pair(factor, name, bounds=(0.0, 1.0))
