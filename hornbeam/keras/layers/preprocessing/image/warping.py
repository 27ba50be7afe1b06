"""Warps that are not affine: ``RandomPerspective``, ``RandomElasticTransform``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.arguments import value_of
from hornbeam.keras.layers.preprocessing.image.base import ImageLayer, factor_pair, key_of
from hornbeam.keras.random import random
from hornbeam.ops import image as image_ops
from hornbeam.ops.image import boxes as box_ops
from hornbeam.ops.image.filters import elastic_up_to
from hornbeam.ops.image.layout import INTERPOLATIONS
from hornbeam.ops.image.warps import compute_homography_matrix

_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


class RandomPerspective(ImageLayer):
    """Look at images from another side at random, while training: their corners move.

    Args:
        factor: probability, or two limits between which it is drawn.
        scale: how far the corners may move, 0 to 1.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_value: value outside of the images.
        seed: int for equal numbers in each run.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``layers.RandomPerspective``.
    """

    _USE_BASE_FACTOR = False
    _FACTOR_BOUNDS = (0, 1)

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        if not 0.0 <= scale <= 1.0:
            raise ValueError(f"RandomPerspective: `scale` is a number from 0 to 1. Received: scale={scale}")
        if interpolation not in INTERPOLATIONS:
            raise NotImplementedError(
                f"RandomPerspective: `interpolation` is one of {tuple(INTERPOLATIONS)}. Received: {interpolation!r}"
            )
        self.scale, self.interpolation, self.fill_value = scale, interpolation, fill_value
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training:
            return None
        shape, batch = self._image_shape(data), self._batch_size(data)
        bottom, right = shape[self.height_axis] - 1, shape[self.width_axis] - 1
        seed = self._get_seed_generator() if seed is None else seed
        dtype = self.compute_dtype
        probability = random.uniform((batch,), minval=self.factor[0], maxval=self.factor[1], seed=seed)
        chosen = random.uniform((batch,), minval=0.0, maxval=1.0, seed=seed) < probability
        half = 0.5 * self.scale
        moves = random.uniform((batch, 4, 2), minval=-half, maxval=half, seed=seed, dtype=dtype)
        corners = [[[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]]]
        start = ops.repeat(ops.cast(ops.convert_to_tensor(corners, "float32"), dtype), batch, axis=0)
        return {
            "apply_perspective": chosen,
            "start_points": start,
            "end_points": start + start * moves,
            "input_shape": shape,
        }

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        if transformation is None:
            return images
        moved = image_ops.perspective_transform(
            images,
            transformation["start_points"],
            transformation["end_points"],
            interpolation=interpolation,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )
        return ops.where(ops.reshape(transformation["apply_perspective"], (-1, 1, 1, 1)), moved, images)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: Any = True) -> Any:
        if not training or transformation is None:
            return bounding_boxes
        shape = transformation["input_shape"]
        size = {"height": shape[self.height_axis], "width": shape[self.width_axis]}
        moved = box_ops.convert_format(bounding_boxes, source=self.bounding_box_format, target="xyxy", **size)
        maps = compute_homography_matrix(transformation["start_points"], transformation["end_points"])
        maps = ops.cast(maps, self.compute_dtype)
        matrix = ops.reshape(ops.concatenate([maps, ops.ones_like(maps[:, :1])], axis=-1), (-1, 3, 3))
        x0, y0, x1, y1 = ops.split(moved["boxes"], 4, axis=-1)
        xs = ops.concatenate([x0, x1, x0, x1], axis=-1)
        ys = ops.concatenate([y0, y1, y1, y0], axis=-1)
        points = ops.stack([xs, ys, ops.ones_like(xs)], axis=-1)
        points = ops.einsum("bij,bnkj->bnki", ops.inv(matrix), points)
        xs, ys = points[..., 0] / points[..., 2], points[..., 1] / points[..., 2]
        sides = (ops.min(xs, -1), ops.min(ys, -1), ops.max(xs, -1), ops.max(ys, -1))
        chosen = ops.reshape(transformation["apply_perspective"], (-1, 1, 1))
        moved = {**moved, "boxes": ops.where(chosen, ops.stack(sides, axis=-1), moved["boxes"])}
        # As in the reference, the boxes stay in corners.
        return box_ops.clip_to_image_size(moved, bounding_box_format="xyxy", **size)


class RandomElasticTransform(ImageLayer):
    """Distort images by a smooth random field, while training.

    Args:
        factor: probability, or two limits between which it is drawn.
        scale: limits of the strength, two numbers from 0 to 1 or one for ``(0, scale)``.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_mode: what lies outside: ``"constant"``, ``"nearest"``, ``"wrap"``, ``"mirror"`` or ``"reflect"``.
        fill_value: value outside for ``"constant"``.
        value_range: lowest and highest value of the pixels.
        seed: int for equal numbers in each run.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``layers.RandomElasticTransform``.
    """

    _USE_BASE_FACTOR = False
    _FACTOR_BOUNDS = (0, 1)

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.scale = factor_pair(scale, "scale", bounds=(0, 1), symmetric=False, overlap=True)
        for name, value, known in (
            ("interpolation", interpolation, tuple(INTERPOLATIONS)),
            ("fill_mode", fill_mode, _FILL_MODES),
        ):
            if value not in known:
                raise NotImplementedError(f"RandomElasticTransform: `{name}` is one of {known}. Received: {value!r}")
        self.interpolation, self.fill_mode, self.fill_value = interpolation, fill_mode, fill_value
        self.value_range = value_range
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training or self.scale[1] == 0 or self.factor[1] == 0:
            return None
        shape = (self._batch_size(data),)
        seed = self._get_seed_generator() if seed is None else seed
        probability = random.uniform(shape, minval=self.factor[0], maxval=self.factor[1], seed=seed)
        chosen = random.uniform(shape, minval=0.0, maxval=1.0, seed=seed) < probability
        strength = random.uniform((), minval=self.scale[0], maxval=self.scale[1], seed=seed, dtype=self.compute_dtype)
        # The field's own seed is drawn here, so that images and masks move alike.
        return {"apply_transform": chosen, "distortion_factor": strength, "seed": key_of(seed)}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        if transformation is None:
            return images
        strength = transformation["distortion_factor"]
        height, width = images.shape[self.height_axis], images.shape[self.width_axis]
        shorter, limit = min(height, width), 0.05 * self.scale[1]
        if not hasattr(value_of(strength), "shape"):
            limit = max(limit, 0.05 * float(strength))
        moved = elastic_up_to(
            int(6 * shorter * limit) | 1,
            images,
            max(height, width) * (strength * 0.1),
            shorter * (strength * 0.05),
            interpolation,
            self.fill_mode,
            self.fill_value,
            key_of(transformation["seed"]),
            self.data_format == "channels_last",
        )
        chosen = ops.reshape(transformation["apply_transform"], (-1, *([1] * (len(images.shape) - 1))))
        images = ops.where(chosen, moved, images)
        images = ops.clip(images, self.value_range[0], self.value_range[1])
        return ops.cast(images, self.compute_dtype)
