"""Bounding boxes: formats, clipping and moving."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import ops

__all__ = [
    "FORMATS",
    "affine_transform",
    "clip_to_image_size",
    "convert_format",
    "crop",
    "pad",
]

FORMATS = (
    "xyxy",
    "yxyx",
    "xywh",
    "center_xywh",
    "center_yxhw",
    "rel_xyxy",
    "rel_yxyx",
    "rel_xywh",
    "rel_center_xywh",
)
"""x runs along the width, y along the height; ``rel_`` formats are fractions of the image's size."""


def corners_of(boxes: Any) -> list[Any]:
    """The four columns of boxes."""
    return ops.split(boxes, 4, axis=-1)


def joined(*parts: Any) -> Any:
    """Boxes from columns."""
    return ops.concatenate(parts, axis=-1)


def _to_corners(boxes: Any, layout: str) -> tuple[Any, Any, Any, Any]:
    """Left, top, right and bottom of boxes in an absolute format."""
    a, b, c, d = corners_of(boxes)
    if layout == "xyxy":
        return a, b, c, d
    if layout == "yxyx":
        return b, a, d, c
    if layout == "xywh":
        return a, b, a + c, b + d
    if layout == "center_yxhw":
        a, b, c, d = b, a, d, c
    return a - c / 2.0, b - d / 2.0, a + c / 2.0, b + d / 2.0


def _from_corners(left: Any, top: Any, right: Any, bottom: Any, layout: str) -> Any:
    if layout == "xyxy":
        return joined(left, top, right, bottom)
    if layout == "yxyx":
        return joined(top, left, bottom, right)
    width, height = right - left, bottom - top
    if layout == "xywh":
        return joined(left, top, width, height)
    centre_x, centre_y = left + width / 2.0, top + height / 2.0
    if layout == "center_yxhw":
        return joined(centre_y, centre_x, height, width)
    return joined(centre_x, centre_y, width, height)


def convert_format(
    boxes: Any, source: Any, target: Any, height: Any = None, width: Any = None, dtype: Any = "float32"
) -> Any:
    """Boxes in another format.

    Args:
        boxes: tensor (..., 4), or a dict that holds it under ``"boxes"``.
        source: format of the boxes, one of ``"xyxy"``, ``"yxyx"``, ``"xywh"``, ``"center_xywh"``, ``"center_yxhw"``,
            or (fractions of the image's size) ``"rel_xyxy"``, ``"rel_yxyx"``, ``"rel_xywh"``, ``"rel_center_xywh"``.
        target: format wanted.
        height: height of the images, in pixels; needed between relative and absolute formats.
        width: width of the images, in pixels.
        dtype: dtype of the result.

    References: Keras ``utils.bounding_boxes.convert_format``.
    """
    if isinstance(boxes, dict):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    if len(boxes.shape) < 1 or boxes.shape[-1] != 4:
        raise ValueError(f"convert_format: the last axis of boxes has size 4. Received shape {tuple(boxes.shape)}")
    source, target = source.lower(), target.lower()
    for name, value in (("source", source), ("target", target)):
        if value not in FORMATS:
            raise ValueError(f"convert_format: `{name}` is one of {FORMATS}. Received: {name}={value!r}")
    relative = source.startswith("rel_"), target.startswith("rel_")
    if any(relative) and (height is None or width is None):
        raise ValueError(
            "convert_format: relative formats need `height` and `width` of the images. "
            f"Received: source={source!r}, target={target!r}, height={height}, width={width}"
        )
    boxes = ops.cast(boxes, dtype)
    if source == target:
        return boxes
    height = None if height is None else ops.cast(height, dtype)
    width = None if width is None else ops.cast(width, dtype)
    corners: list[Any] = list(_to_corners(boxes, source.removeprefix("rel_")))
    if relative[0] and not relative[1]:
        corners = [one * (height if number % 2 else width) for number, one in enumerate(corners)]
    elif relative[1] and not relative[0]:
        corners = [one / (height if number % 2 else width) for number, one in enumerate(corners)]
    left, top, right, bottom = corners
    return _from_corners(left, top, right, bottom, target.removeprefix("rel_"))


