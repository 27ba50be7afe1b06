"""Bounding boxes against Keras."""

import numpy as np
import pytest
from keras.utils import bounding_boxes as oracle

from hornbeam.core.tensor import from_host
from hornbeam.keras.utils import bounding_boxes as utils
from hornbeam.ops.image.boxes import FORMATS

RAW = np.random.RandomState(0).rand(2, 5, 4).astype("float32") * 8
BOXES = np.concatenate([RAW[..., :2], RAW[..., :2] + RAW[..., 2:] + 0.1], axis=-1)
OTHERS = BOXES[:, ::-1] + np.float32(0.4)


def close(got, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("source", FORMATS)
def test_formats_equal_keras(source):
    for target in FORMATS:
        got = utils.convert_format(from_host(RAW), source, target, height=7, width=9)
        close(got, oracle.convert_format(RAW, source, target, height=7, width=9), 1e-4)


@pytest.mark.parametrize("form", ["xyxy", "rel_xyxy"])
def test_clipping_equals_keras(form):
    given = {"boxes": BOXES / (1 if form == "xyxy" else 6) - 1, "labels": np.arange(10).reshape(2, 5)}
    got = utils.clip_to_image_size(dict(given), height=6, width=5, bounding_box_format=form)
    expected = oracle.clip_to_image_size(dict(given), height=6, width=5, bounding_box_format=form)
    close(got["boxes"], expected["boxes"])
    np.testing.assert_array_equal(np.asarray(got["labels"]), np.asarray(expected["labels"]))


def test_moves_equal_keras():
    numbers = [np.float32(pair) for pair in ((10, -30), (0.1, 0), (0, 0.2), (1, 1.2), (0, 5), (0, -4))]
    close(utils.affine_transform(BOXES, *numbers, 20, 30), oracle.affine_transform(BOXES, *numbers, 20, 30), 1e-4)
    close(utils.crop(BOXES, 1, 2, 5, 6), oracle.crop(BOXES, 1, 2, 5, 6))
    close(utils.pad(BOXES, 1, 2), oracle.pad(BOXES, 1, 2))


def test_overlaps_equal_keras():
    close(utils.compute_iou(BOXES, OTHERS, "xyxy"), oracle.compute_iou(BOXES, OTHERS, "xyxy"))
    relative = {"image_shape": (10, 12, 3)}
    close(
        utils.compute_iou(BOXES[0] / 12, OTHERS[0] / 12, "rel_yxyx", **relative),
        oracle.compute_iou(BOXES[0] / 12, OTHERS[0] / 12, "rel_yxyx", **relative),
    )
    close(utils.compute_ciou(BOXES, OTHERS, "xywh"), oracle.compute_ciou(BOXES, OTHERS, "xywh"))
    padded = np.concatenate([BOXES[0], np.full((1, 4), -1, "float32")])
    table = np.asarray(utils.compute_iou(padded, BOXES[0], "xyxy", use_masking=True))
    assert (table[-1] == -1).all() and (table[:-1] >= 0).all()


@pytest.mark.parametrize("encoding", ["center_yxhw", "center_xywh"])
def test_deltas_equal_keras_and_come_back(encoding):
    common = {"variance": [0.1, 0.1, 0.2, 0.2]}
    got = utils.encode_box_to_deltas(BOXES, OTHERS, "xyxy", "xyxy", encoding, **common)
    close(got, oracle.encode_box_to_deltas(BOXES, OTHERS, "xyxy", "xyxy", encoding, **common), 1e-4)
    back = utils.decode_deltas_to_boxes(BOXES, got, "xyxy", "xyxy", encoding, **common)
    close(back, OTHERS, 1e-4)
    levels = utils.decode_deltas_to_boxes({"p3": BOXES}, {"p3": got}, "xyxy", "xyxy", encoding, **common)
    close(levels["p3"], OTHERS, 1e-4)


def test_wrong_arguments_raise():
    with pytest.raises(ValueError, match="last axis"):
        utils.convert_format(RAW[..., :3], "xyxy", "xywh")
    with pytest.raises(ValueError, match="source"):
        utils.convert_format(RAW, "xxyy", "xywh")
    with pytest.raises(ValueError, match="height"):
        utils.convert_format(RAW, "rel_xyxy", "xywh")
    with pytest.raises(NotImplementedError, match="convert_format"):
        utils.clip_to_image_size({"boxes": RAW}, 3, 3, bounding_box_format="xywh")
    with pytest.raises(ValueError, match="absolute"):
        utils.compute_ciou(RAW, RAW, "rel_xyxy")
    with pytest.raises(ValueError, match="variance"):
        utils.encode_box_to_deltas(RAW, RAW, "xyxy", "xyxy", variance=[1.0])
