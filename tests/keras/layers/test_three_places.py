"""Preprocessing layers give the same alone, in a data set's map, in a model, and in a model read from a file."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (3, 7, 6, 3)).astype("float32")
TABLE = RNG.normal(size=(3, 4)).astype("float32")
WORDS = np.array([["a", "b"], ["c", "zz"], ["b", "b"]])
TEXTS = np.array(["The cat sat. on", "dog! THE cat", "mat"])
LAYERS = keras.layers


def _adapted(layer, data):
    layer.adapt(data)
    return layer


CASES = {
    "resizing": (lambda: LAYERS.Resizing(4, 5, crop_to_aspect_ratio=True), PICTURES),
    "normalization": (lambda: _adapted(LAYERS.Normalization(), TABLE), TABLE),
    "discretization": (lambda: LAYERS.Discretization([-1.0, 0.5], output_mode="multi_hot"), TABLE),
    "string lookup": (lambda: _adapted(LAYERS.StringLookup(output_mode="count"), WORDS), WORDS),
    "hashing": (lambda: LAYERS.Hashing(7, salt=[1, 2]), WORDS),
    "text": (lambda: _adapted(LAYERS.TextVectorization(output_sequence_length=3), TEXTS), TEXTS),
}


@pytest.mark.parametrize("name", CASES)
def test_alike_in_all_places(name, tmp_path):
    make, data = CASES[name]
    layer = make()
    expected = np.asarray(layer(tf.constant(data) if data.dtype.kind == "U" else data))
    mapped = tf.data.Dataset.from_tensor_slices(data).batch(2).map(layer)
    found = np.concatenate(list(mapped.as_numpy_iterator()))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    inputs = keras.Input(data.shape[1:], dtype="string" if data.dtype.kind == "U" else "float32")
    model = keras.Model(inputs, layer(inputs))
    given = tf.constant(data) if data.dtype.kind == "U" else data
    np.testing.assert_allclose(model.predict(given, verbose=0), expected, rtol=1e-6, atol=1e-6)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(given, verbose=0), expected, rtol=1e-6, atol=1e-6)


def test_resizing_in_a_data_set_gives_floats():
    # Outside, whole numbers stay whole numbers and are rounded; both as in Keras 3.15.
    images = (np.arange(2 * 4 * 4 * 1).reshape(2, 4, 4, 1) * 7).astype("uint8")
    layer = keras.layers.Resizing(3, 2)
    exact = np.asarray(layer(images.astype("float32")))
    assert not np.array_equal(exact, np.round(exact))
    for batch in tf.data.Dataset.from_tensor_slices(images).batch(2).map(layer):
        assert batch.dtype == "float32"
        np.testing.assert_allclose(batch, exact, rtol=1e-6)
    assert layer(images).dtype == "uint8"
    # Functions that run as Python, too.
    pairs = tf.data.Dataset.from_tensor_slices((images, ["a", "b"])).map(lambda x, y: (layer(x), y))
    np.testing.assert_allclose(np.stack([np.asarray(x) for x, _ in pairs]), exact, rtol=1e-6)


def test_sparse_categories():
    layer = keras.layers.CategoryEncoding(4, sparse=True)
    assert tf.sparse.to_dense(layer(np.array([[0, 3], [1, 1]]))).numpy().tolist() == [[1, 0, 0, 1], [0, 1, 0, 0]]
    assert tf.sparse.to_dense(layer([1, 2])).numpy().tolist() == [0, 1, 1, 0]