def clip_to_image_size(
    bounding_boxes: dict[str, Any], height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> dict[str, Any]:
    """Cut boxes at the image's edges; labels of boxes that vanish become -1.

    Args:
        bounding_boxes: dict with ``"boxes"`` (..., 4) and, if there are any, ``"labels"``.
        height: height of the images, in pixels.
        width: width of the images, in pixels.
        bounding_box_format: ``"xyxy"`` or ``"rel_xyxy"``.

    References: Keras ``utils.bounding_boxes.clip_to_image_size``.
    """
    if bounding_box_format not in ("xyxy", "rel_xyxy"):
        raise NotImplementedError(
            "clip_to_image_size works on 'xyxy' and 'rel_xyxy' boxes; call convert_format first. "
            f"Received: bounding_box_format={bounding_box_format!r}"
        )
    boxes = bounding_boxes["boxes"]
    if bounding_box_format == "rel_xyxy":
        height, width = 1.0, 1.0
    elif height is None or width is None:
        raise ValueError("clip_to_image_size: 'xyxy' boxes need `height` and `width` of the images.")
    else:
        height, width = ops.cast(height, boxes.dtype), ops.cast(width, boxes.dtype)
    boxes = _clipped(corners_of(boxes), height, width)
    result = {**bounding_boxes, "boxes": boxes}
    if bounding_boxes.get("labels") is not None:
        left, top, right, bottom = corners_of(boxes)
        area = ops.squeeze((right - left) * (bottom - top), axis=-1)
        result["labels"] = ops.where(area > 0, bounding_boxes["labels"], -1)
    return result


def _clipped(corners: Any, height: Any, width: Any) -> Any:
    left, top, right, bottom = corners
    return joined(
        ops.clip(left, 0, width), ops.clip(top, 0, height), ops.clip(right, 0, width), ops.clip(bottom, 0, height)
    )


def _corners_only(bounding_box_format: str, where: str) -> None:
    if bounding_box_format != "xyxy":
        raise NotImplementedError(
            f"{where} works on 'xyxy' boxes; call convert_format first. "
            f"Received: bounding_box_format={bounding_box_format!r}"
        )


def crop(boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy") -> Any:
    """Boxes after the image was cut.

    Args:
        boxes: tensor (..., 4).
        top: rows cut off above.
        left: columns cut off on the left.
        height: height of what is left.
        width: width of what is left.
        bounding_box_format: only ``"xyxy"``.

    References: Keras ``utils.bounding_boxes.crop``.
    """
    _corners_only(bounding_box_format, "crop")
    x1, y1, x2, y2 = corners_of(boxes)
    return _clipped((x1 - left, y1 - top, x2 - left, y2 - top), height, width)


def pad(
    boxes: Any, top: Any, left: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Any:
    """Boxes after the image was padded.

    Args:
        boxes: tensor (..., 4).
        top: rows added above.
        left: columns added on the left.
        height: height of the result; boxes do not depend on it.
        width: width of the result; boxes do not depend on it.
        bounding_box_format: only ``"xyxy"``.

    References: Keras ``utils.bounding_boxes.pad``.
    """
    _corners_only(bounding_box_format, "pad")
    x1, y1, x2, y2 = corners_of(boxes)
    return joined(x1 + left, y1 + top, x2 + left, y2 + top)


# --- affine --------------------------------------------------------------------------------------
def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:
    """Smallest upright boxes around boxes that were rotated, moved, scaled and sheared with their image.

    Args:
        boxes: tensor (batch, boxes, 4).
        angle: (batch,) degrees.
        translate_x: (batch,) fraction of the width.
        translate_y: (batch,) fraction of the height.
        scale: (batch,) factor.
        shear_x: (batch,) degrees.
        shear_y: (batch,) degrees.
        height: height of the images, in pixels.
        width: width of the images, in pixels.
        center_x: fixed point, a fraction of the width; the middle by default.
        center_y: fixed point, a fraction of the height; the middle by default.
        bounding_box_format: only ``"xyxy"``.

    References: Keras ``utils.bounding_boxes.affine_transform``.
    """
    _corners_only(bounding_box_format, "affine_transform")
    rows = _inverse_affine(
        0.5 if center_x is None else center_x,
        0.5 if center_y is None else center_y,
        angle,
        translate_x,
        translate_y,
        scale,
        shear_x,
        shear_y,
        height,
        width,
    )
    a0, a1, a2, b0, b1, b2 = (ops.expand_dims(ops.expand_dims(one, -1), -1) for one in rows)
    left, top, right, bottom = corners_of(ops.cast(boxes, a0.dtype))
    xs, ys = joined(left, right, right, left), joined(top, top, bottom, bottom)
    moved_x, moved_y = a0 * xs + a1 * ys + a2, b0 * xs + b1 * ys + b2
    sides = (ops.min(moved_x, -1), ops.min(moved_y, -1), ops.max(moved_x, -1), ops.max(moved_y, -1))
    return ops.stack(sides, axis=-1)


def _inverse_affine(
    center_x: Any,
    center_y: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
) -> tuple:
    radians = math.pi / 180.0
    x, y = center_x * (width - 1), center_y * (height - 1)
    turn, lean_x, lean_y = -angle * radians, -shear_x * radians, -shear_y * radians
    to_x, to_y = x - translate_x * (width - 1), y - translate_y * (height - 1)
    a = ops.cos(turn - lean_y) / ops.cos(lean_y)
    b = a * ops.tan(lean_x) + ops.sin(turn)
    c = -ops.sin(turn - lean_y) / ops.cos(lean_y)
    d = ops.cos(turn) - c * ops.tan(lean_x)
    a0, a1, b0, b1 = d * scale, -b * scale, -c * scale, a * scale
    return a0, a1, x - a0 * to_x - a1 * to_y, b0, b1, y - b0 * to_x - b1 * to_y
