"""Changes of detail: ``RandomGaussianBlur``, ``RandomSharpness``, ``RandomErasing``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.preprocessing.image.base import ImageLayer, factor_pair, value_pair
from hornbeam.keras.random import random
from hornbeam.ops import image as image_ops


class RandomGaussianBlur(ImageLayer):
    """Blur images at random, while training.

    Args:
        factor: probability, or two limits between which it is drawn.
        kernel_size: odd number, or width and height, in pixels.
        sigma: limits of the standard deviation, two numbers from 0 to 1 or one for ``(0, sigma)``; it is drawn once
            for a batch, along width and height separately.
        value_range: lowest and highest value of the pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.
        seed: int for equal numbers in each run.

    References: Keras ``layers.RandomGaussianBlur``.
    """

    changes_only_colors = True
    _USE_BASE_FACTOR = False
    _FACTOR_BOUNDS = (0, 1)

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.kernel_size = _odd_pair(kernel_size)
        self.sigma = factor_pair(sigma, "sigma", bounds=(0, 1), symmetric=False, overlap=True)
        self.value_range = value_range
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training:
            return None
        shape = (self._batch_size(data),)
        seed = self._get_seed_generator() if seed is None else seed
        probability = random.uniform(shape, minval=self.factor[0], maxval=self.factor[1], seed=seed)
        chosen = random.uniform(shape, minval=0.0, maxval=1.0, seed=seed) < probability
        sigma = random.uniform((2,), minval=self.sigma[0], maxval=self.sigma[1], seed=seed, dtype=self.compute_dtype)
        return {"should_apply_blur": chosen, "blur_factor": sigma + 1e-6}

    def transform_images(self, images: Any, transformation: Any = None, training: Any = True) -> Any:
        images = ops.cast(images, self.compute_dtype)
        if not training or transformation is None:
            return images
        blurred = image_ops.gaussian_blur(
            images,
            kernel_size=self.kernel_size,
            sigma=transformation["blur_factor"],
            data_format=self.data_format,
        )
        chosen = ops.reshape(transformation["should_apply_blur"], (-1, 1, 1, 1))
        return ops.clip(ops.where(chosen, blurred, images), self.value_range[0], self.value_range[1])


def _odd_pair(kernel_size: Any) -> tuple[int, int]:
    pair = kernel_size if isinstance(kernel_size, (tuple, list)) else (kernel_size, kernel_size)
    if len(pair) != 2 or any(not isinstance(one, (int, float)) or one % 2 == 0 for one in pair):
        raise ValueError(
            f"RandomGaussianBlur: `kernel_size` is an odd number, or two of them. Received: kernel_size={kernel_size}"
        )
    return pair[0], pair[1]


class RandomSharpness(ImageLayer):
    """Sharpen or soften images at random, while training.

    Args:
        factor: limits, two numbers from 0 to 1 or one for ``(0, factor)``: 0 gives the softened image, 0.5 changes
            nothing, 1 sharpens.
        value_range: lowest and highest value of the pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.
        seed: int for equal numbers in each run.

    References: Keras ``layers.RandomSharpness``.
    """

    changes_only_colors = True
    _USE_BASE_FACTOR = False
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
        return {"factor": factor}

    def transform_images(self, images: Any, transformation: Any = None, training: Any = True) -> Any:
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        factor = ops.reshape(ops.cast(transformation["factor"] * 2, self.compute_dtype), (-1, 1, 1, 1))
        images = images + (1.0 - factor) * (self._smoothed(images) - images)
        return ops.clip(images, self.value_range[0], self.value_range[1])

    def _smoothed(self, images: Any) -> Any:
        """Mean of the pixel (5 parts) and its eight neighbours; zeros lie around the image."""
        total = images
        for axis in (self.height_axis, self.width_axis):
            widths = [(0, 0)] * len(images.shape)
            widths[axis] = (1, 1)
            size = images.shape[axis]
            padded = ops.pad(total, widths)
            parts = (_part(padded, axis, start, size) for start in range(3))
            total = sum(parts, start=0.0)
        return (total + 4.0 * images) / 13.0


def _part(images: Any, axis: int, start: int, size: int) -> Any:
    starts, sizes = [0] * len(images.shape), list(images.shape)
    starts[axis], sizes[axis] = start, size
    return ops.slice(images, starts, sizes)


class RandomErasing(ImageLayer):
    """Cover a random box of every image, while training.

    Args:
        factor: probability, or two limits between which it is drawn.
        scale: limits of the box's sides, as squares of their share of the image's sides: two numbers from 0 to 1.
        fill_value: what covers the box: a number, three numbers (one per channel), or None for noise.
        value_range: lowest and highest value of the pixels.
        seed: int for equal numbers in each run.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Zhong et al. 2017. Keras ``layers.RandomErasing``.
    """

    changes_only_colors = True
    _USE_BASE_FACTOR = False
    _FACTOR_BOUNDS = (0, 1)

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.scale = factor_pair(scale, "scale", bounds=(0, 1), symmetric=False, overlap=True)
        if isinstance(fill_value, (tuple, list)) and len(fill_value) != 3:
            raise ValueError(
                f"RandomErasing: `fill_value` is a number, three numbers or None. Received: fill_value={fill_value}"
            )
        self.fill_value = fill_value
        self.value_range = value_range
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training:
            return None
        shape, batch = self._image_shape(data), self._batch_size(data)
        seed = self._get_seed_generator() if seed is None else seed
        sides = random.uniform(
            (batch, 2), minval=self.scale[0], maxval=self.scale[1], dtype=self.compute_dtype, seed=seed
        )
        sides = ops.sqrt(sides)
        x = crop_bounds(self, batch, shape[self.width_axis], sides[:, 0], seed)
        y = crop_bounds(self, batch, shape[self.height_axis], sides[:, 1], seed)
        masks = ops.repeat(box_masks(self, shape, x, y), shape[self.channel_axis], axis=self.channel_axis)
        probability = random.uniform((batch,), minval=self.factor[0], maxval=self.factor[1], seed=seed)
        chosen = random.uniform((batch,), minval=0.0, maxval=1.0, seed=seed) < probability
        return {"apply_erasing": chosen, "batch_masks": masks, "fill_value": self._fill(shape, seed)}

    def _fill(self, shape: tuple, seed: Any) -> Any:
        dtype = self.compute_dtype
        if self.fill_value is None:
            fill = random.normal(shape, dtype=dtype, seed=seed) * self.value_range[1]
        elif isinstance(self.fill_value, (tuple, list)):
            form = [1] * len(shape)
            form[self.channel_axis] = 3
            fill = ops.broadcast_to(ops.reshape(ops.convert_to_tensor(self.fill_value, dtype), form), shape)
        else:
            fill = ops.full(shape, self.fill_value, dtype=dtype)
        return ops.clip(fill, self.value_range[0], self.value_range[1])

    def transform_images(self, images: Any, transformation: Any = None, training: Any = True) -> Any:
        images = ops.cast(images, self.compute_dtype)
        if not training or transformation is None:
            return images
        erased = ops.where(transformation["batch_masks"], transformation["fill_value"], images)
        return ops.where(ops.reshape(transformation["apply_erasing"], (-1, 1, 1, 1)), erased, images)


def crop_bounds(layer: ImageLayer, batch: int, length: int, share: Any, seed: Any) -> tuple[Any, Any]:
    """First and last place of random parts of an axis.

    Args:
        layer: gives the compute dtype.
        batch: number of images.
        length: size of the axis, in pixels.
        share: (batch,) length of the parts, as a fraction of the axis.
        seed: source of random numbers.
    """
    part = ops.cast(share * length, layer.compute_dtype)
    start = random.uniform((batch,), minval=0, maxval=1, dtype=layer.compute_dtype, seed=seed) * (length - part)
    return start, start + part


def box_masks(layer: ImageLayer, shape: tuple, x: tuple[Any, Any], y: tuple[Any, Any]) -> Any:
    """True inside of boxes: (batch, height, width, 1), or channels first.

    Args:
        layer: says where the axes lie.
        shape: shape of the images.
        x: (batch,) left and right edges, in pixels.
        y: (batch,) upper and lower edges, in pixels.
    """
    inside: Any = None
    for axis, (first, last) in ((layer.height_axis, y), (layer.width_axis, x)):
        form = [1, 1, 1, 1]
        form[axis] = shape[axis]
        place = ops.reshape(ops.arange(shape[axis], dtype=layer.compute_dtype), form)
        first, last = (ops.reshape(one, (-1, 1, 1, 1)) for one in (first, last))
        here = ops.logical_and(place >= first, place < last)
        inside = here if inside is None else ops.logical_and(inside, here)
    return inside
