"""Random changes of images: drawn anew at each call, or (``stateless_``) a function of a seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import ops
from hornbeam.core.arguments import static_value
from hornbeam.image.color import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_jpeg_quality,
    adjust_saturation,
)
from hornbeam.image.turns import checked
from hornbeam.random import draws
from hornbeam.random.seeds import operation_key, stateless_key
from hornbeam.tensors.face import face, number_of, tensor

__all__ = [
    "random_brightness",
    "random_contrast",
    "random_crop",
    "random_flip_left_right",
    "random_flip_up_down",
    "random_hue",
    "random_jpeg_quality",
    "random_saturation",
    "stateless_random_brightness",
    "stateless_random_contrast",
    "stateless_random_crop",
    "stateless_random_flip_left_right",
    "stateless_random_flip_up_down",
    "stateless_random_hue",
    "stateless_random_jpeg_quality",
    "stateless_random_saturation",
]


def _key(seed: Any, stateless: bool, name: str) -> Any:
    return stateless_key(seed) if stateless else operation_key(seed, name)


def _between(lower: Any, upper: Any, key: Any, where: str) -> Any:
    if number_of(upper) <= number_of(lower):
        raise ValueError(f"{where}: `upper` must be above `lower`. Received: lower={lower}, upper={upper}")
    return draws.uniform(key, (), lower, upper, "float32")


# --- light and colour ----------------------------------------------------------------------------
def _brightness(image: Any, max_delta: Any, key: Any, where: str) -> Any:
    if max_delta < 0:
        raise ValueError(f"{where}: `max_delta` must not be negative. Received: max_delta={max_delta}")
    return adjust_brightness(image, draws.uniform(key, (), -max_delta, max_delta, "float32"))


@face
def random_brightness(image: Any, max_delta: Any, seed: int | None = None) -> Any:
    """Add a random number between ``-max_delta`` and ``max_delta`` (1 is the whole range) to all values."""
    return _brightness(image, max_delta, _key(seed, False, "random_brightness"), "tf.image.random_brightness")


@face
def stateless_random_brightness(image: Any, max_delta: Any, seed: Any) -> Any:
    """``random_brightness`` with the numbers of ``seed``, a pair of integers."""
    return _brightness(image, max_delta, stateless_key(seed), "tf.image.stateless_random_brightness")


def _contrast(image: Any, lower: Any, upper: Any, key: Any, where: str) -> Any:
    if number_of(lower) < 0:
        raise ValueError(f"{where}: `lower` must not be negative. Received: lower={lower}")
    return adjust_contrast(image, _between(lower, upper, key, where))


@face
def random_contrast(image: Any, lower: Any, upper: Any, seed: int | None = None) -> Any:
    """Multiply the contrast by a random number between ``lower`` and ``upper``."""
    return _contrast(image, lower, upper, _key(seed, False, "random_contrast"), "tf.image.random_contrast")


@face
def stateless_random_contrast(image: Any, lower: Any, upper: Any, seed: Any) -> Any:
    """``random_contrast`` with the numbers of ``seed``, a pair of integers."""
    return _contrast(image, lower, upper, stateless_key(seed), "tf.image.stateless_random_contrast")


def _saturation(image: Any, lower: Any, upper: Any, key: Any, where: str) -> Any:
    if number_of(lower) < 0:
        raise ValueError(f"{where}: `lower` must not be negative. Received: lower={lower}")
    return adjust_saturation(image, _between(lower, upper, key, where))


@face
def random_saturation(image: Any, lower: Any, upper: Any, seed: int | None = None) -> Any:
    """Multiply the saturation by a random number between ``lower`` and ``upper``."""
    return _saturation(image, lower, upper, _key(seed, False, "random_saturation"), "tf.image.random_saturation")


@face
def stateless_random_saturation(image: Any, lower: Any, upper: Any, seed: Any = None) -> Any:
    """``random_saturation`` with the numbers of ``seed``, a pair of integers."""
    return _saturation(image, lower, upper, stateless_key(seed), "tf.image.stateless_random_saturation")


def _hue(image: Any, max_delta: Any, key: Any, where: str) -> Any:
    if not 0 <= max_delta <= 0.5:
        raise ValueError(f"{where}: `max_delta` lies between 0 and 0.5. Received: max_delta={max_delta}")
    return adjust_hue(image, draws.uniform(key, (), -max_delta, max_delta, "float32"))


@face
def random_hue(image: Any, max_delta: Any, seed: int | None = None) -> Any:
    """Turn the hue by a random part, at most ``max_delta``, of a full circle."""
    return _hue(image, max_delta, _key(seed, False, "random_hue"), "tf.image.random_hue")


@face
def stateless_random_hue(image: Any, max_delta: Any, seed: Any) -> Any:
    """``random_hue`` with the numbers of ``seed``, a pair of integers."""
    return _hue(image, max_delta, stateless_key(seed), "tf.image.stateless_random_hue")


def _jpeg(image: Any, lowest: int, highest: int, key: Any, where: str) -> Any:
    if not 0 <= lowest < highest <= 100:
        raise ValueError(f"{where}: qualities lie between 0 and 100, lower first. Received: {lowest}, {highest}")
    return adjust_jpeg_quality(image, draws.uniform(key, (), lowest, highest, "int32"))


@face
def random_jpeg_quality(image: Any, min_jpeg_quality: int, max_jpeg_quality: int, seed: int | None = None) -> Any:
    """Store as JPEG of a random quality and read again."""
    key = _key(seed, False, "random_jpeg_quality")
    return _jpeg(image, min_jpeg_quality, max_jpeg_quality, key, "tf.image.random_jpeg_quality")


@face
def stateless_random_jpeg_quality(image: Any, min_jpeg_quality: int, max_jpeg_quality: int, seed: Any) -> Any:
    """``random_jpeg_quality`` with the numbers of ``seed``, a pair of integers."""
    where = "tf.image.stateless_random_jpeg_quality"
    return _jpeg(image, min_jpeg_quality, max_jpeg_quality, stateless_key(seed), where)


# --- geometry ------------------------------------------------------------------------------------
def _flipped(image: Any, axis: int, key: Any, where: str) -> Any:
    image = checked(image, where)
    shape = (image.shape[0], 1, 1, 1) if len(image.shape) == 4 else ()
    turned = draws.uniform(key, shape, 0.0, 1.0, "float32") < 0.5
    return ops.where(turned, ops.flip(image, axis=axis), image)


@face
def random_flip_left_right(image: Any, seed: int | None = None) -> Any:
    """Mirror each image with probability 1/2: left and right change places."""
    return _flipped(image, -2, _key(seed, False, "random_flip_left_right"), "tf.image.random_flip_left_right")


@face
def random_flip_up_down(image: Any, seed: int | None = None) -> Any:
    """Mirror each image with probability 1/2: top and bottom change places."""
    return _flipped(image, -3, _key(seed, False, "random_flip_up_down"), "tf.image.random_flip_up_down")


@face
def stateless_random_flip_left_right(image: Any, seed: Any) -> Any:
    """``random_flip_left_right`` with the numbers of ``seed``, a pair of integers."""
    return _flipped(image, -2, stateless_key(seed), "tf.image.stateless_random_flip_left_right")


@face
def stateless_random_flip_up_down(image: Any, seed: Any) -> Any:
    """``random_flip_up_down`` with the numbers of ``seed``, a pair of integers."""
    return _flipped(image, -3, stateless_key(seed), "tf.image.stateless_random_flip_up_down")


def _part(value: Any, size: Any, draw: Callable[[tuple, Any], Any], where: str) -> Any:
    value = tensor(value)
    wanted = [int(one) for one in static_value(size, "size")]
    shape = tuple(value.shape)
    if len(wanted) != len(shape):
        raise ValueError(f"{where}: `size` has one entry per axis. Received: size={wanted}, shape {shape}")
    wanted = [have if want == -1 else want for want, have in zip(wanted, shape, strict=True)]
    if any(want > have for want, have in zip(wanted, shape, strict=True)):
        raise ValueError(f"{where}: need value.shape >= size. Received: shape {shape}, size={wanted}")
    room = ops.convert_to_tensor([have - want + 1 for want, have in zip(wanted, shape, strict=True)], "int32")
    # A whole number below each room, by the fraction of a uniform number.
    start = ops.cast(ops.floor(draw((len(shape),), "float32") * ops.cast(room, "float32")), "int32")
    return ops.slice(value, ops.minimum(start, room - 1), wanted)


@face
def random_crop(value: Any, size: Any, seed: int | None = None, name: str | None = None) -> Any:
    """A random part of a tensor.

    Args:
        value: tensor of any rank.
        size: sizes of the part, one per axis; -1 keeps an axis whole.
        seed: int for equal numbers in each run.
    """
    key = _key(seed, False, "random_crop")
    return _part(value, size, lambda s, d: draws.uniform(key, s, 0.0, 1.0, d), "tf.image.random_crop")


@face
def stateless_random_crop(value: Any, size: Any, seed: Any, name: str | None = None) -> Any:
    """``random_crop`` with the numbers of ``seed``, a pair of integers."""
    key = stateless_key(seed)
    return _part(value, size, lambda s, d: draws.uniform(key, s, 0.0, 1.0, d), "tf.image.stateless_random_crop")
