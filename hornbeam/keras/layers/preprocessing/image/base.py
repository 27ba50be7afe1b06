"""What image layers share: one random transformation, applied to images, labels, boxes and masks alike."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.random_state import SeedGenerator
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import wrap
from hornbeam.keras.layers.base.layer import Layer

__all__ = ["DrawnSeeds", "ImageLayer", "factor_pair", "one_at_a_time", "value_pair"]


class DrawnSeeds(SeedGenerator):
    """A source of random numbers that starts from key data and keeps no variable.

    Inside a loop of a compiled program a variable cannot move on; this counts in Python instead.

    Args:
        key: key data ``uint32[2]``.
    """

    def __init__(self, key: Any) -> None:
        self._key, self._count = key, 0

    def next(self, ordered: bool = True) -> Any:
        """Key data for one draw."""
        self._count += 1
        return self._key + ops.convert_to_tensor([0, self._count], "uint32")


def factor_pair(
    factor: Any,
    name: str = "factor",
    bounds: tuple[float, float] = (-1.0, 1.0),
    symmetric: bool = True,
    overlap: bool = False,
    open_below: bool = False,
) -> tuple[float, float]:
    """Limits of a random factor.

    Args:
        factor: two numbers, or one: then the limits are ``-factor`` (at least the lower bound) and ``factor``.
        name: its name in messages.
        bounds: limits that are allowed.
        symmetric: whether one number gives a negative lower limit, even below the bounds.
        overlap: two numbers are fine if their range meets the allowed one.
        open_below: the lower bound itself is not allowed.
    """
    low, high = bounds
    text = (
        f"`{name}` takes one number or a pair, within {'(' if open_below else '['}{low}, {high}]. "
        f"Received: {name}={factor}"
    )

    def inside(value: float) -> bool:
        return (low < value if open_below else low <= value) and value <= high

    if isinstance(factor, (tuple, list)):
        if len(factor) != 2:
            raise ValueError(text)
        fits = factor[0] <= high and factor[1] >= low if overlap else inside(factor[0]) and inside(factor[1])
        if not fits:
            raise ValueError(text)
        lower, upper = sorted(factor)
        return lower, upper
    if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not inside(factor):
        raise ValueError(text)
    factor = abs(factor)
    return (-factor if symmetric else max(-factor, low)), factor


def value_pair(value_range: Any) -> list[Any]:
    """The lowest and the highest value that pixels may have."""
    if not isinstance(value_range, (tuple, list)) or len(value_range) != 2:
        raise ValueError(
            f"`value_range` takes a pair: lowest and highest pixel value. Received: value_range={value_range}"
        )
    return sorted(value_range)


def one_at_a_time(structure: Any, function: Any) -> Any:
    """Apply to every tensor of a dict (or to the tensor itself)."""
    if isinstance(structure, dict):
        return {key: one_at_a_time(item, function) for key, item in structure.items()}
    return function(structure)


class ImageLayer(Layer):
    """Base of the layers that change pictures.

    A call draws one transformation (``get_random_transformation``) and applies it to the images, and, where a dict is
    given, to its labels, bounding boxes and segmentation masks.

    Args:
        factor: strength of the change, for layers that have one.
        bounding_box_format: format of ``"bounding_boxes"`` in dict inputs, see
            ``keras.utils.bounding_boxes.convert_format``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    Input shape: one image (height, width, channels) or a batch of them, or a dict with ``"images"``.
    Output shape: as the input, unless a layer says otherwise; images in the compute dtype.
    """

    pure = True
    changes_only_colors = False
    """True if boxes and masks stay as they are."""
    _USE_BASE_FACTOR = True
    _FACTOR_BOUNDS: tuple[float, float] = (-1, 1)

    def __init__(
        self, factor: Any = None, bounding_box_format: str | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.bounding_box_format = bounding_box_format
        self.data_format = settings.standardize_data_format(data_format)
        if self._USE_BASE_FACTOR:
            self._set_factor(factor or 0.0)
        elif factor is not None:
            raise ValueError(f"{type(self).__name__} takes no `factor`. Received: factor={factor}")

    def _set_factor(self, factor: Any) -> None:
        self.factor = factor_pair(factor, bounds=self._FACTOR_BOUNDS, symmetric=False, overlap=True)

    def _set_seed(self, seed: int | None) -> None:
        self.seed = seed
        self.generator = SeedGenerator(seed)

    def _get_seed_generator(self, backend: Any = None) -> SeedGenerator:
        if not hasattr(self, "generator"):
            raise ValueError(
                f"{type(self).__name__} draws random numbers, but has no `generator`: set `self.seed` and "
                "`self.generator = keras.random.SeedGenerator(seed)` in `__init__`."
            )
        return self.generator

    def convert_weight(self, weight: Any) -> Any:
        """The weight itself: images and weights are always of one kind here."""
        return weight

    # --- where things lie ------------------------------------------------------------------------
    @property
    def height_axis(self) -> int:
        """Axis of the height, from the end."""
        return -3 if self.data_format == "channels_last" else -2

    @property
    def width_axis(self) -> int:
        """Axis of the width, from the end."""
        return -2 if self.data_format == "channels_last" else -1

    @property
    def channel_axis(self) -> int:
        """Axis of the channels, from the end."""
        return -1 if self.data_format == "channels_last" else -3

    def _image_shape(self, data: Any) -> tuple:
        shape = tuple((data["images"] if isinstance(data, dict) else data).shape)
        if len(shape) not in (3, 4):
            raise ValueError(
                f"{type(self).__name__}: expected one image (3 axes) or a batch of images (4 axes). "
                f"Received: shape={shape}"
            )
        return shape

    def _batch_size(self, data: Any) -> int:
        shape = self._image_shape(data)
        return shape[0] if len(shape) == 4 else 1

    def _per_image(self, data: Any) -> tuple[int, ...]:
        """Shape of one number per image, which broadcasts to the images."""
        shape = self._image_shape(data)
        return (shape[0], 1, 1, 1) if len(shape) == 4 else (1, 1, 1)

    # --- what subclasses write -------------------------------------------------------------------
    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        """Draw what a call does; None if nothing is random."""
        return None

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must implement `transform_images`.")

    def transform_images(self, images: Any, transformation: Any, training: Any = True) -> Any:
        """Images after the transformation."""
        images = ops.cast(images, self.compute_dtype)
        if training:
            return self._transform_images(images, transformation, getattr(self, "interpolation", "bilinear"))
        return images

    def transform_labels(self, labels: Any, transformation: Any, training: Any = True) -> Any:
        """Labels after the transformation."""
        return labels

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: Any = True) -> Any:
        """Dict of boxes and their labels after the transformation."""
        if self.changes_only_colors:
            return bounding_boxes
        raise NotSupportedError(
            f"{type(self).__name__} does not move bounding boxes. Leave 'bounding_boxes' out of the input, or use "
            "another layer."
        )

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: Any = True) -> Any:
        """Masks after the transformation; no new values appear in them."""
        if self.changes_only_colors or not training:
            return segmentation_masks
        return self._transform_images(segmentation_masks, transformation, "nearest")

    # --- single samples --------------------------------------------------------------------------
    def transform_single_image(self, image: Any, transformation: Any, training: Any = True) -> Any:
        """``transform_images`` of one image."""
        return _only(self.transform_images(ops.expand_dims(image, 0), transformation, training=training))

    def transform_single_label(self, label: Any, transformation: Any, training: Any = True) -> Any:
        """``transform_labels`` of one label."""
        return _only(self.transform_labels(ops.expand_dims(label, 0), transformation, training=training))

    def transform_single_bounding_box(self, bounding_box: Any, transformation: Any, training: Any = True) -> Any:
        """``transform_bounding_boxes`` of one image's boxes."""
        batch = one_at_a_time(bounding_box, lambda item: ops.expand_dims(item, 0))
        return one_at_a_time(self.transform_bounding_boxes(batch, transformation, training=training), _only)

    def transform_single_segmentation_mask(
        self, segmentation_mask: Any, transformation: Any, training: Any = True
    ) -> Any:
        """``transform_segmentation_masks`` of one mask."""
        batch = ops.expand_dims(segmentation_mask, 0)
        return _only(self.transform_segmentation_masks(batch, transformation, training=training))

    # --- calling ---------------------------------------------------------------------------------
    def call(self, data: Any, training: Any = True) -> Any:
        """Draw a transformation and apply it."""
        single = len(self._image_shape(data)) == 3
        transformation = self.get_random_transformation(data, training=training)
        on_images = self.transform_single_image if single else self.transform_images
        if not isinstance(data, dict):
            return on_images(ops.convert_to_tensor(data), transformation, training=training)
        data = dict(data)
        data["images"] = on_images(ops.convert_to_tensor(data["images"]), transformation, training=training)
        if "bounding_boxes" in data:
            data["bounding_boxes"] = self._moved_boxes(data["bounding_boxes"], transformation, training, single)
        if "labels" in data:
            on_labels = self.transform_single_label if single else self.transform_labels
            data["labels"] = on_labels(ops.convert_to_tensor(data["labels"]), transformation, training=training)
        if "segmentation_masks" in data:
            on_masks = self.transform_single_segmentation_mask if single else self.transform_segmentation_masks
            masks = ops.convert_to_tensor(data["segmentation_masks"])
            data["segmentation_masks"] = on_masks(masks, transformation, training=training)
        return data

    def _moved_boxes(self, boxes: Any, transformation: Any, training: Any, single: bool) -> Any:
        if not self.bounding_box_format:
            raise ValueError(
                f"{type(self).__name__} received 'bounding_boxes' but does not know their format: give "
                "`bounding_box_format=` in its constructor, e.g. 'xyxy'."
            )
        if not isinstance(boxes, dict) or not {"boxes", "labels"} <= set(boxes):
            raise ValueError(
                f"{type(self).__name__}: 'bounding_boxes' is a dict with 'boxes' and 'labels'. Received: {boxes!r}"
            )
        boxes = {**boxes, "boxes": ops.convert_to_tensor(boxes["boxes"], "float32")}
        boxes["labels"] = ops.convert_to_tensor(boxes["labels"])
        move = self.transform_single_bounding_box if single else self.transform_bounding_boxes
        return move(boxes, transformation, training=training)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape."""
        return input_shape

    def compute_output_spec(self, data: Any, **kwargs: Any) -> Any:
        """Images of the output shape in the compute dtype; the other parts of a dict by an abstract run."""
        if isinstance(data, dict):
            return Layer.compute_output_spec(self, data, **kwargs)
        return KerasTensor(tuple(self.compute_output_shape(tuple(data.shape))), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        config = super().get_config()
        config.setdefault("data_format", self.data_format)
        if self.bounding_box_format is not None:
            config["bounding_box_format"] = self.bounding_box_format
        return config

    # --- arithmetic ------------------------------------------------------------------------------
    def _transform_value_range(self, images: Any, given: Any, wanted: Any, dtype: Any = "float32") -> Any:
        """Values of one range mapped to another, linearly."""
        if given[0] == wanted[0] and given[1] == wanted[1]:
            return images
        images = ops.cast(images, dtype)
        low, high, new_low, new_high = (ops.cast(value, dtype) for value in (*given, *wanted))
        return (images - low) / (high - low) * (new_high - new_low) + new_low


def _only(batch: Any) -> Any:
    return ops.squeeze(batch, axis=0) if len(batch.shape) and batch.shape[0] == 1 else batch


def key_of(seed: Any) -> Any:
    """Key data of one draw from any source of random numbers."""
    from_generator = seed.next() if isinstance(seed, SeedGenerator) else seed
    return from_generator if hasattr(from_generator, "dtype") else wrap(from_generator)
