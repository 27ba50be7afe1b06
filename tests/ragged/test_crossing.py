"""Feature crosses: TensorFlow's published results, and hashes against the layer that shares them."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.errors import InvalidArgumentError

pytestmark = pytest.mark.unit
TEXTS = [tf.ragged.constant(rows) for rows in ([["a"], ["b", "c"]], [["d"], ["e"]], [["f"], ["g"]])]


def test_cross_joins_every_combination():
    assert tf.ragged.cross(TEXTS).to_list() == [[b"a_X_d_X_f"], [b"b_X_e_X_g", b"c_X_e_X_g"]]
    numbers = tf.ragged.constant([[1, 2], []])
    mixed = tf.ragged.cross([numbers, tf.constant([["u", "v"], ["w", "x"]])])
    assert mixed.to_list() == [[b"1_X_u", b"1_X_v", b"2_X_u", b"2_X_v"], []]


def test_cross_hashed_equals_tensorflow_and_the_layer():
    assert tf.ragged.cross_hashed(TEXTS, num_buckets=100).to_list() == [[78], [66, 74]]
    left, right = np.array([["a"], ["b"], ["c"]]), np.array([[3], [4], [5]])
    layer = keras.layers.HashedCrossing(num_bins=50)
    found = tf.ragged.cross_hashed([tf.constant(left), tf.constant(right)], num_buckets=50)
    np.testing.assert_array_equal(found.to_list(), np.asarray(layer([left, right])))
    assert tf.ragged.cross_hashed(TEXTS, 100, hash_key=1).to_list() != [[78], [66, 74]]


def test_cross_refuses_what_it_cannot_join():
    with pytest.raises(InvalidArgumentError, match="one number of rows"):
        tf.ragged.cross([TEXTS[0], tf.ragged.constant([["a"]])])
    with pytest.raises(InvalidArgumentError, match="texts or integers"):
        tf.ragged.cross([tf.ragged.constant([[1.5]])])
    with pytest.raises(InvalidArgumentError, match="below 0"):
        tf.ragged.cross_hashed(TEXTS, -1)
