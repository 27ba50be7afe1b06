"""Blocks of pixels and channels, and pooling with places, against TensorFlow 2.21's results and closed forms."""

import numpy as np
import pytest

import hornbeam as tf

pytestmark = pytest.mark.numeric
X = ((np.arange(2 * 5 * 4 * 2) * 7) % 23).reshape(2, 5, 4, 2).astype("float32")


def test_blocks_of_pixels_become_channels_and_back():
    picture = tf.reshape(tf.range(32.0), (1, 4, 4, 2))
    deep = tf.nn.space_to_depth(picture, 2)
    np.testing.assert_array_equal(deep[0, 0, 0], [0, 1, 2, 3, 8, 9, 10, 11])
    np.testing.assert_array_equal(tf.nn.depth_to_space(deep, 2), picture)
    first = tf.nn.space_to_depth(tf.transpose(picture, (0, 3, 1, 2)), 2, data_format="NCHW")
    np.testing.assert_array_equal(tf.transpose(first, (0, 2, 3, 1)), deep)


def test_places_of_maxima_equal_tensorflow():
    _, places = tf.nn.max_pool_with_argmax(X, 2, 2, "SAME")
    assert places.dtype == tf.int64
    np.testing.assert_array_equal(places[0, :, :, 0], [[2, 6], [26, 22], [32, 36]])
    np.testing.assert_array_equal(places[1, :, :, 1], [[9, 15], [19, 31], [35, 37]])


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("window", "steps"), [(2, 2), ([1, 3, 2, 1], [1, 2, 1, 1])])
def test_places_point_at_the_maxima(padding, window, steps):
    found, places = tf.nn.max_pool_with_argmax(X, window, steps, padding, include_batch_in_index=True)
    np.testing.assert_array_equal(found, tf.nn.max_pool2d(X, window, steps, padding))
    np.testing.assert_array_equal(X.reshape(-1)[places.numpy()], found)


def test_gradients_reach_the_maxima():
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        found, _ = tf.nn.max_pool_with_argmax(x, 2, 2, "SAME")
        loss = tf.reduce_sum(found * found)
    np.testing.assert_allclose(tf.reduce_sum(tape.gradient(loss, x)), 874.0)


def test_other_layouts_are_refused():
    with pytest.raises(ValueError, match="NHWC"):
        tf.nn.max_pool_with_argmax(X, 2, 2, "SAME", data_format="NCHW")
    with pytest.raises(ValueError, match="padding"):
        tf.nn.max_pool_with_argmax(X, 2, 2, "FULL")
