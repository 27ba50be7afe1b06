"""Functions of ``tf`` on ragged tensors, against what TensorFlow 2.21 gives."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam.base.errors import NotSupportedError

R = tf.ragged.constant([[1, 2, 3], [], [4]])
F = tf.ragged.constant([[1.0, 2.0, 3.0], [], [4.0]])
R3 = tf.ragged.constant([[[1], [2, 3]], [[4, 5, 6]]])
LOWEST, HIGHEST = np.iinfo(np.int32).min, float(np.finfo(np.float32).max)

CASES = {
    "cast": (lambda: tf.cast(R, tf.float32), [[1.0, 2.0, 3.0], [], [4.0]]),
    "sum": (lambda: tf.reduce_sum(R), 10),
    "sum of rows": (lambda: tf.reduce_sum(R, axis=1), [6, 0, 4]),
    "sum over rows": (lambda: tf.reduce_sum(R, axis=0), [5, 2, 3]),
    "sum kept": (lambda: tf.reduce_sum(R, axis=1, keepdims=True), [[6], [0], [4]]),
    "sum inside": (lambda: tf.reduce_sum(R3, axis=2), [[1, 5], [15]]),
    "sum of two axes": (lambda: tf.reduce_sum(R3, axis=[1, 2]), [6, 15]),
    "sum in the middle": (lambda: tf.reduce_sum(R3, axis=1), [[3, 3], [4, 5, 6]]),
    "mean": (lambda: tf.reduce_mean(F, axis=1), [2.0, np.nan, 4.0]),
    "max": (lambda: tf.reduce_max(R, axis=1), [3, LOWEST, 4]),
    "min": (lambda: tf.reduce_min(F, axis=1), [1.0, HIGHEST, 4.0]),
    "any": (lambda: tf.reduce_any(R > 2, axis=1), [True, False, True]),
    "all": (lambda: tf.reduce_all(R > 2, axis=1), [False, True, True]),
    "product": (lambda: tf.reduce_prod(R, axis=-1), [6, 1, 4]),
    "equal": (lambda: tf.equal(R, 2), [[False, True, False], [], [False]]),
    "maximum": (lambda: tf.maximum(R, 2), [[2, 2, 3], [], [4]]),
    "clip": (lambda: tf.clip_by_value(R, 2, 3), [[2, 2, 3], [], [3]]),
    "concat rows": (lambda: tf.concat([R, R], 0), [[1, 2, 3], [], [4], [1, 2, 3], [], [4]]),
    "concat inside": (lambda: tf.concat([R, tf.constant([[7], [8], [9]])], 1), [[1, 2, 3, 7], [8], [4, 9]]),
    "stack": (lambda: tf.stack([R, R], 0), [[[1, 2, 3], [], [4]], [[1, 2, 3], [], [4]]]),
    "expand": (lambda: tf.expand_dims(R, -1), [[[1], [2], [3]], [], [[4]]]),
    "squeeze": (lambda: tf.squeeze(tf.expand_dims(R, -1), -1), [[1, 2, 3], [], [4]]),
    "gather rows": (lambda: tf.gather(R, [2, 0]), [[4], [1, 2, 3]]),
    "gather by ragged": (lambda: tf.gather(tf.constant([9, 8, 7, 6, 5]), R), [[8, 7, 6], [], [5]]),
    "size": (lambda: tf.size(R), 4),
    "rows by shape": (lambda: tf.shape(R)[0], 3),
    "where": (lambda: tf.where(R > 1, R, -R), [[-1, 2, 3], [], [4]]),
    "places": (lambda: tf.where(R > 1), [[0, 1], [0, 2], [2, 0]]),
    "ones": (lambda: tf.ones_like(R), [[1, 1, 1], [], [1]]),
    "tile": (lambda: tf.tile(R, [1, 2]), [[1, 2, 3, 1, 2, 3], [], [4, 4]]),
    "reverse": (lambda: tf.reverse(R, axis=[1]), [[3, 2, 1], [], [4]]),
    "one hot": (
        lambda: tf.one_hot(tf.ragged.constant([[0, 1], []], dtype=tf.int32), 2),
        [[[1.0, 0.0], [0.0, 1.0]], []],
    ),
    "map": (lambda: tf.map_fn(tf.reduce_sum, R, fn_output_signature=tf.int32), [6, 0, 4]),
    "embedding": (
        lambda: tf.nn.embedding_lookup(np.eye(5, dtype="float32")[:, :2], R),
        [[[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]], [], [[0.0, 0.0]]],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_equals_tensorflow(name):
    call, expected = CASES[name]
    found = call()
    if hasattr(found, "to_list"):
        assert found.to_list() == expected
    else:
        np.testing.assert_array_equal(found.numpy(), np.array(expected))
        assert found.numpy().dtype.kind == np.array(expected).dtype.kind


def test_softmax_sums_to_one_in_each_row():
    found = tf.nn.softmax(F)
    np.testing.assert_allclose(found[0].numpy(), np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum(), rtol=1e-6)
    np.testing.assert_allclose(tf.reduce_sum(found, axis=1).numpy(), [1, 0, 1], rtol=1e-6)


def test_gradients_reach_the_values():
    x = tf.Variable([1.0, 2.0, 5.0])
    with tf.GradientTape() as tape:
        rows = tf.RaggedTensor.from_row_lengths(tf.square(x), [2, 0, 1])
        loss = tf.reduce_sum(tf.reduce_max(rows, axis=1)[::2]) + tf.reduce_mean(rows)
    np.testing.assert_allclose(tape.gradient(loss, x), [2 / 3, 4 + 4 / 3, 10 + 10 / 3], rtol=1e-6)


def test_what_has_no_meaning_says_so():
    with pytest.raises(NotSupportedError, match=r"tf\.cumsum takes no ragged tensors"):
        tf.cumsum(R)
    with pytest.raises(ValueError, match="has no one size"):
        tf.shape(R)[1]
