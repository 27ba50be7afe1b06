"""Glimpses (against numbers of TensorFlow 2.21) and random boxes."""

import numpy as np
import pytest

import hornbeam as tf

X = np.arange(96, dtype="float32").reshape(2, 6, 8, 1)
# Upper left corners as TensorFlow's windows show them.
CORNERS = [
    (True, True, [[0.0, 0.0], [0.5, -0.5]], [(1, 2), (3, 0)]),
    (False, True, [[0.0, 0.0], [0.5, 0.9]], [(0, 0), (3, 7)]),
    (False, False, [[2.0, 3.0], [-1.0, 7.5]], [(2, 3), (-1, 7)]),
    (True, False, [[2.0, 3.0], [1.3, 4.5]], [(5, 7), (4, 8)]),
]


@pytest.mark.parametrize(("centered", "normalized", "offsets", "corners"), CORNERS)
def test_glimpses(centered, normalized, offsets, corners):
    found = tf.image.extract_glimpse(X, [3, 4], np.array(offsets, "float32"), centered, normalized, noise="zero")
    padded = np.zeros((2, 30, 30, 1), "float32")
    padded[:, 10:16, 10:18] = X
    expected = [padded[i, y + 10 : y + 13, x + 10 : x + 14] for i, (y, x) in enumerate(corners)]
    np.testing.assert_array_equal(found.numpy(), expected)


def test_boxes_show_enough_of_the_object():
    box = np.array([[[0.2, 0.2, 0.7, 0.8]]], "float32")
    seen = set()
    for number in range(12):
        begin, size, part = tf.image.stateless_sample_distorted_bounding_box(
            [60, 80, 3], box, seed=[number, 1], min_object_covered=0.5, area_range=(0.1, 0.9)
        )
        y, x, _ = begin.numpy().tolist()
        height, width, rest = size.numpy().tolist()
        assert (y >= 0, x >= 0, y + height <= 60, x + width <= 80, rest) == (True, True, True, True, -1)
        np.testing.assert_allclose(part.numpy()[0, 0], [y / 60, x / 80, (y + height) / 60, (x + width) / 80], rtol=1e-6)
        shown = max(0, min(y + height, 42) - max(y, 12)) * max(0, min(x + width, 64) - max(x, 16))
        assert shown >= 0.5 * 30 * 48
        assert 0.1 <= height * width / 4800 <= 0.9
        assert 0.7 <= width / height <= 1.4
        seen.add((y, x))
    assert len(seen) > 6


def test_the_whole_image_where_nothing_fits():
    begin, size, _ = tf.image.stateless_sample_distorted_bounding_box(
        [10, 10, 3],
        [[[0.0, 0.0, 1.0, 1.0]]],
        seed=[1, 2],
        min_object_covered=1.0,
        area_range=(0.1, 0.2),
        max_attempts=3,
    )
    assert (begin.numpy().tolist(), size.numpy().tolist()) == ([0, 0, 0], [10, 10, -1])


def test_soft_suppression_removes_nothing():
    # Numbers of TensorFlow 2.21.
    boxes = np.array([[0, 0, 0.5, 0.5], [0, 0.1, 0.5, 0.6], [0.5, 0.5, 1, 1], [0.52, 0.5, 1, 1]], "float32")
    places, scores = tf.image.non_max_suppression_with_scores(boxes, [0.9, 0.8, 0.7, 0.95], 4, soft_nms_sigma=0.5)
    assert places.numpy().tolist() == [3, 0, 1, 2]
    np.testing.assert_allclose(scores, [0.95, 0.9, 0.5129, 0.2785], atol=1e-4)
