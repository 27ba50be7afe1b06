"""Boxes: drawing them, and choosing the best of many that overlap."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.core.tensor import from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.ops.promotion import promote
from hornbeam.tensors.face import face, tensor

__all__ = [
    "combined_non_max_suppression",
    "draw_bounding_boxes",
    "non_max_suppression",
    "non_max_suppression_overlaps",
    "non_max_suppression_padded",
    "non_max_suppression_with_scores",
]

CombinedNonMaxSuppression = namedtuple(
    "CombinedNonMaxSuppression", ["nmsed_boxes", "nmsed_scores", "nmsed_classes", "valid_detections"]
)

# Yellow, blue, red, lime, purple, olive, maroon, navy, aqua, fuchsia: red, green, blue and opacity.
_COLORS = (
    (1, 1, 0, 1),
    (0, 0, 1, 1),
    (1, 0, 0, 1),
    (0, 1, 0, 1),
    (0.5, 0, 0.5, 1),
    (0.5, 0.5, 0, 1),
    (0.5, 0, 0, 1),
    (0, 0, 0.5, 1),
    (0, 1, 1, 1),
    (1, 0, 1, 1),
)


@face
def draw_bounding_boxes(images: Any, boxes: Any, colors: Any, name: str | None = None) -> Any:
    """Draw the outlines of boxes, one pixel wide.

    Args:
        images: (batch, height, width, 1, 3 or 4), float32 or float16.
        boxes: (batch, boxes, 4): top, left, bottom and right, 0 to 1.
        colors: (n, channels), taken in turn; None for ten colours of its own.

    References: TensorFlow `tf.image.draw_bounding_boxes`.
    """
    images, boxes = tensor(images), tensor(boxes)
    channels = images.shape[-1]
    if colors is None:
        chosen = np.asarray(_COLORS, np.float32)[:, :channels]
        if channels == 1:
            chosen = np.ones_like(chosen)
    else:
        chosen = np.asarray(tensor(colors), np.float32).reshape(-1, np.shape(colors)[-1])[:, :channels]
    return _outlined(images, boxes, from_host(chosen))


@op
def _outlined(images: Any, boxes: Any, colors: Any) -> jax.Array:
    images = promote(images)[0]
    boxes, colors = promote(boxes)[0].astype(jnp.float32), colors.astype(images.dtype)
    height, width = images.shape[1:3]
    y, x = jnp.arange(height)[None, :, None], jnp.arange(width)[None, None, :]

    def draw(number: Any, now: jax.Array) -> jax.Array:
        box = boxes[:, number]
        top, bottom = ((box[:, place] * (height - 1)).astype(jnp.int32)[:, None, None] for place in (0, 2))
        left, right = ((box[:, place] * (width - 1)).astype(jnp.int32)[:, None, None] for place in (1, 3))
        rows, columns = (y >= top) & (y <= bottom), (x >= left) & (x <= right)
        edge = (((y == top) | (y == bottom)) & columns) | (((x == left) | (x == right)) & rows)
        usable = (top <= bottom) & (left <= right) & (top < height) & (bottom >= 0) & (left < width) & (right >= 0)
        return jnp.where((edge & usable)[..., None], colors[number % colors.shape[0]], now)

    return jax.lax.fori_loop(0, boxes.shape[1], draw, images)


# --- suppression ---------------------------------------------------------------------------------
def _overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of one box with others, whichever corners are given."""
    low = np.minimum(others[:, :2], others[:, 2:])
    high = np.maximum(others[:, :2], others[:, 2:])
    own_low, own_high = np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])
    sides = np.maximum(np.minimum(high, own_high) - np.maximum(low, own_low), 0)
    shared = sides[:, 0] * sides[:, 1]
    areas, area = np.prod(high - low, axis=1), np.prod(own_high - own_low)
    union = areas + area - shared
    return np.where((areas > 0) & (area > 0), shared / np.where(union > 0, union, 1), 0.0)


