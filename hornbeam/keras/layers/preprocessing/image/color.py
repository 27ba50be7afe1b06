"""Changes of colour: hue, saturation, greyness, and several of them at once."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.keras.layers.preprocessing.image.base import ImageLayer, value_pair
from hornbeam.keras.layers.preprocessing.image.light import RandomBrightness, RandomContrast
from hornbeam.keras.random import random
from hornbeam.ops import image as image_ops


class ColorLayer(ImageLayer):
    """What layers share that need colour images, and leave labels, boxes and masks alone."""

    changes_only_colors = True

    def _planes(self, images: Any) -> list[Any]:
        return [ops.take(images, channel, axis=self.channel_axis) for channel in range(3)]

    def _stacked(self, planes: list[Any]) -> Any:
        return ops.stack(planes, axis=self.channel_axis)


class RandomHue(ColorLayer):
    """Turn the hue of colour images at random, while training.

    Args:
        factor: limits of the turn (half a circle is 1), two numbers from 0 to 1 or one for ``(0, factor)``; the
            direction is drawn.
        value_range: lowest and highest value of the pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.
        seed: int for equal numbers in each run.

    References: Keras ``layers.RandomHue``.
    """

    _FACTOR_BOUNDS = (0, 1)

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.value_range = value_range
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training:
            return None
        shape = (self._batch_size(data),)
        seed = self._get_seed_generator() if seed is None else seed
        sign = random.uniform(shape, seed=seed)
        sign = ops.where(sign > 0.5, -ops.ones_like(sign), ops.ones_like(sign))
        factor = random.uniform(shape, minval=self.factor[0], maxval=self.factor[1], seed=seed)
        return {"factor": sign * factor * 0.5}

    def transform_images(self, images: Any, transformation: Any = None, training: Any = True) -> Any:
        if not training:
            return images
        images = ops.cast(images, self.compute_dtype)
        images = self._transform_value_range(images, self.value_range, (0, 1))
        turn = ops.reshape(ops.cast(transformation["factor"], images.dtype), (-1, 1, 1))
        hue, saturation, value = self._planes(image_ops.rgb_to_hsv(images, data_format=self.data_format))
        hue = hue + turn
        hue = ops.where(hue > 1.0, hue - 1.0, hue)
        hue = ops.where(hue < 0.0, hue + 1.0, hue)
        images = image_ops.hsv_to_rgb(self._stacked([hue, saturation, value]), data_format=self.data_format)
        images = self._transform_value_range(ops.clip(images, 0, 1), (0, 1), self.value_range)
        return ops.cast(images, self.compute_dtype)


class RandomSaturation(ColorLayer):
    """Make the colours of images stronger or paler at random, while training.

    Args:
        factor: limits, two numbers from 0 to 1 or one for ``(0, factor)``: 0 gives grey, 0.5 changes nothing, 1 gives
            full saturation.
        value_range: lowest and highest value of the pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.
        seed: int for equal numbers in each run.

    References: Keras ``layers.RandomSaturation``.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.value_range = value_pair(value_range)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training:
            return None
        factor = random.uniform(
            (self._batch_size(data),),
            minval=self.factor[0],
            maxval=self.factor[1],
            seed=self._get_seed_generator() if seed is None else seed,
        )
        return {"factor": factor / (1 - factor + settings.epsilon())}

    def transform_images(self, images: Any, transformation: Any = None, training: Any = True) -> Any:
        if not training:
            return images
        factor = ops.reshape(ops.cast(transformation["factor"], self.compute_dtype), (-1, 1, 1))
        hue, saturation, value = self._planes(image_ops.rgb_to_hsv(images, data_format=self.data_format))
        saturation = ops.clip(saturation * factor, self.value_range[0], self.value_range[1])
        return image_ops.hsv_to_rgb(self._stacked([hue, saturation, value]), data_format=self.data_format)


