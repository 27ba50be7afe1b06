"""Several random changes in a row: ``RandAugment`` and ``AugMix``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import ops
from hornbeam.core.arguments import value_of
from hornbeam.engine.jax_compat import Tracer
from hornbeam.keras.layers.preprocessing.image.base import DrawnSeeds, ImageLayer
from hornbeam.keras.layers.preprocessing.image.color import RandomColorDegeneration
from hornbeam.keras.layers.preprocessing.image.detail import RandomSharpness
from hornbeam.keras.layers.preprocessing.image.geometry import RandomRotation, RandomShear, RandomTranslation
from hornbeam.keras.layers.preprocessing.image.histograms import AutoContrast, Equalization
from hornbeam.keras.layers.preprocessing.image.light import (
    RandomBrightness,
    RandomContrast,
    RandomPosterization,
    Solarization,
)
from hornbeam.keras.random import random

_GEOMETRY = ("random_shear", "random_translation", "random_rotation")
_COLORS = ("random_brightness", "random_color_degeneration", "random_contrast", "random_sharpness")
_TONES = ("random_posterization", "solarization", "auto_contrast", "equalization")


class PolicyLayer(ImageLayer):
    """What layers share that choose among other layers."""

    _USE_BASE_FACTOR = False
    _FACTOR_BOUNDS = (0, 1)
    value_range: Any
    interpolation: str

    def _make_layers(self, names: tuple[str, ...]) -> None:
        factor = self.factor
        common = {
            "seed": self.seed,
            "data_format": self.data_format,
            "bounding_box_format": self.bounding_box_format,
            "dtype": self._dtype_policy,
        }
        ranged = {**common, "value_range": self.value_range}
        plain = {name: value for name, value in ranged.items() if name != "seed"}
        warp = {**common, "interpolation": self.interpolation}
        makers: dict[str, Callable] = {
            "random_shear": lambda: RandomShear(x_factor=factor, y_factor=factor, **warp),
            "random_translation": lambda: RandomTranslation(height_factor=factor, width_factor=factor, **warp),
            "random_rotation": lambda: RandomRotation(factor=factor, **warp),
            "random_brightness": lambda: RandomBrightness(factor=factor, **ranged),
            "random_color_degeneration": lambda: RandomColorDegeneration(factor=factor, **ranged),
            "random_contrast": lambda: RandomContrast(factor=factor, **ranged),
            "random_sharpness": lambda: RandomSharpness(factor=factor, **ranged),
            "random_posterization": lambda: RandomPosterization(factor=max(1, int(8 * factor[1])), **ranged),
            "solarization": lambda: Solarization(addition_factor=factor, threshold_factor=factor, **ranged),
            "auto_contrast": lambda: AutoContrast(**plain),
            "equalization": lambda: Equalization(**plain),
        }
        self._layer_names = names
        for name in names:
            setattr(self, name, makers[name]())


class RandAugment(PolicyLayer):
    """Apply some randomly chosen changes in a row, all with one strength, while training.

    The choice is made once for a batch, the strength of each change once for an image.

    Args:
        value_range: lowest and highest value of the pixels.
        num_ops: number of changes in a row.
        factor: limits of the strength: two numbers from 0 to 1, or one for ``(0, factor)``.
        interpolation: ``"nearest"`` or ``"bilinear"``, of the geometric changes.
        seed: int for equal numbers in each run.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Cubuk et al. 2019. Keras ``layers.RandAugment``.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range
        self.num_ops = num_ops
        self._set_factor(factor)
        self.interpolation = interpolation
        self._set_seed(seed)
        self._make_layers((*_GEOMETRY, *_COLORS, *_TONES))

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        if not training:
            return None
        seed = self._get_seed_generator() if seed is None else seed
        chosen = random.randint((self.num_ops,), 0, len(self._layer_names), seed=seed)
        drawn = {
            name: getattr(self, name).get_random_transformation(data, training=training, seed=seed)
            for name in self._layer_names
        }
        return {"transforms": drawn, "layer_idxes": chosen}

    def _in_a_row(self, values: Any, transformation: Any, method: str) -> Any:
        chosen, drawn = transformation["layer_idxes"], transformation["transforms"]
        dtype = values.dtype
        branches = [_branch(getattr(getattr(self, name), method), change, dtype) for name, change in drawn.items()]
        if not isinstance(value_of(chosen), Tracer):
            for number in range(self.num_ops):
                values = ops.switch(chosen[number], branches, values)
            return values
        # A loop, so that each change is compiled once, however many are made.
        return ops.fori_loop(
            0, self.num_ops, lambda number, now: ops.switch(ops.take(chosen, number), branches, now), values
        )

    def transform_images(self, images: Any, transformation: Any, training: Any = True) -> Any:
        images = ops.cast(images, self.compute_dtype)
        if not training or transformation is None:
            return images
        return self._in_a_row(images, transformation, "transform_images")

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: Any = True) -> Any:
        if not training or transformation is None:
            return segmentation_masks
        return self._in_a_row(segmentation_masks, transformation, "transform_segmentation_masks")

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: Any = True) -> Any:
        if not training or transformation is None:
            return bounding_boxes
        chosen, boxes = transformation["layer_idxes"], dict(bounding_boxes)
        for index, (name, change) in enumerate(transformation["transforms"].items()):
            moved = getattr(self, name).transform_bounding_boxes(dict(boxes), change)
            picked = ops.any(chosen == index)
            boxes = {key: ops.where(picked, moved[key], boxes[key]) for key in boxes}
        return boxes


