"""What goes into data sets, what is refused, and the names around them."""

import collections

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import data, errors
from hornbeam.data.options import AutoShardPolicy

Dataset = data.Dataset


def listed(dataset):
    return list(dataset.as_numpy_iterator())


def test_dtypes_of_python_values():
    spec = Dataset.from_tensors((1, 2.0, True, "a", 2**40, [1, 2], np.float64(3), [np.float64(3)])).element_spec
    expected = [tf.int32, tf.float32, tf.bool, tf.string, tf.int64, tf.int32, tf.float64, tf.float64]
    assert [one.dtype for one in spec] == expected


def test_structures_keep_their_containers():
    Point = collections.namedtuple("Point", "x y")
    element = next(iter(Dataset.from_tensor_slices(Point([1, 2], {"z": [3, 4]}))))
    assert type(element) is Point
    assert int(element.y["z"]) == 3
    mapped = Dataset.range(2).map(lambda v: Point(v, v + 1))
    assert listed(mapped) == [Point(0, 1), Point(1, 2)]


def test_tensors_variables_and_frames_are_cut(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    assert listed(Dataset.from_tensor_slices(dict(frame))) == [{"a": 1, "b": b"x"}, {"a": 2, "b": b"y"}]
    assert listed(Dataset.from_tensor_slices(tf.constant([5, 6]))) == [5, 6]
    assert listed(Dataset.from_tensor_slices(tf.Variable([1.5, 2.5]))) == [1.5, 2.5]


def test_none_stays_none():
    dataset = Dataset.from_tensor_slices((np.arange(3), None))
    assert listed(dataset.batch(2))[1] == (np.array([2]), None)
    assert listed(dataset.map(lambda x, nothing: (x * 2, nothing))) == [(0, None), (2, None), (4, None)]


def test_ragged_tensors_are_cut_in_rows_and_joined_again():
    rows = tf.ragged.constant([[1, 2], [], [3]])
    dataset = Dataset.from_tensor_slices(rows)
    assert [row.tolist() for row in listed(dataset)] == [[1, 2], [], [3]]
    assert [batch.to_list() for batch in dataset.batch(2)] == [[[1, 2], []], [[3]]]
    lengths = dataset.map(tf.size)
    assert listed(lengths) == [2, 0, 1]
    assert dataset.element_spec == tf.RaggedTensorSpec([None], tf.int32, 0)
    batches = dataset.shuffle(3).batch(2)
    assert batches.element_spec == tf.RaggedTensorSpec([None, None], tf.int32, 1)
    assert batches.unbatch().batch(2, drop_remainder=True).element_spec == tf.RaggedTensorSpec([2, None], tf.int32, 1)
    deeper = Dataset.from_tensor_slices(tf.ragged.constant([[[1], [2, 3]], [[4]]]))
    assert deeper.element_spec == tf.RaggedTensorSpec([None, None], tf.int32, 1)
    assert deeper.batch(2).element_spec == tf.RaggedTensorSpec([None, None, None], tf.int32, 2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Dataset.from_tensor_slices(([1, 2], [1])), ValueError, "one size"),
        (lambda: Dataset.from_tensor_slices(3), ValueError, "at least one axis"),
        (lambda: Dataset.from_tensor_slices([[1], [2, 3]]), ValueError, "unequal length"),
        (lambda: Dataset.from_tensors(object()), TypeError, "cannot be part"),
        (lambda: Dataset.from_generator([1, 2], output_signature=tf.TensorSpec((), "int32")), TypeError, "function"),
        (lambda: Dataset.from_generator(iter), TypeError, "output_signature"),
        (lambda: Dataset.zip([Dataset.range(2)]), TypeError, "tuple"),
        (lambda: Dataset.zip((Dataset.range(2), 3)), TypeError, "Dataset"),
        (lambda: Dataset.range(3).map("square"), TypeError, "function"),
        (lambda: listed(Dataset.range(3).flat_map(lambda v: v)), TypeError, "must return a Dataset"),
        (lambda: listed(Dataset.range(3).filter(lambda v: v)), ValueError, "boolean"),
        (lambda: Dataset.range(3).with_options({}), TypeError, "Options"),
    ],
)
def test_wrong_things_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_generators_that_break_their_promise_are_told():
    spec = tf.TensorSpec((2,), tf.int32)
    with pytest.raises(TypeError, match="another shape"):
        listed(Dataset.from_generator(lambda: iter([[1, 2, 3]]), output_signature=spec))
    with pytest.raises(TypeError, match="another structure"):
        listed(Dataset.from_generator(lambda: iter([[1, 2]]), output_signature=(spec, spec, spec)))
    with pytest.raises(TypeError, match="another kind"):
        listed(Dataset.from_generator(lambda: iter(["text"]), output_signature=tf.TensorSpec((), tf.int32)))


def test_batches_of_unequal_elements_are_refused_with_advice():
    rows = Dataset.from_generator(lambda: ([0] * n for n in (1, 2)), output_signature=tf.TensorSpec((None,), tf.int32))
    with pytest.raises(errors.InvalidArgumentError, match="padded_batch"):
        listed(rows.batch(2))
    with pytest.raises(errors.InvalidArgumentError, match="larger than the padded shape"):
        listed(rows.padded_batch(2, padded_shapes=(1,)))


def test_options_merge_and_name_what_there_is():
    options = data.Options()
    options.deterministic = False
    options.experimental_distribute.auto_shard_policy = AutoShardPolicy.DATA
    options.threading.private_threadpool_size = 4
    dataset = Dataset.range(3).with_options(options).map(lambda v: v)
    assert dataset.options().experimental_distribute.auto_shard_policy == AutoShardPolicy.DATA
    assert dataset.options().merge(data.Options()).deterministic is False
    assert listed(dataset) == [0, 1, 2]
    with pytest.raises(AttributeError, match="deterministic"):
        options.determinism = True


