"""Pairs of bounding boxes: how far they overlap, and offsets of boxes from anchors."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.ops.image.boxes import convert_format, corners_of, joined

__all__ = ["compute_ciou", "compute_iou", "decode_deltas_to_boxes", "encode_box_to_deltas"]


# --- overlap -------------------------------------------------------------------------------------
def _sizes(image_shape: Any) -> tuple[Any, Any]:
    return (None, None) if image_shape is None else (image_shape[0], image_shape[1])


def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Any = None,
) -> Any:
    """Intersection over union of every box with every other one.

    Args:
        boxes1: (n, 4) or (batch, n, 4).
        boxes2: (m, 4) or (batch, m, 4).
        bounding_box_format: see ``convert_format``.
        use_masking: boxes without a positive coordinate count as padding.
        mask_val: result for padding.
        image_shape: (height, width, channels), for relative formats.

    Returns:
        Tensor (n, m) or (batch, n, m).

    References: Keras ``utils.bounding_boxes.compute_iou``.
    """
    ranks = len(boxes1.shape), len(boxes2.shape)
    if not set(ranks) <= {2, 3}:
        raise ValueError(
            "compute_iou: boxes are (n, 4), or (batch, n, 4). "
            f"Received shapes {tuple(boxes1.shape)} and {tuple(boxes2.shape)}"
        )
    if "rel" in bounding_box_format and image_shape is None:
        raise ValueError(f"compute_iou: the format {bounding_box_format!r} needs `image_shape`.")
    height, width = _sizes(image_shape)
    first, second = (
        convert_format(boxes, bounding_box_format, "xyxy", height=height, width=width) for boxes in (boxes1, boxes2)
    )
    left1, top1, right1, bottom1 = corners_of(first)
    left2, top2, right2, bottom2 = (ops.swapaxes(part, -1, -2) for part in corners_of(second))
    wide = ops.maximum(ops.minimum(right1, right2) - ops.maximum(left1, left2), 0)
    high = ops.maximum(ops.minimum(bottom1, bottom2) - ops.maximum(top1, top2), 0)
    shared = wide * high
    areas = (right1 - left1) * (bottom1 - top1) + (right2 - left2) * (bottom2 - top2)
    found = shared / (areas - shared + settings.epsilon())
    if not use_masking:
        return found
    # Padding is told from the coordinates as they were before the change of format.
    empty = [ops.max(ops.cast(boxes, found.dtype), axis=-1, keepdims=True) < 0.0 for boxes in (first, second)]
    return ops.where(ops.logical_or(empty[0], ops.swapaxes(empty[1], -1, -2)), float(mask_val), found)


def compute_ciou(boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None) -> Any:
    """Complete intersection over union of pairs of boxes: overlap, distance of centres and likeness of form.

    Args:
        boxes1: (..., 4).
        boxes2: boxes of the same shape.
        bounding_box_format: an absolute format, see ``convert_format``.
        image_shape: not needed for absolute formats.

    References: Zheng et al. 2020, equations 8 to 11. Keras ``utils.bounding_boxes.compute_ciou``.
    """
    if "rel" in bounding_box_format:
        raise ValueError(
            "compute_ciou takes absolute formats; call convert_format first. "
            f"Received: bounding_box_format={bounding_box_format!r}"
        )
    tiny = settings.epsilon()
    height, width = _sizes(image_shape)
    first, second = (
        convert_format(boxes, bounding_box_format, "xyxy", height=height, width=width) for boxes in (boxes1, boxes2)
    )
    left1, top1, right1, bottom1 = (part[..., 0] for part in corners_of(first))
    left2, top2, right2, bottom2 = (part[..., 0] for part in corners_of(second))
    width1, height1 = right1 - left1, bottom1 - top1 + tiny
    width2, height2 = right2 - left2, bottom2 - top2 + tiny
    wide = ops.maximum(ops.minimum(right1, right2) - ops.maximum(left1, left2), 0)
    high = ops.maximum(ops.minimum(bottom1, bottom2) - ops.maximum(top1, top2), 0)
    shared = wide * high
    overlap = shared / (width1 * height1 + width2 * height2 - shared + tiny + tiny)
    hull_width = ops.maximum(right1, right2) - ops.minimum(left1, left2)
    hull_height = ops.maximum(bottom1, bottom2) - ops.minimum(top1, top2)
    diagonal = hull_width**2 + hull_height**2 + tiny
    distance = ((left1 + right1) / 2 - (left2 + right2) / 2) ** 2 + ((top1 + bottom1) / 2 - (top2 + bottom2) / 2) ** 2
    form = 4 / math.pi**2 * (ops.arctan(width2 / height2) - ops.arctan(width1 / height1)) ** 2
    weight = form / (form - overlap + (1 + tiny))
    return overlap - (distance / diagonal + form * weight)


# --- anchors -------------------------------------------------------------------------------------
def _variance(variance: Any) -> Any:
    if variance is None:
        return None
    variance = ops.convert_to_tensor(variance, "float32")
    if variance.shape[-1] != 4:
        raise ValueError(f"`variance` has 4 numbers. Received shape {tuple(variance.shape)}")
    return variance


def _centred(value: str, name: str) -> None:
    if value not in ("center_xywh", "center_yxhw"):
        raise ValueError(f"`{name}` is 'center_xywh' or 'center_yxhw'. Received: {name}={value!r}")


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """Offsets of boxes from anchors: shift over size, and logarithm of the ratio of sizes.

    Args:
        anchors: (..., 4).
        boxes: boxes of the same shape.
        anchor_format: format of the anchors, see ``convert_format``.
        box_format: format of the boxes.
        encoding_format: order of the offsets, ``"center_yxhw"`` or ``"center_xywh"``.
        variance: 4 numbers to divide by.
        image_shape: (height, width, channels), for relative formats.

    References: Ren et al. 2015, equation 2. Keras ``utils.bounding_boxes.encode_box_to_deltas``.
    """
    variance = _variance(variance)
    _centred(encoding_format, "encoding_format")
    height, width = _sizes(image_shape)
    anchors = convert_format(anchors, anchor_format, encoding_format, height=height, width=width)
    boxes = convert_format(boxes, box_format, encoding_format, height=height, width=width)
    anchor_sizes = ops.maximum(anchors[..., 2:], settings.epsilon())
    box_sizes = ops.maximum(boxes[..., 2:], settings.epsilon())
    shift = (boxes[..., :2] - anchors[..., :2]) / anchor_sizes
    deltas = joined(shift, ops.log(box_sizes / anchor_sizes))
    return deltas if variance is None else deltas / variance


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """The inverse of ``encode_box_to_deltas``; dicts of levels are taken too."""
    variance = _variance(variance)
    _centred(encoded_format, "encoded_format")
    height, width = _sizes(image_shape)
    if isinstance(anchors, dict) and isinstance(boxes_delta, dict):
        return {
            level: decode_deltas_to_boxes(
                anchor, boxes_delta[level], anchor_format, box_format, encoded_format, variance, image_shape
            )
            for level, anchor in anchors.items()
        }
    anchors = convert_format(anchors, anchor_format, encoded_format, height=height, width=width)
    deltas = boxes_delta if variance is None else boxes_delta * variance
    centres = deltas[..., :2] * anchors[..., 2:] + anchors[..., :2]
    boxes = joined(centres, ops.exp(deltas[..., 2:]) * anchors[..., 2:])
    return convert_format(boxes, encoded_format, box_format, height=height, width=width)
