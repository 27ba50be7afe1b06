"""``draw_bounding_boxes``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base.errors import explain
from hornbeam.keras.visualization.pictures import batch_of
from hornbeam.ops.image.boxes import convert_format

__all__ = ["draw_bounding_boxes"]


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: dict[str, Any],
    bounding_box_format: str,
    class_mapping: dict[int, str] | None = None,
    color: Any = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Draw boxes on images, with the names of their classes.

    Args:
        images: ``(batch, height, width, channels)``; floats up to 1 count as fractions of 255.
        bounding_boxes: dict of ``boxes`` ``(batch, boxes, 4)``, ``labels`` ``(batch, boxes)``, where -1 stands for no
            box, and perhaps ``confidences`` ``(batch, boxes)``.
        bounding_box_format: "xyxy", "rel_xywh" ...; see ``keras.utils.bounding_boxes.convert_format``.
        class_mapping: names by class number; boxes of other classes get no text.
        color: of lines and text, a number per channel, 0 to 255.
        line_thickness: in pixels; negative fills the box.
        text_thickness: in pixels.
        font_scale: size of the text, 1 for letters about 20 pixels high.
        data_format: where the channels are.

    Returns:
        Images of the shape given, uint8.

    Raises:
        ValueError: images without a batch axis, or a missing entry of ``bounding_boxes``.
        TypeError: ``bounding_boxes`` is no dict.
        ImportError: there is text to draw, and Pillow is not there.

    References: Keras ``keras.visualization.draw_bounding_boxes``.
    """
    if not isinstance(bounding_boxes, dict):
        raise TypeError(
            "draw_bounding_boxes(): `bounding_boxes` takes a dict of 'boxes' and 'labels'. Received: "
            f"{type(bounding_boxes).__name__}"
        )
    if missing := [name for name in ("boxes", "labels") if name not in bounding_boxes]:
        raise ValueError(
            explain(
                "draw_bounding_boxes() needs places and classes of the boxes.",
                expected="a dict of 'boxes' and 'labels'",
                received=f"the keys {sorted(bounding_boxes)}",
                fix=f"add {missing}",
            )
        )
    pictures, first = batch_of(images, data_format, "draw_bounding_boxes")
    pictures = np.ascontiguousarray(_as_bytes(pictures))
    height, width = pictures.shape[1:3]
    places = ops.convert_to_tensor(bounding_boxes["boxes"], "float32")
    corners = convert_format(places, bounding_box_format, "xyxy", height, width)
    corners = np.asarray(ops.convert_to_numpy(corners)).astype("int32")
    labels = np.asarray(ops.convert_to_numpy(bounding_boxes["labels"])).astype("int32")
    confidences = bounding_boxes.get("confidences")
    confidences = None if confidences is None else np.asarray(ops.convert_to_numpy(confidences))
    names = class_mapping or {}
    thickness = text_thickness or line_thickness
    for index, picture in enumerate(pictures):
        for number, (box, label) in enumerate(zip(corners[index], labels[index], strict=False)):
            if label == -1:
                continue
            _draw_frame(picture, box, color, line_thickness)
            if int(label) in names:
                text = str(names[int(label)])
                if confidences is not None:
                    text = f"{text} | {confidences[index][number]:.2f}"
                _draw_text(picture, text, _text_place(box, font_scale, thickness), color, font_scale, thickness)
    return pictures.transpose(0, 3, 1, 2) if first else pictures


def _as_bytes(pictures: np.ndarray) -> np.ndarray:
    if pictures.dtype.kind == "f" and pictures.size:
        pictures = np.clip(pictures, 0, 1) * 255 if pictures.max() <= 1.0 else np.clip(pictures, 0, 255)
    return np.array(pictures.astype("uint8"))


def _ink(picture: np.ndarray, color: Any) -> np.ndarray:
    """A colour with as many numbers as the picture has channels; channels beyond it get 0."""
    found = np.zeros(picture.shape[-1], "uint8")
    given = np.atleast_1d(np.asarray(color))[: picture.shape[-1]]
    found[: len(given)] = given
    return found


def _draw_frame(picture: np.ndarray, box: Any, color: Any, thickness: int) -> None:
    """Paint all pixels whose distance to the outline is at most half the thickness."""
    left, right = sorted((int(box[0]), int(box[2])))
    top, bottom = sorted((int(box[1]), int(box[3])))
    rows = np.arange(picture.shape[0])[:, None]
    columns = np.arange(picture.shape[1])[None]
    beyond = np.hypot(
        np.maximum(np.maximum(left - columns, columns - right), 0), np.maximum(np.maximum(top - rows, rows - bottom), 0)
    )
    within = np.minimum(np.minimum(columns - left, right - columns), np.minimum(rows - top, bottom - rows))
    if thickness < 0:
        painted = within >= 0
    else:
        painted = (beyond <= thickness // 2) & (within <= thickness // 2)
    picture[painted] = _ink(picture, color)


def _text_place(box: Any, font_scale: float, thickness: int) -> tuple[int, int]:
    """Left end of the text's base line: above the box, or inside where there is no room."""
    left, top = int(box[0]), int(box[1])
    font_height = int(font_scale * 12)
    if top - 8 - 2 * font_height > 0:
        return left, top - 8
    return left + 3, top + 2 * font_height + thickness + 3


def _draw_text(
    picture: np.ndarray, text: str, place: tuple[int, int], color: Any, font_scale: float, thickness: int
) -> None:
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise ImportError("draw_bounding_boxes() needs Pillow for text: pip install hornbeam[image]") from error
    sheet = Image.new("L", (picture.shape[1], picture.shape[0]))
    font: Any = ImageFont.load_default(size=max(1.0, 22 * font_scale))
    # The bitmap font of a Pillow without FreeType knows no base line.
    anchor = "ls" if hasattr(font, "getmask2") and hasattr(font, "path") else None
    ImageDraw.Draw(sheet).text(place, text, fill=255, font=font, anchor=anchor, stroke_width=max(0, thickness - 1))
    picture[np.asarray(sheet) > 127] = _ink(picture, color)