def _branch(transform: Callable, change: Any, dtype: Any) -> Callable:
    return lambda values: ops.cast(transform(values, change), dtype)


class AugMix(PolicyLayer):
    """Mix several chains of random changes with the image they started from, while training.

    Args:
        value_range: lowest and highest value of the pixels.
        num_chains: number of chains.
        chain_depth: number of changes per chain; each may also be none.
        factor: limits of the strength: two numbers from 0 to 1, or one for ``(0, factor)``.
        alpha: parameter of the Dirichlet and beta distributions that the weights are drawn from.
        all_ops: choose among all changes; False leaves out those of brightness, colour, contrast and sharpness.
        interpolation: ``"nearest"`` or ``"bilinear"``, of the geometric changes.
        seed: int for equal numbers in each run.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Hendrycks et al. 2019, algorithm 1. Keras ``layers.AugMix``.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range
        self.num_chains, self.chain_depth = num_chains, chain_depth
        self._set_factor(factor)
        self.alpha, self.all_ops, self.interpolation = alpha, all_ops, interpolation
        self._set_seed(seed)
        self._make_layers((*_GEOMETRY, *_TONES, *(_COLORS if all_ops else ())))

    def get_random_transformation(self, data: Any, training: Any = True, seed: Any = None) -> Any:
        """Weights of chains and image; per change its layer (the last number: none) and the seed of its strength."""
        if not training:
            return None
        seed = self._get_seed_generator() if seed is None else seed
        parts = random.gamma((self.num_chains,), self.alpha, seed=seed)
        steps = self.num_chains * self.chain_depth
        return {
            "chain_mixing_weights": parts / ops.sum(parts, axis=-1, keepdims=True),
            "weight_sample": random.beta((), self.alpha, self.alpha, seed=seed),
            "layer_idxes": random.randint((steps,), 0, len(self._layer_names) + 1, seed=seed),
            "seeds": ops.cast(random.randint((steps, 2), 0, 2**31 - 1, seed=seed), "uint32"),
        }

    def _mixed(self, values: Any, transformation: Any, method: str) -> Any:
        dtype = self.compute_dtype
        values = ops.cast(values, dtype)
        weights = ops.cast(transformation["chain_mixing_weights"], dtype)
        chosen, seeds, depth = transformation["layer_idxes"], transformation["seeds"], self.chain_depth

        def step(number: Any, state: tuple) -> tuple:
            now, total = state
            now = ops.where(number % depth == 0, values, now)
            key = ops.take(seeds, number, axis=0)
            branches = [_drawn_branch(getattr(self, name), method, key, dtype) for name in self._layer_names]
            now = ops.switch(ops.take(chosen, number), [*branches, lambda same: same], now)
            weight = ops.where(number % depth == depth - 1, ops.take(weights, number // depth), 0.0)
            return now, total + now * ops.cast(weight, dtype)

        state = (values, ops.zeros_like(values))
        _, mixed = ops.fori_loop(0, self.num_chains * depth, step, state)
        share = ops.cast(transformation["weight_sample"], dtype)
        return share * values + (1 - share) * mixed

    def transform_images(self, images: Any, transformation: Any, training: Any = True) -> Any:
        images = ops.cast(images, self.compute_dtype)
        if not training or transformation is None:
            return images
        mixed = self._mixed(images, transformation, "transform_images")
        return ops.clip(mixed, self.value_range[0], self.value_range[1])

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: Any = True) -> Any:
        if not training or transformation is None:
            return segmentation_masks
        return self._mixed(segmentation_masks, transformation, "transform_segmentation_masks")

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: Any = True) -> Any:
        """Boxes stay, as in the reference."""
        return bounding_boxes


def _drawn_branch(layer: Any, method: str, key: Any, dtype: Any) -> Callable:
    def run(values: Any) -> Any:
        change = layer.get_random_transformation(values, seed=DrawnSeeds(key))
        return ops.cast(getattr(layer, method)(values, change), dtype)

    return run