def _picked(
    overlap_of: Any, scores: np.ndarray, count: int, threshold: float, least: float, sigma: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Places and scores of the boxes kept, best first: greedy, with hard or (``sigma`` > 0) soft suppression."""
    now = scores.astype(np.float32).copy()
    alive = now > least
    chosen: list[int] = []
    kept: list[float] = []
    while len(chosen) < count and alive.any():
        best = int(np.argmax(np.where(alive, now, -np.inf)))
        chosen.append(best)
        kept.append(float(now[best]))
        alive[best] = False
        overlap = overlap_of(best)
        if sigma > 0:
            now = now * np.exp(-0.5 * overlap * overlap / sigma).astype(np.float32)
            alive &= now > least
        else:
            alive &= overlap <= threshold
    return np.asarray(chosen, np.int32), np.asarray(kept, np.float32)


def _limits(max_output_size: Any, iou_threshold: Any, score_threshold: Any) -> tuple[int, float, float]:
    threshold = float(static_value(iou_threshold, "iou_threshold"))
    if not 0 <= threshold <= 1:
        raise InvalidArgumentError(None, None, f"iou_threshold must lie between 0 and 1, received {threshold}.")
    least = float(static_value(score_threshold, "score_threshold"))
    return int(static_value(max_output_size, "max_output_size")), threshold, least


def _boxes_and_scores(boxes: Any, scores: Any) -> tuple[np.ndarray, np.ndarray]:
    boxes, scores = np.asarray(tensor(boxes), np.float32), np.asarray(tensor(scores), np.float32)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != boxes.shape[:1]:
        raise InvalidArgumentError(
            None, None, f"Expected boxes (n, 4) and scores (n,). Received shapes {boxes.shape} and {scores.shape}."
        )
    return boxes, scores


@face
def non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    name: str | None = None,
) -> Any:
    """Places of the best boxes, without those that overlap a better one too much.

    The values must be known: inside compiled functions use ``non_max_suppression_padded``.

    Args:
        boxes: (n, 4), two opposite corners each.
        scores: (n,).
        max_output_size: most places to give.
        iou_threshold: highest intersection over union with a better box.
        score_threshold: scores must lie above.

    Returns:
        int32 tensor of at most ``max_output_size`` places.

    References: TensorFlow `tf.image.non_max_suppression`.
    """
    corners, values = _boxes_and_scores(boxes, scores)
    limits = _limits(max_output_size, iou_threshold, score_threshold)
    return from_host(_picked(lambda best: _overlaps(corners[best], corners), values, *limits)[0])


@face
def non_max_suppression_with_scores(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    soft_nms_sigma: Any = 0.0,
    name: str | None = None,
) -> tuple[Any, Any]:
    """As ``non_max_suppression``, with the scores; ``soft_nms_sigma`` above 0 lowers scores instead of removing boxes.

    ``iou_threshold`` has no effect then.

    References: Bodla et al. 2017. TensorFlow `tf.image.non_max_suppression_with_scores`.
    """
    corners, values = _boxes_and_scores(boxes, scores)
    count, threshold, least = _limits(max_output_size, iou_threshold, score_threshold)
    sigma = float(static_value(soft_nms_sigma, "soft_nms_sigma"))
    places, kept = _picked(lambda best: _overlaps(corners[best], corners), values, count, threshold, least, sigma)
    return from_host(places), from_host(kept)


@face
def non_max_suppression_overlaps(
    overlaps: Any,
    scores: Any,
    max_output_size: Any,
    overlap_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    name: str | None = None,
) -> Any:
    """As ``non_max_suppression``, with a table (n, n) of overlaps in place of boxes."""
    table, values = np.asarray(tensor(overlaps), np.float32), np.asarray(tensor(scores), np.float32)
    limits = _limits(max_output_size, overlap_threshold, score_threshold)
    return from_host(_picked(lambda best: table[:, best], values, *limits)[0])


@face
def non_max_suppression_padded(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    pad_to_max_output_size: bool = False,
    name: str | None = None,
    sorted_input: bool = False,
    canonicalized_coordinates: bool = False,
    tile_size: int = 512,
) -> tuple[Any, Any]:
    """As ``non_max_suppression``, with a fixed number of places, and inside compiled functions too.

    Args:
        boxes: (..., n, 4), two opposite corners each.
        scores: (..., n).
        max_output_size: number of places.
        iou_threshold: highest intersection over union with a better box.
        score_threshold: scores must lie above.
        pad_to_max_output_size: give ``max_output_size`` places even if fewer boxes are kept, zeros behind them.
        sorted_input: the boxes come best first; the result is the same.
        canonicalized_coordinates: corners come in order; the result is the same.
        tile_size: a matter of speed elsewhere.

    Returns:
        int32 places, and the number of them that count.

    References: TensorFlow `tf.image.non_max_suppression_padded`.
    """
    count, threshold, least = _limits(max_output_size, iou_threshold, score_threshold)
    boxes, scores = tensor(boxes), tensor(scores)
    places, valid = _suppressed(boxes, scores, count=count, threshold=threshold, least=least)
    if pad_to_max_output_size or len(boxes.shape) > 2:
        return places, valid
    return places[: int(np.asarray(valid))], valid


@op(static=("count", "threshold", "least"))
def _suppressed(boxes: Any, scores: Any, count: int, threshold: float, least: float) -> tuple[jax.Array, jax.Array]:
    boxes, scores = promote(boxes)[0].astype(jnp.float32), promote(scores)[0].astype(jnp.float32)
    lead = scores.shape[:-1]
    flat_boxes, flat_scores = boxes.reshape(-1, *boxes.shape[-2:]), scores.reshape(-1, scores.shape[-1])

    def single(corners: jax.Array, values: jax.Array) -> tuple[jax.Array, jax.Array]:
        low, high = jnp.minimum(corners[:, :2], corners[:, 2:]), jnp.maximum(corners[:, :2], corners[:, 2:])
        areas = jnp.prod(high - low, axis=1)

        def pick(number: Any, state: tuple) -> tuple:
            alive, places, valid = state
            best = jnp.argmax(jnp.where(alive, values, -jnp.inf)).astype(jnp.int32)
            some = jnp.any(alive)
            sides = jnp.maximum(jnp.minimum(high, high[best]) - jnp.maximum(low, low[best]), 0)
            shared = sides[:, 0] * sides[:, 1]
            union = areas + areas[best] - shared
            overlap = jnp.where(union > 0, shared / jnp.where(union > 0, union, 1), 0.0)
            alive = alive & (overlap <= threshold) & (jnp.arange(values.shape[0]) != best)
            places = places.at[number].set(jnp.where(some, best, 0))
            return alive, places, valid + some.astype(jnp.int32)

        start = (values > least, jnp.zeros(count, jnp.int32), jnp.zeros((), jnp.int32))
        _, places, valid = jax.lax.fori_loop(0, count, pick, start)
        return places, valid

    places, valid = jax.vmap(single)(flat_boxes, flat_scores)
    return places.reshape(*lead, count), valid.reshape(lead)


@face
def combined_non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size_per_class: Any,
    max_total_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    pad_per_class: bool = False,
    clip_boxes: bool = True,
    name: str | None = None,
) -> Any:
    """Non-maximum suppression class by class, for a batch of images.

    Args:
        boxes: (batch, n, classes or 1, 4): top, left, bottom and right.
        scores: (batch, n, classes).
        max_output_size_per_class: most boxes per class.
        max_total_size: number of boxes per image.
        iou_threshold: highest intersection over union with a better box of the class.
        score_threshold: scores must lie above.
        pad_per_class: give no more boxes than ``max_output_size_per_class * classes``.
        clip_boxes: keep coordinates between 0 and 1.

    Returns:
        ``nmsed_boxes``, ``nmsed_scores``, ``nmsed_classes`` and ``valid_detections``; zeros behind the valid ones.

    References: TensorFlow `tf.image.combined_non_max_suppression`.
    """
    corners, values = np.asarray(tensor(boxes), np.float32), np.asarray(tensor(scores), np.float32)
    count, threshold, least = _limits(max_output_size_per_class, iou_threshold, score_threshold)
    batch, _, classes = values.shape
    total = int(static_value(max_total_size, "max_total_size"))
    total = min(total, count * classes) if pad_per_class else total
    found = np.zeros((batch, total, 4), np.float32), np.zeros((batch, total), np.float32)
    kinds, valid = np.zeros((batch, total), np.float32), np.zeros(batch, np.int32)
    for image in range(batch):
        rows = []
        for kind in range(classes):
            own = corners[image, :, min(kind, corners.shape[2] - 1)]
            picked, kept = _picked(
                lambda best, own=own: _overlaps(own[best], own), values[image, :, kind], count, threshold, least
            )
            rows += [(score, kind, own[place]) for place, score in zip(picked, kept, strict=True)]
        rows = sorted(rows, key=lambda row: -row[0])[:total]
        valid[image] = len(rows)
        for place, (score, kind, box) in enumerate(rows):
            found[0][image, place] = np.clip(box, 0, 1) if clip_boxes else box
            found[1][image, place], kinds[image, place] = score, kind
    return CombinedNonMaxSuppression(from_host(found[0]), from_host(found[1]), from_host(kinds), from_host(valid))