def test_names_of_experimental_do_what_the_methods_do():
    experimental = data.experimental
    assert listed(experimental.Counter(3).take(2)) == [3, 4]
    assert listed(Dataset.range(5).batch(2).apply(experimental.unbatch())) == list(range(5))
    assert listed(Dataset.range(9).apply(experimental.take_while(lambda v: v < 2))) == [0, 1]
    pairs = Dataset.range(4).apply(experimental.map_and_batch(lambda v: v * 2, 3))
    assert [batch.tolist() for batch in listed(pairs)] == [[0, 2, 4], [6]]
    sums = Dataset.range(10).apply(
        experimental.group_by_reducer(
            lambda v: v % 2,
            experimental.Reducer(lambda key: np.int64(0), lambda state, v: state + v, lambda state: state),
        )
    )
    assert listed(sums) == [20, 25]
    counted = Dataset.range(9).filter(lambda v: v > 4).apply(experimental.assert_cardinality(4))
    assert len(counted) == 4
    assert listed(counted) == [5, 6, 7, 8]
    with pytest.raises(errors.FailedPreconditionError, match="promised"):
        listed(Dataset.range(9).apply(experimental.assert_cardinality(4)))


def test_fingerprints_tell_pipelines_apart():
    one = Dataset.range(3).batch(2)
    assert int(one.fingerprint()) == int(Dataset.range(7).batch(2).fingerprint())
    assert int(one.fingerprint()) != int(Dataset.range(3).repeat(2).fingerprint())


def test_failing_elements_are_left_out_when_asked(caplog):
    def load(text):
        return int(text.numpy())

    dataset = Dataset.from_tensor_slices(["1", "two", "3"]).map(load)
    with pytest.raises(ValueError, match="two"):
        listed(dataset)
    assert listed(dataset.ignore_errors(log_warning=True)) == [1, 3]
    assert "two" in caplog.text


def test_padded_texts_without_axes_are_texts(tmp_path):
    batches = Dataset.from_tensor_slices(["aa", "b", "c"]).padded_batch(2)
    assert [batch.tolist() for batch in batches.as_numpy_iterator()] == [[b"aa", b"b"], [b"c"]]
    batches.save(str(tmp_path / "kept"))
    assert [batch.tolist() for batch in Dataset.load(str(tmp_path / "kept")).as_numpy_iterator()] == [
        [b"aa", b"b"],
        [b"c"],
    ]


def test_ragged_tensors_come_apart_and_together():
    ragged = tf.ragged.constant([[1], [], [2, 3]])
    assert [row.tolist() for row in Dataset.from_tensors(ragged).unbatch().as_numpy_iterator()] == [[1], [], [2, 3]]
    rows = Dataset.from_tensor_slices(ragged)
    both = rows.concatenate(rows.take(1))
    assert both.element_spec == tf.RaggedTensorSpec([None], tf.int32, 0)
    assert [batch.to_list() for batch in both.batch(2)] == [[[1], []], [[2, 3], [1]]]
    assert [batch.to_list() for batch in rows.window(2).flat_map(lambda window: window.batch(2))] == [
        [[1], []],
        [[2, 3]],
    ]


def test_ragged_batches_are_ragged_where_elements_are_uneven():
    numbers = Dataset.range(3)
    zipped = Dataset.zip((numbers, Dataset.from_tensor_slices(["a", "b", "c"]), numbers.map(lambda n: tf.fill([n], n))))
    batches = zipped.ragged_batch(2)
    assert batches.element_spec == (
        tf.TensorSpec([None], tf.int64),
        tf.TensorSpec([None], tf.string),
        tf.RaggedTensorSpec([None, None], tf.int64, 1),
    )
    found = [(one.numpy().tolist(), two.numpy().tolist(), three.to_list()) for one, two, three in batches]
    assert found == [([0, 1], [b"a", b"b"], [[], [1]]), ([2], [b"c"], [[2, 2]])]
    # Equal sizes by chance stay ragged where the spec leaves them open; sparse elements stay sparse.
    equal = Dataset.from_generator(lambda: iter([[1, 2], [3, 4]]), output_signature=tf.TensorSpec([None], tf.int32))
    assert [batch.to_list() for batch in equal.ragged_batch(2)] == [[[1, 2], [3, 4]]]
    sparse = Dataset.from_tensor_slices(tf.sparse.from_dense([[1, 0], [0, 2]])).ragged_batch(2)
    assert [tf.sparse.to_dense(batch).numpy().tolist() for batch in sparse] == [[[1, 0], [0, 2]]]


def test_specs_leave_open_what_varies():
    uneven = Dataset.from_generator(lambda: iter([[1, 2], [3]]), output_signature=tf.TensorSpec([None], tf.int32))
    repeated = uneven.interleave(lambda x: Dataset.from_tensors(x).repeat(2), cycle_length=2)
    assert repeated.element_spec == tf.TensorSpec([None], tf.int32)
    assert [batch.to_list() for batch in repeated.ragged_batch(2)] == [[[1, 2], [3]], [[1, 2], [3]]]
    vectors = Dataset.from_tensor_slices(np.ones((4, 3), "float32"))
    grouped = vectors.group_by_window(lambda x: np.int64(0), lambda key, window: window.batch(2), window_size=2)
    assert grouped.element_spec == tf.TensorSpec([None, 3], tf.float32)
    assert repr(tf.TensorSpec(None, tf.int32)) == "TensorSpec(shape=<unknown>, dtype=tf.int32, name=None)"
