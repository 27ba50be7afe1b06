"""Drawing on images, against Keras and against what the pixels must be."""

from __future__ import annotations

import numpy as np
import pytest
from keras import visualization as oracle

from hornbeam.keras import visualization

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (2, 20, 24, 3)).astype("uint8")
MASKS = RNG.integers(-1, 4, (2, 20, 24, 1)).astype("int32")
BOXES = {"boxes": np.array([[[4, 6, 15, 14], [0, 0, 3, 3]]] * 2, "float32"), "labels": np.array([[1, -1]] * 2)}


@pytest.mark.parametrize("options", [{}, {"alpha": 0.3, "ignore_index": 2}, {"blend": False}, {"num_classes": 2}])
def test_masks_equal_those_of_keras(options):
    found = visualization.draw_segmentation_masks(IMAGES, MASKS, **options)
    expected = np.asarray(oracle.draw_segmentation_masks(IMAGES, MASKS, **options))
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_masks_with_colours_and_without_last_axis():
    colors = {0: (1, 2, 3), 1: (9, 9, 9), 2: (0, 0, 255)}
    found = visualization.draw_segmentation_masks(IMAGES, MASKS[..., 0], color_mapping=colors, alpha=1.0)
    np.testing.assert_array_equal(found[MASKS[..., 0] == 2], [[0, 0, 255]] * int((MASKS == 2).sum()))
    np.testing.assert_array_equal(found[MASKS[..., 0] == 3], IMAGES[MASKS[..., 0] == 3])
    first = visualization.draw_segmentation_masks(
        IMAGES.transpose(0, 3, 1, 2), MASKS.transpose(0, 3, 1, 2), data_format="channels_first"
    )
    np.testing.assert_array_equal(first, visualization.draw_segmentation_masks(IMAGES, MASKS))
    with pytest.raises(TypeError, match="class numbers"):
        visualization.draw_segmentation_masks(IMAGES, MASKS.astype("float32"))


def test_a_box_is_drawn_where_it_is():
    found = visualization.draw_bounding_boxes(IMAGES, BOXES, "xyxy", color=(255, 0, 1), line_thickness=2)
    drawn = (found == [255, 0, 1]).all(axis=-1)[0]
    # Three pixels wide, as OpenCV draws a thickness of 2; corners rounded; the box labelled -1 is not there.
    assert np.flatnonzero(drawn[:, 10]).tolist() == [5, 6, 7, 13, 14, 15]
    assert np.flatnonzero(drawn[10]).tolist() == [3, 4, 5, 14, 15, 16]
    assert not drawn[5, 3] and drawn[5, 4]
    np.testing.assert_array_equal(found[0][~drawn], IMAGES[0][~drawn])
    relative = {**BOXES, "boxes": BOXES["boxes"] / np.array([24, 20, 24, 20], "float32") + 1e-6}
    same = visualization.draw_bounding_boxes(IMAGES, relative, "rel_xyxy", color=(255, 0, 1))
    np.testing.assert_array_equal(same, found)


def test_text_of_boxes():
    blank = np.zeros((1, 80, 120, 3), "float32")
    boxes = {"boxes": [[[10, 50, 60, 70]]], "labels": [[3]], "confidences": [[0.5]]}
    plain = visualization.draw_bounding_boxes(blank, boxes, "xyxy")
    named = visualization.draw_bounding_boxes(blank, boxes, "xyxy", class_mapping={3: "cat"})
    changed = (plain != named).any(axis=(0, -1))
    assert changed.sum() > 40 and not changed[48:].any()
    with pytest.raises(TypeError, match="dict"):
        visualization.draw_bounding_boxes(blank, [1], "xyxy")
    with pytest.raises(ValueError, match="labels"):
        visualization.draw_bounding_boxes(blank, {"boxes": boxes["boxes"]}, "xyxy")
    with pytest.raises(ValueError, match="batch"):
        visualization.draw_bounding_boxes(blank[0], boxes, "xyxy")


def test_galleries_are_written(tmp_path):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    names = {1: "cat"}
    visualization.plot_image_gallery(
        np.concatenate([IMAGES, IMAGES[:1]]), [1, 0, 1], [1, 1, 1], names, path=tmp_path / "a.png"
    )
    visualization.plot_bounding_box_gallery(
        IMAGES, "xyxy", BOXES, BOXES, class_mapping=names, legend=True, path=tmp_path / "b.png"
    )
    visualization.plot_segmentation_mask_gallery(IMAGES, 3, y_true=MASKS, y_pred=MASKS, path=tmp_path / "c.png")
    shapes = [pyplot.imread(tmp_path / f"{name}.png").shape for name in "abc"]
    assert all(min(shape[:2]) > 60 for shape in shapes)
    assert shapes[2][1] > shapes[2][0]  # three columns, two rows
    assert not pyplot.get_fignums()
    with pytest.raises(ValueError, match="label_map"):
        visualization.plot_image_gallery(IMAGES, [1, 0])
    with pytest.raises(ValueError, match="not both"):
        visualization.plot_image_gallery(IMAGES, path="x.png", show=True)
