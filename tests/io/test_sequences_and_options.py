"""``SequenceExample`` records, sparse features, and the options of the JPEG decoder."""

import io

import numpy as np
import pytest
from PIL import Image

import hornbeam as tf
from hornbeam.base.errors import NotSupportedError
from hornbeam.ops.host import jpeg


def _ints(*values):
    return tf.train.Feature(int64_list=tf.train.Int64List(value=list(values)))


def _record(number, steps):
    lists = {"words": tf.train.FeatureList(feature=[_ints(*range(k)) for k in range(1, steps + 1)])}
    lists["marks"] = tf.train.FeatureList(feature=[_ints(10 * k) for k in range(steps)])
    return tf.train.SequenceExample(
        context=tf.train.Features(feature={"id": _ints(number)}),
        feature_lists=tf.train.FeatureLists(feature_list=lists),
    ).SerializeToString()


CONTEXT = {"id": tf.io.FixedLenFeature([], tf.int64)}


def test_one_sequence():
    context, found = tf.io.parse_single_sequence_example(
        _record(7, 3),
        CONTEXT,
        {"words": tf.io.VarLenFeature(tf.int64), "marks": tf.io.FixedLenSequenceFeature([], tf.int64)},
    )
    assert int(context["id"]) == 7
    np.testing.assert_array_equal(found["marks"], [0, 10, 20])
    np.testing.assert_array_equal(tf.sparse.to_dense(found["words"]), [[0, 0, 0], [0, 1, 0], [0, 1, 2]])


def test_a_batch_of_sequences():
    context, found, lengths = tf.io.parse_sequence_example(
        [_record(1, 1), _record(2, 2)],
        CONTEXT,
        {"words": tf.io.RaggedFeature(tf.int64), "marks": tf.io.FixedLenSequenceFeature([], tf.int64)},
    )
    np.testing.assert_array_equal(context["id"], [1, 2])
    np.testing.assert_array_equal(found["marks"], [[0, 0], [0, 10]])
    np.testing.assert_array_equal(lengths["marks"], [1, 2])
    assert found["words"].to_list() == [[[0]], [[0], [0, 1]]]


def test_a_missing_sequence_is_named():
    missing = {"steps": tf.io.FixedLenSequenceFeature([], tf.int64)}
    with pytest.raises(tf.errors.InvalidArgumentError, match="steps"):
        tf.io.parse_single_sequence_example(_record(1, 1), CONTEXT, missing)
    allowed = {"steps": tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True)}
    assert tf.io.parse_single_sequence_example(_record(1, 1), CONTEXT, allowed)[1]["steps"].shape == (0,)


def test_sparse_features_take_places_and_values():
    features = {"at": _ints(3, 0), "value": _ints(30, 5)}
    record = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    spec = {"x": tf.io.SparseFeature("at", "value", tf.int64, 5)}
    found = tf.io.parse_single_example(record, spec)["x"]
    np.testing.assert_array_equal(found.indices, [[0], [3]])
    np.testing.assert_array_equal(tf.sparse.to_dense(found), [5, 0, 0, 30, 0])


def test_names_of_records_are_in_messages():
    empty = tf.train.Example().SerializeToString()
    with pytest.raises(tf.errors.InvalidArgumentError, match="second"):
        full = tf.train.Example(features=tf.train.Features(feature={"id": _ints(1)})).SerializeToString()
        tf.io.parse_example([full, empty], CONTEXT, example_names=["first", "second"])


@pytest.fixture(scope="module")
def picture():
    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype("uint8")
    Image.fromarray(pixels).resize((33, 21)).save(stream, format="JPEG", quality=90)
    return stream.getvalue()


