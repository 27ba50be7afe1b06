"""``tf.nn.ctc_*`` against values of TensorFlow 2.21 and against the sum over all alignments."""

import itertools

import numpy as np
import pytest

import hornbeam as tf

LOGITS = np.random.default_rng(0).normal(size=(5, 2, 4)).astype(np.float32)
LENGTHS, TIMES = np.array([2, 3]), np.array([5, 4])


def brute_force(labels: list[int], logits: np.ndarray, blank: int) -> float:
    """Sum over every path of classes that reads as the labels."""
    rows = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    total = 0.0
    for path in itertools.product(range(rows.shape[1]), repeat=len(rows)):
        if [key for key, _ in itertools.groupby(path) if key != blank] == labels:
            total += np.prod(rows[np.arange(len(rows)), list(path)])
    return -np.log(total)


@pytest.mark.parametrize(
    ("blank", "labels", "wanted"),
    [
        (None, [[1, 1, 0], [2, 3, 1]], [5.1354408, 2.6091800]),
        (-1, [[1, 1, 0], [2, 0, 1]], [4.3122392, 3.5898890]),
        (2, [[1, 1, 0], [3, 1, 3]], [5.0390882, 2.5219526]),
    ],
)
def test_loss(blank, labels, wanted):
    found = tf.nn.ctc_loss(np.array(labels), LOGITS, LENGTHS, TIMES, blank_index=blank)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    place = (blank or 0) % 4
    direct = [brute_force(labels[row][: LENGTHS[row]], LOGITS[: TIMES[row], row], place) for row in range(2)]
    np.testing.assert_allclose(found, direct, rtol=1e-5)


def test_loss_of_labels_that_do_not_fit():
    """TensorFlow 2.21 gives 708.4954, 709.62 and 3.5611737 here."""
    logits = np.random.RandomState(0).randn(2, 3, 5).astype("float32")
    labels = np.array([[1, 2, 3], [1, 1, 0], [2, 0, 0]])
    found = tf.nn.ctc_loss(labels, logits, np.array([3, 2, 1]), np.array([2, 2, 2]))
    np.testing.assert_allclose(found, [708.4954, 709.62, 3.5611737], rtol=2e-3)
    np.testing.assert_allclose(np.asarray(found)[2], 3.5611737, rtol=1e-6)


def test_loss_of_sparse_labels_and_of_batches_first():
    labels = tf.SparseTensor([[0, 0], [0, 1], [1, 0], [1, 1], [1, 2]], np.array([1, 1, 2, 0, 1], np.int64), [2, 3])
    found = tf.nn.ctc_loss(tf.cast(labels, tf.int32), LOGITS, None, TIMES, blank_index=-1)
    np.testing.assert_allclose(found, [4.3122392, 3.5898890], rtol=1e-6)
    dense = np.array([[1, 1, 0], [2, 3, 1]])
    first = tf.nn.ctc_loss(dense, np.swapaxes(LOGITS, 0, 1), LENGTHS, TIMES, logits_time_major=False)
    np.testing.assert_allclose(first, [5.1354408, 2.6091800], rtol=1e-6)
    with pytest.raises(ValueError, match="blank_index"):
        tf.nn.ctc_loss(labels, LOGITS, None, TIMES)
    with pytest.raises(ValueError, match="label_length"):
        tf.nn.ctc_loss(dense, LOGITS, None, TIMES)
    with pytest.raises(ValueError, match="4 classes"):
        tf.nn.ctc_loss(dense, LOGITS, LENGTHS, TIMES, blank_index=4)


def test_gradient_of_the_loss():
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total = tf.reduce_sum(tf.nn.ctc_loss(np.array([[1, 1, 0], [2, 3, 1]]), logits, LENGTHS, TIMES))
    found = tape.gradient(total, logits).numpy()
    np.testing.assert_allclose(found[0, 0], [-0.21507785, -0.38432786, 0.37808725, 0.22131844], atol=1e-6)
    np.testing.assert_allclose(found[3, 1], [-0.00270598, -0.38215330, 0.11927972, 0.26557946], atol=1e-6)
    np.testing.assert_array_equal(found[4, 1], np.zeros(4))


@pytest.mark.parametrize(
    ("merged", "blank", "rows"),
    [(True, None, [[0, 0, 1], [1]]), (True, 0, [[2, 1], [2, 1]]), (False, None, [[0, 0, 0, 1], [1, 1, 1]])],
)
def test_greedy_decoder(merged, blank, rows):
    logits = np.zeros((5, 2, 3), np.float32)
    logits[np.arange(5), 0, [0, 0, 2, 0, 1]] = 2
    logits[np.arange(5), 1, [2, 1, 1, 1, 0]] = 3
    (labels,), scores = tf.nn.ctc_greedy_decoder(logits, [5, 4], merge_repeated=merged, blank_index=blank)
    assert labels.dtype == tf.int64
    assert labels.dense_shape.numpy().tolist() == [2, max(map(len, rows))]
    dense = tf.sparse.to_dense(labels, default_value=-1).numpy()
    assert [[one for one in row if one >= 0] for row in dense.tolist()] == rows
    np.testing.assert_array_equal(scores, [[-10.0], [-12.0]])


def test_beam_search_decoder():
    paths, scores = tf.nn.ctc_beam_search_decoder(LOGITS, TIMES, beam_width=20, top_paths=2)
    dense = [tf.sparse.to_dense(path, default_value=-1).numpy().tolist() for path in paths]
    assert dense == [[[2, 0], [2, 1]], [[2, 0, 1], [1, -1, -1]]]
    np.testing.assert_allclose(scores, [[-2.6803193, -2.7772124], [-1.4859186, -1.8960692]], rtol=1e-5)
