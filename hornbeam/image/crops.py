"""Windows cut out of images: glimpses at given places, and random boxes that still show an object."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam import ops
from hornbeam.core.arguments import static_value, value_of
from hornbeam.core.tensor import wrap
from hornbeam.random import draws
from hornbeam.random.seeds import operation_key, stateless_key
from hornbeam.tensors.face import face, tensor

__all__ = ["extract_glimpse", "sample_distorted_bounding_box", "stateless_sample_distorted_bounding_box"]


@face
def extract_glimpse(
    input: Any,
    size: Any,
    offsets: Any,
    centered: bool = True,
    normalized: bool = True,
    noise: str = "uniform",
    name: str | None = None,
) -> Any:
    """A window of each image; what lies outside of the image is noise.

    Args:
        input: (batch, height, width, channels).
        size: height and width of the windows, in pixels.
        offsets: (batch, 2): y and x of each window's upper left corner; of its middle if centered and normalized.
        centered: offsets count from the image's middle (if normalized, -1 and 1 are its edges); else from its upper
            left corner.
        normalized: offsets are parts of the image's size; else pixels.
        noise: ``"uniform"`` (0 to 1), ``"gaussian"`` (mean and spread of each image and channel) or ``"zero"``.
        name: ignored, as eager tensors have no names.

    References: TensorFlow `tf.image.extract_glimpse`.
    """
    if noise not in ("uniform", "gaussian", "zero"):
        raise ValueError(f"tf.image.extract_glimpse: `noise` is uniform, gaussian or zero. Received: noise={noise!r}")
    images = ops.cast(tensor(input), "float32")
    batch, height, width, channels = images.shape
    rows, columns = (int(part) for part in np.asarray(static_value(size, "size")).reshape(-1))
    places = ops.cast(tensor(offsets), "float32")
    whole = ops.convert_to_tensor([height, width], "float32")
    if normalized:
        places = places * whole
    if centered:
        # Only here does TensorFlow take the offset for the window's middle.
        middle = ops.convert_to_tensor([rows / 2.0, columns / 2.0], "float32")
        places = places / 2.0 + whole / 2.0 - middle if normalized else places + whole / 2.0
    corners = ops.cast(places, "int32")
    ys = corners[:, :1] + np.arange(rows, dtype=np.int32)
    xs = corners[:, 1:] + np.arange(columns, dtype=np.int32)
    inside = ops.logical_and(
        ops.expand_dims(ops.logical_and(ys >= 0, ys < height), 2),
        ops.expand_dims(ops.logical_and(xs >= 0, xs < width), 1),
    )
    flat = ops.reshape(images, (batch, height * width, channels))
    at = ops.expand_dims(ops.clip(ys, 0, height - 1) * width, 2) + ops.expand_dims(ops.clip(xs, 0, width - 1), 1)
    taken = ops.take_along_axis(flat, ops.reshape(at, (batch, rows * columns, 1)), axis=1)
    windows = ops.reshape(taken, (batch, rows, columns, channels))
    return ops.where(ops.expand_dims(inside, -1), windows, _noise(noise, images, tuple(windows.shape)))


def _noise(kind: str, images: Any, shape: tuple) -> Any:
    if kind == "zero":
        return ops.zeros(shape, "float32")
    key = operation_key(None, "extract_glimpse")
    if kind == "uniform":
        return draws.uniform(key, shape, 0.0, 1.0, "float32")
    mean = ops.mean(images, axis=(1, 2), keepdims=True)
    return mean + ops.std(images, axis=(1, 2), keepdims=True) * draws.normal(key, shape, 0.0, 1.0, "float32")


@face
def sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    seed: int | None = 0,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Any = None,
    area_range: Any = None,
    max_attempts: int | None = None,
    use_image_if_no_bounding_boxes: bool | None = None,
    name: str | None = None,
) -> Any:
    """A random part of an image that shows enough of an object.

    Args:
        image_size: height, width and channels.
        bounding_boxes: (1, boxes, 4): top, left, bottom and right as parts of the image's size.
        seed: seed of the draw; None or 0 for a new one each time.
        min_object_covered: least part of one box that must be seen.
        aspect_ratio_range: width by height, from and to; 0.75 to 1.33 by default.
        area_range: part of the image's area, from and to; 0.05 to 1 by default.
        max_attempts: parts drawn until one fits, 100 by default; the whole image if none does.
        use_image_if_no_bounding_boxes: take the whole image as the object if there are no boxes.
        name: ignored, as eager tensors have no names.

    Returns:
        Begin (y, x, 0) and size (height, width, -1) for ``tf.slice``, and the part as a box (1, 1, 4).

    References: TensorFlow `tf.image.sample_distorted_bounding_box`.
    """
    key = operation_key(seed or None, "sample_distorted_bounding_box")
    return _sampled(
        key, image_size, bounding_boxes, min_object_covered, aspect_ratio_range, area_range, max_attempts,
        use_image_if_no_bounding_boxes,
    )  # fmt: skip


@face
def stateless_sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    seed: Any,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Any = None,
    area_range: Any = None,
    max_attempts: int | None = None,
    use_image_if_no_bounding_boxes: bool | None = None,
    name: str | None = None,
) -> Any:
    """``sample_distorted_bounding_box`` with the numbers of ``seed``, a pair of integers."""
    return _sampled(
        stateless_key(seed), image_size, bounding_boxes, min_object_covered, aspect_ratio_range, area_range,
        max_attempts, use_image_if_no_bounding_boxes,
    )  # fmt: skip


def _sampled(
    key: Any, image_size: Any, boxes: Any, covered: Any, ratios: Any, areas: Any, attempts: int | None, whole: Any
) -> Any:
    boxes = jnp.asarray(value_of(tensor(boxes)), jnp.float32).reshape(-1, 4)
    if not len(boxes):
        if not whole:
            raise ValueError(
                "tf.image.sample_distorted_bounding_box: there are no boxes; use_image_if_no_bounding_boxes=True takes "
                "the whole image."
            )
        boxes = jnp.asarray([[0.0, 0.0, 1.0, 1.0]], jnp.float32)
    sizes = jnp.asarray(value_of(tensor(image_size)), jnp.float32)
    low, high = (0.75, 1.33) if ratios is None else tuple(ratios)
    least, most = (0.05, 1.0) if areas is None else tuple(areas)
    count = 100 if attempts is None else int(attempts)
    if not 0 < low <= high or not 0 < least <= most <= 1 or count < 1:
        raise ValueError(
            "tf.image.sample_distorted_bounding_box: `aspect_ratio_range` and `area_range` (parts of 1) are ascending "
            f"pairs above 0, `max_attempts` is at least 1. Received: {(low, high)}, {(least, most)}, {count}"
        )
    numbers = value_of(draws.uniform(key, (4, count), 0.0, 1.0, "float32"))
    limits = jnp.asarray([low, high, least, most], jnp.float32)
    return tuple(wrap(part) for part in _chosen(numbers, sizes, boxes, limits, jnp.asarray(covered, jnp.float32)))


@jax.jit
def _chosen(numbers: jax.Array, sizes: jax.Array, boxes: jax.Array, limits: jax.Array, covered: jax.Array) -> tuple:
    """The first window that fits, or the whole image."""
    fits, windows = _windows(numbers, sizes[0], sizes[1], limits[:2], limits[2:])
    fits &= _covers(windows, boxes * jnp.stack([sizes[0], sizes[1], sizes[0], sizes[1]]), covered).any(axis=1)
    chosen = windows[jnp.argmax(fits)]
    window = jnp.where(fits.any(), chosen, jnp.stack([jnp.zeros(()), jnp.zeros(()), sizes[0], sizes[1]]))
    begin = jnp.concatenate([window[:2], jnp.zeros(1)]).astype(jnp.int32)
    extent = jnp.concatenate([window[2:] - window[:2], -jnp.ones(1)]).astype(jnp.int32)
    box = window / jnp.stack([sizes[0], sizes[1], sizes[0], sizes[1]])
    return begin, extent, box.reshape(1, 1, 4)


def _windows(
    numbers: jax.Array, height: jax.Array, width: jax.Array, ratios: jax.Array, areas: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Windows (top, left, bottom, right) in pixels from draws between 0 and 1, and which of them have a fit area."""
    ratio = ratios[0] + numbers[0] * (ratios[1] - ratios[0])
    least, most = areas[0] * height * width, areas[1] * height * width
    tallest = jnp.minimum(jnp.round(jnp.sqrt(most / ratio)), jnp.minimum(jnp.floor((width + 0.5) / ratio), height))
    lowest = jnp.minimum(jnp.round(jnp.sqrt(least / ratio)), tallest)
    tall = lowest + jnp.floor(numbers[1] * (tallest - lowest + 1))
    tall = jnp.minimum(tall, tallest)
    wide = jnp.round(tall * ratio)
    area = tall * wide
    fits = (area >= least) & (area <= most) & (wide <= width) & (tall <= height) & (wide > 0) & (tall > 0)
    top = jnp.floor(numbers[2] * (height - tall))
    left = jnp.floor(numbers[3] * (width - wide))
    return fits, jnp.stack([top, left, top + tall, left + wide], axis=1)


def _covers(windows: jax.Array, boxes: jax.Array, least: Any) -> jax.Array:
    """Which windows show at least a part of which boxes; boxes below one pixel do not count."""
    low = jnp.maximum(windows[:, None, :2], boxes[None, :, :2])
    high = jnp.minimum(windows[:, None, 2:], boxes[None, :, 2:])
    seen = jnp.prod(jnp.maximum(high - low, 0), axis=-1)
    area = jnp.prod(boxes[:, 2:] - boxes[:, :2], axis=-1)
    return (area >= 1) & (seen / jnp.maximum(area, 1) >= least)
