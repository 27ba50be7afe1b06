"""``CategoryCrossing``: combinations in eager calls and in a model of texts."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.compat.old_layers.crossing import CategoryCrossing

pytestmark = pytest.mark.compat
TEXTS = [tf.ragged.constant(rows) for rows in ([["a"], ["b", "c"]], [["d"], ["e"]])]


def test_category_crossing_layer():
    left, right = np.array([["a"], ["b"]]), np.array([["c"], ["d"]])
    assert CategoryCrossing()([left, right]).numpy().tolist() == [[b"a_X_c"], [b"b_X_d"]]
    layer = CategoryCrossing(depth=2, separator="-")
    assert layer([left, right]).numpy().tolist() == [[b"a", b"c", b"a-c"], [b"b", b"d", b"b-d"]]
    assert CategoryCrossing.from_config(layer.get_config()).get_config() == layer.get_config()
    assert CategoryCrossing()(TEXTS).to_list() == [[b"a_X_d"], [b"b_X_e", b"c_X_e"]]
    with pytest.raises(ValueError, match="depth=3"):
        CategoryCrossing(depth=3)([left, right])


def test_category_crossing_in_a_model():
    first, second = (keras.Input((1,), dtype="string") for _ in range(2))
    crossed = CategoryCrossing()([first, second])
    assert crossed.shape == (None, 1)
    numbers = keras.layers.StringLookup(vocabulary=["a_X_c", "b_X_d"])(crossed)
    model = keras.Model([first, second], numbers)
    found = model([tf.constant([["a"], ["b"], ["a"]]), tf.constant([["c"], ["d"], ["d"]])])
    np.testing.assert_array_equal(found, [[1], [2], [0]])
