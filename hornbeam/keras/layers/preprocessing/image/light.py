"""Changes of light: brightness, contrast, negatives, solarization, posterization."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.preprocessing.image.base import ImageLayer, factor_pair, value_pair
from hornbeam.keras.random import random


class RandomBrightness(ImageLayer):
    """Make images brighter or darker at random, while training.

    Args:
        factor: limits of the change, as a fraction of the value range: two numbers from -1 to 1, or one for
            ``(-factor, factor)``.
        value_range: lowest and highest value of the pixels.
        seed: int for equal numbers in each run.

    References: Keras ``layers.RandomBrightness``.
    """

    changes_only_colors = True

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(factor=factor, **kwargs)
        self._set_seed(seed)
        self.value_range = value_pair(value_range)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        shape = self._per_image(data)
        if not training:
            return {"rgb_delta": ops.zeros(shape)}
        seed = self._get_seed_generator() if seed is None else seed
        delta = random.uniform(shape, minval=self.factor[0], maxval=self.factor[1], seed=seed)
        return {"rgb_delta": delta * (self.value_range[1] - self.value_range[0])}

    def transform_images(self, images: Any, transformation: Any, training: Any = True) -> Any:
        if not training:
            return images
        images = images + ops.cast(transformation["rgb_delta"], images.dtype)
        return ops.clip(images, self.value_range[0], self.value_range[1])


class RandomContrast(ImageLayer):
    """Raise or lower the contrast of images at random, while training: ``(x - mean) * factor + mean`` per channel.

    Args:
        factor: limits of the change, two numbers from 0 to 1: the contrast is multiplied by a number between
            ``1 - lower`` and ``1 + upper``; one number stands for ``(0, factor)``.
        value_range: lowest and highest value of the pixels.
        seed: int for equal numbers in each run.

    References: Keras ``layers.RandomContrast``.
    """

    changes_only_colors = True
    _FACTOR_BOUNDS = (0, 1)

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_factor(factor)
        self.value_range = value_range
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        shape = self._per_image(data)
        if not training:
            return {"contrast_factor": ops.zeros(shape)}
        factor = random.uniform(
            shape,
            minval=1.0 - self.factor[0],
            maxval=1.0 + self.factor[1],
            seed=self._get_seed_generator() if seed is None else seed,
            dtype=self.compute_dtype,
        )
        return {"contrast_factor": factor}

    def transform_images(self, images: Any, transformation: Any, training: Any = True) -> Any:
        if not training:
            return images
        mean = ops.mean(images, axis=self.height_axis, keepdims=True)
        mean = ops.mean(mean, axis=self.width_axis, keepdims=True)
        changed = (images - mean) * transformation["contrast_factor"] + mean
        return ops.clip(changed, self.value_range[0], self.value_range[1])


class RandomInvert(ImageLayer):
    """Turn images into their negatives at random, while training.

    Args:
        factor: probability, or two limits between which it is drawn.
        value_range: lowest and highest value of the pixels.
        seed: int for equal numbers in each run.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``layers.RandomInvert``.
    """

    changes_only_colors = True
    _USE_BASE_FACTOR = False
    _FACTOR_BOUNDS = (0, 1)

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.value_range = value_range
        self._set_seed(seed)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training:
            return None
        seed = self._get_seed_generator() if seed is None else seed
        shape = (self._batch_size(data),)
        probability = random.uniform(shape, minval=self.factor[0], maxval=self.factor[1], seed=seed)
        return {"apply_inversion": random.uniform(shape, minval=0, maxval=1, seed=seed) < probability}

    def transform_images(self, images: Any, transformation: Any, training: Any = True) -> Any:
        if not training:
            return images
        images = ops.cast(images, self.compute_dtype)
        chosen = ops.reshape(transformation["apply_inversion"], (-1, 1, 1, 1))
        return ops.where(chosen, self.value_range[1] - images, images)


class Solarization(ImageLayer):
    """Add to all values and turn those above a threshold into their negatives, while training.

    Args:
        addition_factor: limits of what is added, as a fraction of the value range: two numbers from 0 to 1, or one
            for ``(0, factor)``.
        threshold_factor: limits of the threshold, in the same form.
        value_range: lowest and highest value of the pixels.
        seed: int for equal numbers in each run.

    References: Keras ``layers.Solarization``.
    """

    changes_only_colors = True
    _USE_BASE_FACTOR = False

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._set_seed(seed)
        # One number gives limits that begin at 0: the bounds cut the mirrored one off.
        self.addition_factor = _from_zero(addition_factor, "addition_factor")
        self.threshold_factor = _from_zero(threshold_factor, "threshold_factor")
        self.value_range = value_pair(value_range)

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training:
            return None
        shape = self._per_image(data)
        common = {"seed": self._get_seed_generator() if seed is None else seed, "dtype": self.compute_dtype}
        additions, thresholds = (
            random.uniform(shape, minval=low, maxval=high * 255, **common)
            for low, high in (self.addition_factor, self.threshold_factor)
        )
        return {"additions": additions, "thresholds": thresholds}

    def transform_images(self, images: Any, transformation: Any, training: Any = True) -> Any:
        images = ops.cast(images, self.compute_dtype)
        if not training or transformation is None:
            return images
        dtype = self.compute_dtype
        changed = self._transform_value_range(images, self.value_range, (0, 255), dtype=dtype)
        changed = ops.clip(changed + transformation["additions"], 0, 255)
        changed = ops.where(changed < transformation["thresholds"], changed, 255 - changed)
        return ops.cast(self._transform_value_range(changed, (0, 255), self.value_range, dtype=dtype), dtype)


def _from_zero(factor: Any, name: str) -> tuple[float, float]:
    lower, upper = factor_pair(factor, name, bounds=(0.0, 1.0), symmetric=False)
    return (0 if isinstance(factor, (int, float)) else lower), upper


class RandomPosterization(ImageLayer):
    """Keep only some bits of every value, while training.

    Args:
        factor: number of bits to keep, 1 to 8, or two limits between which it is drawn (the upper one excluded).
        value_range: lowest and highest value of the pixels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.
        seed: int for equal numbers in each run.

    References: Keras ``layers.RandomPosterization``.
    """

    changes_only_colors = True
    _USE_BASE_FACTOR = False
    _FACTOR_BOUNDS = (1, 8)

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
        batch, (low, high) = self._batch_size(data), self.factor
        seed = self._get_seed_generator() if seed is None else seed
        if low == high:
            kept = ops.full((batch,), low, dtype="uint8")
        else:
            kept = random.randint((batch,), minval=low, maxval=high, seed=seed, dtype="uint8")
        return {"shift_factor": 8 - kept}

    def transform_images(self, images: Any, transformation: Any = None, training: Any = True) -> Any:
        if not training:
            return images
        dtype = self.compute_dtype
        shift = ops.reshape(transformation["shift_factor"], (-1, 1, 1, 1))
        values = self._transform_value_range(images, self.value_range, (0, 255), dtype=dtype)
        values = ops.cast(values, "uint8")
        values = ops.bitwise_left_shift(ops.bitwise_right_shift(values, shift), shift)
        return self._transform_value_range(ops.cast(values, dtype), (0, 255), self.value_range, dtype=dtype)
