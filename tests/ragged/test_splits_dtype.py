"""Row splits keep the dtype they were given, and ragged data sets keep theirs on disk."""

import numpy as np
import pytest

import hornbeam as tf

pytestmark = pytest.mark.unit
ROWS = [[1, 2], [], [3]]


def int32_rows():
    return tf.ragged.constant(ROWS, row_splits_dtype=tf.int32)


@pytest.mark.parametrize(
    "make",
    [
        lambda: int32_rows(),
        lambda: tf.ragged.range([1, 3], row_splits_dtype="int32"),
        lambda: tf.RaggedTensor.from_tensor(np.ones((2, 3)), row_splits_dtype=tf.int32),
        lambda: tf.RaggedTensor.from_tensor(np.ones((2, 3, 2)), ragged_rank=2, row_splits_dtype=tf.int32),
        lambda: tf.RaggedTensor.from_row_lengths([1, 2, 3], tf.constant([1, 2])),
        lambda: tf.RaggedTensor.from_row_starts([1, 2, 3], tf.constant([0, 2])),
        lambda: tf.RaggedTensor.from_row_limits([1, 2, 3], np.array([0, 3], "int32")),
        lambda: tf.RaggedTensor.from_value_rowids([1, 2, 3], tf.constant([0, 2, 2])),
        lambda: tf.ragged.constant(ROWS).with_row_splits_dtype("int32"),
        lambda: int32_rows() * 2,
        lambda: int32_rows()[1:],
        lambda: int32_rows()[:, :1],
        lambda: tf.gather(int32_rows(), [2, 0]),
        lambda: tf.concat([int32_rows(), int32_rows()], axis=1),
        lambda: tf.stack([int32_rows(), int32_rows()]),
        lambda: tf.expand_dims(int32_rows(), 1),
        lambda: tf.ragged.boolean_mask(int32_rows(), int32_rows() > 1),
    ],
)
def test_int32_splits_stay_int32(make):
    made = make()
    assert {part.dtype.name for part in made.nested_row_splits} == {"int32"}
    assert made.row_lengths().dtype == made.nrows().dtype == made.value_rowids().dtype == tf.int32
    assert tf.RaggedTensorSpec.from_value(made).row_splits_dtype == tf.int32


def test_splits_are_int64_unless_asked():
    assert tf.ragged.constant(ROWS).row_splits.dtype == tf.int64
    assert tf.RaggedTensor.from_row_lengths([1, 2, 3], [1, 2]).row_splits.dtype == tf.int64
    with pytest.raises(ValueError, match="int32 or int64"):
        tf.ragged.constant(ROWS, row_splits_dtype="float32")


def test_ragged_batches_take_the_dtype():
    data = tf.data.Dataset.range(1, 5).map(tf.range).ragged_batch(2, row_splits_dtype=tf.int32)
    assert data.element_spec == tf.RaggedTensorSpec([None, None], tf.int64, 1, tf.int32)
    assert [batch.row_splits.numpy().tolist() for batch in data] == [[0, 1, 3], [0, 3, 7]]
    assert {batch.row_splits.dtype.name for batch in data} == {"int32"}


@pytest.mark.parametrize(
    "value",
    [
        tf.ragged.constant([[1.5], [], [2.0, 3.0]], row_splits_dtype="int32"),
        tf.ragged.constant([["a", "bc"], [], ["d"]]),
        tf.ragged.constant([[[1], [2, 3]], [], [[4]]]),
    ],
)
def test_ragged_data_sets_are_kept_on_disk(value, tmp_path):
    data = tf.data.Dataset.from_tensors((value, np.arange(3))).repeat(3)
    data.save(str(tmp_path / "saved"))
    cached = data.cache(str(tmp_path / "cached"))
    for read in (tf.data.Dataset.load(str(tmp_path / "saved")), cached, cached):
        found = list(read)
        assert [rows.to_list() for rows, _ in found] == [value.to_list()] * 3
        assert all(rows.row_splits.dtype == value.row_splits.dtype for rows, _ in found)
    assert tf.data.Dataset.load(str(tmp_path / "saved")).element_spec[0] == tf.RaggedTensorSpec.from_value(value)