@pytest.mark.parametrize("ratio", [2, 4, 8])
def test_parts_of_odd_sizes_are_rounded_up(picture, ratio):
    assert tf.io.decode_jpeg(picture, ratio=ratio).shape == (-(-21 // ratio), -(-33 // ratio), 3)


def test_options_of_the_decoder_act_or_are_refused(picture):
    exact = tf.io.decode_jpeg(picture, dct_method="INTEGER_ACCURATE").numpy()
    np.testing.assert_array_equal(exact, np.asarray(Image.open(io.BytesIO(picture))))
    with pytest.raises(NotSupportedError, match="acceptable_fraction"):
        tf.io.decode_jpeg(picture, acceptable_fraction=0.5)
    with pytest.raises(ValueError, match="dct_method"):
        tf.io.decode_jpeg(picture, dct_method="SLOW")
    if jpeg.decoder() is None:
        with pytest.raises(NotSupportedError, match="simplejpeg"):
            tf.io.decode_jpeg(picture, fancy_upscaling=False)
    else:
        assert (tf.io.decode_jpeg(picture, fancy_upscaling=False).numpy() != exact).any()


def test_zero_bytes_at_the_end_of_texts_stay():
    found = next(iter(tf.data.Dataset.from_tensors([b"a\0", b"bc\0\0"]))).numpy()
    assert found.tolist() == [b"a\0", b"bc\0\0"]


def test_sound_is_rounded_as_tensorflow_does():
    found, _ = tf.audio.decode_wav(tf.audio.encode_wav([[0.5 / 32768], [np.sin(1.0)], [1.2], [-1.0]], 8000))
    np.testing.assert_array_equal(found.numpy()[:, 0] * 32768, [1, 27573, 32767, -32768])


def _example(**features):
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


@pytest.mark.parametrize(
    "kind, first, second",
    [
        ("RowLengths", [1, 3], [1]),
        ("RowSplits", [0, 1, 4], [0, 1]),
        ("RowStarts", [0, 1], [0]),
        ("RowLimits", [1, 4], [1]),
        ("ValueRowIds", [0, 1, 1, 1], [0]),
    ],
)
def test_values_are_cut_into_rows(kind, first, second):
    records = [_example(v=_ints(1, 2, 3, 4), cut=_ints(*first)), _example(v=_ints(5), cut=_ints(*second))]
    partition = getattr(tf.io.RaggedFeature, kind)("cut")
    found = tf.io.parse_example(records, {"rows": tf.io.RaggedFeature(tf.int64, "v", [partition])})["rows"]
    assert found.to_list() == [[[1], [2, 3, 4]], [[5]]]
    even = [tf.io.RaggedFeature.UniformRowLength(2)]
    records = [_example(v=_ints(1, 2, 3, 4)), _example(v=_ints(5, 6))]
    pairs = tf.io.parse_example(records, {"rows": tf.io.RaggedFeature(tf.int64, "v", even)})["rows"]
    assert pairs.to_list() == [[[1, 2], [3, 4]], [[5, 6]]] and tuple(pairs.shape) == (2, None, 2)


def test_examples_in_json():
    text = (
        '{"features": {"feature": {"n": {"int64List": {"value": ["1", 2]}}, "f": {"float_list": {"value": [0.5]}}, '
        '"b": {"bytesList": {"value": ["eA=="]}}}}}'
    )
    made = tf.io.decode_json_example([text])
    spec = {"n": tf.io.FixedLenFeature([2], tf.int64), "b": tf.io.FixedLenFeature([], tf.string)}
    found = tf.io.parse_example(made, spec | {"f": tf.io.FixedLenFeature([], tf.float32)})
    assert {key: value.numpy().tolist() for key, value in found.items()} == {"n": [[1, 2]], "b": [b"x"], "f": [0.5]}
    for wrong in ("{", '{"features": {"feature": {"n": {"wordList": {}}}}}', "[1]"):
        with pytest.raises(tf.errors.InvalidArgumentError, match="JSON"):
            tf.io.decode_json_example(wrong)


def test_sparse_tensors_as_strings():
    table = tf.sparse.from_dense([[1, 0, 0], [0, 0, 2], [0, 0, 0]])
    stored = tf.io.serialize_many_sparse(table)
    again = tf.io.deserialize_many_sparse(stored, tf.int32)
    np.testing.assert_array_equal(tf.sparse.to_dense(again), tf.sparse.to_dense(table))
    texts = tf.sparse.from_dense([["a", ""], ["", "b"]])
    one = tf.io.deserialize_many_sparse([tf.io.serialize_sparse(texts)], tf.string, rank=2)
    assert tf.sparse.to_dense(one).numpy().tolist() == [[[b"a", b""], [b"", b"b"]]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="rank"):
        tf.io.deserialize_many_sparse(stored, tf.int32, rank=2)


def test_older_ways_to_elements(tmp_path):
    made = tf.data.experimental.from_list([(1, "a"), (2, "b")])
    assert made.element_spec == (tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.string))
    assert list(made.as_numpy_iterator()) == [(1, b"a"), (2, b"b")]
    rows = tf.data.Dataset.range(4).map(lambda n: tf.range(n))
    sparse = rows.apply(tf.data.experimental.dense_to_sparse_batch(3, [4]))
    assert sparse.element_spec == tf.SparseTensorSpec([None, 4], tf.int64) and len(sparse) == 2
    np.testing.assert_array_equal(
        tf.sparse.to_dense(next(iter(sparse)), -1), [[-1] * 4, [0, -1, -1, -1], [0, 1, -1, -1]]
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="row_shape"):
        list(rows.apply(tf.data.experimental.dense_to_sparse_batch(4, [2])))
    path = str(tmp_path / "a.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
        for number in range(5):
            writer.write(_example(x=_ints(number, 2 * number), y=_ints(number % 2)))
    spec = {"x": tf.io.FixedLenFeature([2], tf.int64), "y": tf.io.FixedLenFeature([], tf.int64)}
    batches = list(
        tf.data.experimental.make_batched_features_dataset(path, 2, spec, label_key="y", num_epochs=1, shuffle=False)
    )
    assert [x["x"].numpy().tolist() for x, _ in batches] == [[[0, 0], [1, 2]], [[2, 4], [3, 6]], [[4, 8]]]
    assert [y.numpy().tolist() for _, y in batches] == [[0, 1], [0, 1], [0]]
