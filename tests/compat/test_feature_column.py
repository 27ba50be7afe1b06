"""``tf.feature_column`` and ``DenseFeatures``: numbers of TensorFlow 2.21, training, and stored models."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.base.errors import NotSupportedError
from hornbeam.compat.feature_column.layers import DenseFeatures

fc = tf.feature_column

FEATURES = {
    "age": np.array([0.5, 18.0, 25, 64.9, 65]),
    "kind": np.array(["fixed", "normal", "", "odd", "normal"]),
    "tags": np.array([["a", "b"], ["b", ""], ["", ""], ["a", "a"], ["zz", "b"]]),
    "id": np.array([0, 3, -1, 9, 2]),
}
AGE = fc.numeric_column("age")
AGES = fc.bucketized_column(AGE, [18, 25, 65])
KIND = fc.categorical_column_with_vocabulary_list("kind", ["fixed", "normal"])
TAGS = fc.categorical_column_with_vocabulary_list("tags", ["a", "b", "c"])


def made(*columns, features=FEATURES):
    return DenseFeatures(columns)(features).numpy()


def counted(rows, depth):
    return [[row.count(place) for place in range(depth)] for row in rows]


def table(size, dimension):
    return np.sin(np.arange(size * dimension, dtype="float32").reshape(size, dimension))


def test_numbers_and_intervals():
    np.testing.assert_array_equal(made(AGE)[:, 0], np.float32(FEATURES["age"]))
    halved = fc.numeric_column("age", normalizer_fn=lambda age: age / 2)
    np.testing.assert_array_equal(made(halved)[:, 0], np.float32(FEATURES["age"]) / 2)
    np.testing.assert_array_equal(made(AGES), np.eye(4)[[0, 1, 2, 2, 3]])
    pairs = fc.bucketized_column(fc.numeric_column("pair", shape=2), [0.0, 1.0])
    found = made(fc.indicator_column(pairs), features={"pair": np.float32([[-1, 0], [1, 0.5]])})
    np.testing.assert_array_equal(found, counted([[0, 4], [2, 4]], 6))


def test_columns_stand_side_by_side_by_name():
    found = made(fc.indicator_column(KIND), AGES, AGE)
    np.testing.assert_array_equal(found, np.concatenate([made(AGE), made(AGES), made(fc.indicator_column(KIND))], 1))


@pytest.mark.parametrize(
    "column, rows",
    [
        (KIND, [[0], [1], [], [], [1]]),
        (TAGS, [[0, 1], [1], [], [0, 0], [1]]),
        (fc.categorical_column_with_vocabulary_list("tags", ["b"], default_value=0), [[0, 0], [0], [], [0, 0], [0, 0]]),
        (fc.categorical_column_with_vocabulary_list("tags", ["a", "b"], num_oov_buckets=3), "oov"),
        (fc.categorical_column_with_identity("id", 4, default_value=1), [[0], [3], [], [1], [2]]),
        (fc.categorical_column_with_hash_bucket("kind", 5), "hash"),
        (fc.categorical_column_with_hash_bucket("id", 7, dtype=tf.int64), "hashed numbers"),
        (fc.crossed_column([AGES, KIND], 50), "ages and kinds"),
        (fc.crossed_column(["kind", AGES, TAGS], 40, hash_key=123), "three"),
        (fc.crossed_column([fc.crossed_column(["id", KIND], 9), "tags"], 17), "nested"),
    ],
)
def test_categories_are_those_of_tensorflow(column, rows):
    rows = STORED[rows] if isinstance(rows, str) else rows
    np.testing.assert_array_equal(made(fc.indicator_column(column)), counted(rows, column.num_buckets))


STORED = {
    "oov": [[0, 1], [1], [], [0, 0], [1, 3]],
    "hash": [[0], [3], [], [4], [3]],
    "hashed numbers": [[2], [2], [], [3], [5]],
    "ages and kinds": [[4], [41], [], [0], [18]],
    "three": [[35, 36], [4], [], [29, 29], [3, 17]],
    "nested": [[2, 5], [5, 15], [], [5, 5], [1, 12]],
}
"""Categories that TensorFlow 2.21 gives for hashed columns."""


def test_words_of_a_file(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("a\nb\nzz\n")
    column = fc.categorical_column_with_vocabulary_file("tags", str(path))
    np.testing.assert_array_equal(made(fc.indicator_column(column)), counted([[0, 1], [1], [], [0, 0], [2, 1]], 3))
    short = fc.categorical_column_with_vocabulary_file("tags", str(path), vocabulary_size=2)
    np.testing.assert_array_equal(made(fc.indicator_column(short)), counted([[0, 1], [1], [], [0, 0], [1]], 2))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"3 lines"):
        made(fc.indicator_column(fc.categorical_column_with_vocabulary_file("tags", str(path), vocabulary_size=9)))


@pytest.mark.parametrize("combiner", ["mean", "sqrtn", "sum"])
@pytest.mark.parametrize("max_norm", [None, 0.9])
def test_vectors_are_combined(combiner, max_norm):
    vectors = table(3, 4)
    column = fc.embedding_column(TAGS, 4, combiner, tf.constant_initializer(vectors), max_norm=max_norm)
    if max_norm is not None:
        vectors = vectors * np.minimum(1, max_norm / np.linalg.norm(vectors, axis=1, keepdims=True))
    rows = [[0, 1], [1], [], [0, 0], [1]]
    power = {"mean": 1.0, "sqrtn": 0.5, "sum": 0.0}[combiner]
    expected = [vectors[row].sum(axis=0) / max(len(row), 1) ** power for row in rows]
    np.testing.assert_allclose(made(column), expected, atol=1e-6)


def test_weights_of_categories():
    places = [[0, 0], [0, 1], [1, 0], [3, 0]]
    features = {
        "tags": tf.sparse.SparseTensor(places, ["a", "b", "a", "zz"], [4, 2]),
        "how much": tf.sparse.SparseTensor(places, [1.0, 2.0, -1.0, 4.0], [4, 2]),
    }
    column = fc.weighted_categorical_column(TAGS, "how much")
    np.testing.assert_array_equal(
        made(fc.indicator_column(column), features=features), [[1, 2, 0], [-1, 0, 0], [0] * 3, [0] * 3]
    )
    vectors = table(3, 2)
    mean = fc.embedding_column(column, 2, initializer=tf.constant_initializer(vectors))
    # A mean leaves out weights that are not above 0.
    expected = [(vectors[0] + 2 * vectors[1]) / 3, [0, 0], [0, 0], [0, 0]]
    np.testing.assert_allclose(made(mean, features=features), expected, atol=1e-6)


def columns():
    return [
        AGE,
        AGES,
        fc.indicator_column(KIND),
        fc.embedding_column(TAGS, 4),
        fc.indicator_column(fc.crossed_column([AGES, KIND], 10)),
    ]


def test_training_moves_vectors_and_files_keep_the_model(tmp_path):
    inputs = {
        "age": keras.Input((1,), name="age"),
        "kind": keras.Input((1,), name="kind", dtype="string"),
        "tags": keras.Input((2,), name="tags", dtype="string"),
    }
    model = keras.Model(inputs, keras.layers.Dense(1)(DenseFeatures(columns())(inputs)))
    model.compile("adam", "mse")
    data = tf.data.Dataset.from_tensor_slices(({key: FEATURES[key] for key in inputs}, np.float32([0, 1, 1, 0, 1])))
    before = model.get_weights()[0].copy()
    model.fit(data.batch(2), epochs=2, verbose=0)
    assert np.abs(model.get_weights()[0] - before).max() > 0
    expected = model.predict(data.batch(5), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(data.batch(5), verbose=0), expected)


def test_sequential_reads_a_dict_of_rows():
    model = keras.Sequential([DenseFeatures(columns()), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = tf.data.Dataset.from_tensor_slices((FEATURES, np.float32([0, 1, 1, 0, 1]))).batch(5)
    losses = model.fit(data, epochs=2, verbose=0).history["loss"]
    assert np.isfinite(losses).all() and model.predict(data, verbose=0).shape == (5, 1)


def test_what_records_hold():
    spec = fc.make_parse_example_spec(columns())
    assert spec["age"] == tf.io.FixedLenFeature((1,), tf.float32)
    assert {key: found.dtype for key, found in spec.items()} == {"age": "float32", "kind": "string", "tags": "string"}
    with pytest.raises(ValueError, match="one way to read 'id'"):
        fc.make_parse_example_spec([fc.numeric_column("id"), fc.categorical_column_with_identity("id", 3)])


@pytest.mark.parametrize(
    "make, error, match",
    [
        (lambda: DenseFeatures([KIND]), ValueError, "indicator_column"),
        (lambda: made(fc.numeric_column("weight")), ValueError, "'weight'"),
        (lambda: made(fc.indicator_column(fc.categorical_column_with_hash_bucket("id", 3))), ValueError, "tf.int64"),
        (lambda: made(fc.embedding_column(fc.categorical_column_with_identity("id", 4), 2)),
         tf.errors.InvalidArgumentError, "from -?[0-9]+ to 9"),
        (lambda: fc.bucketized_column(AGE, [3, 1]), ValueError, "rising"),
        (lambda: fc.crossed_column(["id"], 4), ValueError, "two or more"),
        (lambda: fc.embedding_column(KIND, 2, ckpt_to_load_from="a", tensor_name_in_ckpt="b"), NotSupportedError,
         "load_variable"),
        (lambda: fc.shared_embeddings([KIND], 2), AttributeError, "Embedding"),
    ],
)  # fmt: skip
def test_mistakes_are_named(make, error, match):
    with pytest.raises(error, match=match):
        make()
