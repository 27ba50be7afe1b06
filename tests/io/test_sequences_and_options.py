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
