"""Counts, segments and distances of sparse tensors; the values are those of TensorFlow 2.21."""

import numpy as np
import pytest

import hornbeam as tf

NUMBERS = np.array([[10, 20, 20], [3, 10, 3]])
SPARSE = tf.SparseTensor([[0, 0], [0, 2], [1, 1]], np.array([3, 3, 5], np.int64), [3, 3])


def parts(given):
    return (
        given.indices.numpy().tolist(),
        given.values.numpy().tolist(),
        given.dense_shape.numpy().tolist(),
        given.dtype,
    )


ROWS = [[0, 10], [0, 20], [1, 3], [1, 10]]


@pytest.mark.parametrize(
    ("values", "options", "wanted"),
    [
        (NUMBERS, {}, ([[3], [10], [20]], [2, 2, 2], [21], "int64")),
        (NUMBERS, {"axis": -1}, (ROWS, [1, 2, 2, 1], [2, 21], "int64")),
        (NUMBERS.astype(np.int32), {"axis": -1, "binary_output": True}, (ROWS, [1, 1, 1, 1], [2, 21], "int32")),
        (NUMBERS, {"axis": -1, "minlength": 30}, (ROWS, [1, 2, 2, 1], [2, 30], "int64")),
        (NUMBERS, {"axis": -1, "maxlength": 15}, ([ROWS[0], *ROWS[2:]], [1, 2, 1], [2, 15], "int64")),
        (
            NUMBERS,
            {"axis": -1, "weights": np.array([[1, 2, 3], [0.5, 1, 1]], np.float32)},
            (ROWS, [1.0, 5.0, 1.5, 1.0], [2, 21], "float32"),
        ),
        (NUMBERS.tolist(), {"axis": -1}, (ROWS, [1, 2, 2, 1], [2, 21], "int32")),
        (SPARSE, {"axis": -1}, ([[0, 3], [1, 5]], [2, 1], [3, 6], "int64")),
        (SPARSE, {}, ([[3], [5]], [2, 1], [6], "int64")),
        (
            SPARSE,
            {"axis": -1, "weights": SPARSE.with_values(tf.constant([1.0, 0.5, 2.0]))},
            ([[0, 3], [1, 5]], [1.5, 2.0], [3, 6], "float32"),
        ),
        (tf.ragged.constant([[3, 3], [], [1]]), {"axis": -1}, ([[0, 3], [2, 1]], [2, 1], [3, 4], "int32")),
    ],
)
def test_bincount(values, options, wanted):
    assert parts(tf.sparse.bincount(values, **options)) == wanted


def test_bincount_refuses_what_it_cannot_count():
    with pytest.raises(tf.errors.InvalidArgumentError, match="negative"):
        tf.sparse.bincount([-1, 2])
    with pytest.raises(tf.errors.InvalidArgumentError, match="weights"):
        tf.sparse.bincount([1, 2], weights=[1.0])
    with pytest.raises(ValueError, match="axis=2"):
        tf.sparse.bincount([1, 2], axis=2)


@pytest.mark.parametrize(("name", "scale"), [("segment_sum", 1.0), ("segment_mean", 0.5), ("segment_sqrt_n", 0.5**0.5)])
def test_segments_of_chosen_rows(name, scale):
    data = np.arange(12, dtype=np.float32).reshape(4, 3)
    function = getattr(tf.sparse, name)
    found = function(data, [0, 1, 3, 3], [0, 0, 1, 1])
    np.testing.assert_allclose(found, np.array([[3, 5, 7], [18, 20, 22]]) * scale, rtol=1e-6)
    spread = function(data, [0, 1, 3], [0, 0, 2], num_segments=4)
    np.testing.assert_allclose(spread[0], np.array([3, 5, 7]) * scale, rtol=1e-6)
    np.testing.assert_allclose(spread[1:], [[0, 0, 0], [9, 10, 11], [0, 0, 0]], rtol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must not decrease"):
        function(data, [0, 1], [1, 0])


def test_edit_distance():
    guess = tf.SparseTensor([[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]], ["a", "b", "c", "x"], [2, 2, 2])
    places = [[0, 0, 0], [0, 1, 0], [0, 1, 1], [0, 2, 0], [0, 2, 1]]
    truth = tf.SparseTensor(places, ["a", "c", "d", "e", "f"], [1, 3, 2])
    found = tf.edit_distance(guess, truth)
    assert found.dtype == tf.float32
    assert found.numpy().tolist() == [[1.0, 0.5, 1.0], [np.inf, 0.0, 0.0]]
    assert tf.edit_distance(guess, truth, normalize=False).numpy().tolist() == [[1, 1, 2], [1, 0, 0]]
    words = [tf.sparse.from_dense(np.array([[ord(letter) for letter in word]])) for word in ("kitten", "sitting")]
    assert tf.edit_distance(*words, normalize=False).numpy().tolist() == [3.0]
    with pytest.raises(TypeError, match="hypothesis"):
        tf.edit_distance([[1]], truth)


def test_cast_of_a_sparse_tensor():
    made = tf.cast(SPARSE, tf.float32)
    assert parts(made) == ([[0, 0], [0, 2], [1, 1]], [3.0, 3.0, 5.0], [3, 3], "float32")