class RandomColorDegeneration(ColorLayer):
    """Mix images with their grey versions at random, while training.

    Args:
        factor: limits of the share of grey: two numbers from -1 to 1, or one for ``(-factor, factor)``.
        value_range: lowest and highest value of the pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.
        seed: int for equal numbers in each run.

    References: Keras ``layers.RandomColorDegeneration``.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.value_range = value_pair(value_range)
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training:
            return None
        factor = random.uniform(
            (self._batch_size(data), 1, 1, 1),
            minval=self.factor[0],
            maxval=self.factor[1],
            seed=self._get_seed_generator() if seed is None else seed,
        )
        return {"factor": factor}

    def transform_images(self, images: Any, transformation: Any = None, training: Any = True) -> Any:
        if not training:
            return images
        images = ops.cast(images, self.compute_dtype)
        grey = image_ops.rgb_to_grayscale(images, data_format=self.data_format)
        images = images + ops.cast(transformation["factor"], self.compute_dtype) * (grey - images)
        return ops.clip(images, self.value_range[0], self.value_range[1])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape, if it has 3 channels."""
        if not isinstance(input_shape, dict):
            if len(input_shape) not in (3, 4):
                raise ValueError(
                    "RandomColorDegeneration: expected one image (3 axes) or a batch of images (4 axes). "
                    f"Received: input_shape={input_shape}"
                )
            if input_shape[self.channel_axis] not in (None, 3):
                raise ValueError(
                    "RandomColorDegeneration: expected images with 3 channels. "
                    f"Received: {input_shape[self.channel_axis]} channels"
                )
        return input_shape


class RandomGrayscale(ColorLayer):
    """Take the colours out of images at random, while training; they keep three channels.

    Args:
        factor: probability, 0 to 1.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.
        seed: int for equal numbers in each run.

    References: Keras ``layers.RandomGrayscale``.
    """

    unserialized = frozenset({"seed"})

    def __init__(
        self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if not 0 <= factor <= 1:
            raise ValueError(f"RandomGrayscale: `factor` is a probability, 0 to 1. Received: factor={factor}")
        self.factor = factor
        self._set_seed(seed)

    def get_random_transformation(self, images: Any, training: Any = True, seed: Any = None) -> Any:
        seed = self._get_seed_generator() if seed is None else seed
        drawn = random.uniform((self._batch_size(images),), minval=0, maxval=1, seed=seed)
        return ops.reshape(drawn < self.factor, (-1, 1, 1, 1))

    def transform_images(self, images: Any, transformation: Any, training: Any = True) -> Any:
        if not training:
            return images
        chosen = self.get_random_transformation(images) if transformation is None else transformation
        return ops.where(chosen, image_ops.rgb_to_grayscale(images, data_format=self.data_format), images)

    def transform_labels(self, labels: Any, transformations: Any = None, training: Any = True) -> Any:
        return labels

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformations: Any = None, training: Any = True
    ) -> Any:
        return segmentation_masks


class RandomColorJitter(ColorLayer):
    """Change brightness, contrast, saturation and hue at random, in this order, while training.

    Args:
        value_range: lowest and highest value of the pixels.
        brightness_factor: as ``factor`` of ``RandomBrightness``; None leaves the brightness alone.
        contrast_factor: as ``factor`` of ``RandomContrast``.
        saturation_factor: as ``factor`` of ``RandomSaturation``.
        hue_factor: as ``factor`` of ``RandomHue``.
        seed: int for equal numbers in each run.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``layers.RandomColorJitter``.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
        self._set_seed(seed)
        common = {"value_range": value_range, "seed": seed, "data_format": self.data_format}
        self.random_brightness = _made(RandomBrightness, brightness_factor, common)
        self.random_contrast = _made(RandomContrast, contrast_factor, common)
        self.random_saturation = _made(RandomSaturation, saturation_factor, common)
        self.random_hue = _made(RandomHue, hue_factor, common)

    def transform_images(self, images: Any, transformation: Any, training: Any = True) -> Any:
        if not training:
            return images
        images = ops.cast(images, self.compute_dtype)
        for layer in (self.random_brightness, self.random_contrast, self.random_saturation, self.random_hue):
            if layer is not None:
                change = layer.get_random_transformation(images, seed=self._get_seed_generator())
                images = layer.transform_images(images, change)
        return ops.cast(images, self.compute_dtype)


def _made(kind: type, factor: Any, common: dict[str, Any]) -> Any:
    return None if factor is None else kind(factor=factor, **common)
