"""Models that begin with layers for texts: trained in compiled steps, saved, and equal to their parts."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as tf
from hornbeam.keras import Input, Model, Sequential, layers, models
from hornbeam.keras.trainers import host_head

pytestmark = pytest.mark.train
TEXTS = np.array(["the cat sat", "a dog ran off to the sea", "cats, dogs", "the mat"] * 8)
NUMBERS = np.arange(32).reshape(-1, 1)
TARGETS = np.array([0.0, 1.0, 0.0, 1.0] * 8, "float32").reshape(-1, 1)


def vectorizer(**options):
    layer = layers.TextVectorization(**options)
    layer.adapt(TEXTS)
    return layer


def two_inputs(**options):
    texts, numbers = Input((1,), dtype="string", name="texts"), Input((1,), dtype="int64", name="numbers")
    words = layers.Embedding(40, 4, mask_zero=True)(vectorizer(**options)(texts))
    bins = layers.Hashing(6, output_mode="one_hot")(numbers)
    looked_up = layers.IntegerLookup(vocabulary=[1, 5], output_mode="one_hot")(numbers)
    joined = layers.Concatenate()([layers.GlobalAveragePooling1D()(words), bins, looked_up])
    model = Model([texts, numbers], layers.Dense(1)(joined))
    model.compile(tf.keras.optimizers.SGD(0.02), "mse")
    return model


@pytest.mark.parametrize("options", [{"output_sequence_length": 4}, {}], ids=["fixed length", "any length"])
def test_steps_are_compiled_and_right(options, tmp_path):
    model = two_inputs(**options)
    parts = model.get_weights()
    history = model.fit([TEXTS, NUMBERS], TARGETS, batch_size=8, epochs=4, shuffle=False, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert model._runner("train").compiled
    assert len(model._runner("train")._programs) > 0
    predicted = model.predict({"texts": TEXTS, "numbers": NUMBERS}, verbose=0)
    np.testing.assert_allclose(predicted, model([tf.constant(TEXTS), NUMBERS]).numpy(), atol=1e-6)
    model.save(tmp_path / "model.keras")
    again = models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict([TEXTS, NUMBERS], verbose=0), predicted)
    eager = two_inputs(**options)
    eager.set_weights(parts)
    eager.compile(tf.keras.optimizers.SGD(0.02), "mse", run_eagerly=True)
    slow = eager.fit([TEXTS, NUMBERS], TARGETS, batch_size=8, epochs=4, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(history, slow, rtol=1e-5)


def test_models_with_texts_inside_of_models():
    texts, numbers = Input((1,), dtype="string", name="texts"), Input((1,), name="numbers")
    codes = layers.StringLookup(vocabulary=["a dog", "the mat"], output_mode="one_hot")(texts)
    table = Model({"texts": texts, "numbers": numbers}, layers.Concatenate()([numbers, codes]))
    words = Sequential([Input((1,), dtype="string"), vectorizer(output_sequence_length=4), layers.Embedding(40, 4)])
    twice = layers.Concatenate()([layers.Flatten()(words(texts)), layers.Flatten()(words(texts))])
    inside = table({"texts": texts, "numbers": numbers})
    assert inside.shape == (None, 4)
    model = Model([texts, numbers], layers.Dense(1)(layers.Concatenate()([inside, twice])))
    start = model.get_weights()
    losses = []
    for eagerly in (False, True):
        model.set_weights(start)
        model.compile(tf.keras.optimizers.SGD(0.001), "mse", run_eagerly=eagerly)
        losses.append(model.fit([TEXTS, NUMBERS], TARGETS, epochs=2, shuffle=False, verbose=0).history["loss"])
        assert model._runner("train").compiled is not eagerly
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    assert not np.array_equal(words.get_weights()[0], start[0])
    expected = model([tf.constant(TEXTS), NUMBERS.astype("float32")]).numpy()
    np.testing.assert_allclose(model.predict([TEXTS, NUMBERS], verbose=0), expected, atol=1e-5)
    rows = tf.data.Dataset.from_tensor_slices(((TEXTS, NUMBERS), TARGETS)).batch(8)
    np.testing.assert_allclose(model.predict(rows, verbose=0), expected, atol=1e-5)


def test_sequential_and_single_batches():
    model = Sequential([vectorizer(output_mode="tf_idf"), layers.Dense(1)])
    model.compile("sgd", "mse")
    first = model.train_on_batch(TEXTS[:4], TARGETS[:4])
    assert np.isfinite(first)
    assert model.predict_on_batch(TEXTS[:4]).shape == (4, 1)
    assert np.isfinite(model.evaluate(TEXTS, TARGETS, verbose=0))


def test_datasets_of_texts():
    model = Sequential(
        [vectorizer(output_sequence_length=4), layers.Embedding(40, 2), layers.Flatten(), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    data = tf.data.Dataset.from_tensor_slices((TEXTS, TARGETS)).batch(8)
    history = model.fit(data, epochs=2, verbose=0).history["loss"]
    assert history[1] < history[0]
    layer = model.layers[0]
    mapped = tf.data.Dataset.from_tensor_slices(TEXTS).batch(8).map(layer)
    np.testing.assert_array_equal(next(iter(mapped)).numpy(), layer(TEXTS[:8]).numpy())


def test_models_that_give_texts():
    numbers = Input((1,), dtype="int64")
    model = Model(numbers, layers.StringLookup(vocabulary=["a", "b"], invert=True)(numbers))
    assert model.predict(np.array([[1], [2], [0]]), verbose=0).tolist() == [[b"a"], [b"b"], [b"[UNK]"]]
    assert host_head.head_of(model) is None


def test_layers_of_subclassed_models_run_as_written():
    class Net(Model):
        def __init__(self):
            super().__init__()
            self.words, self.table, self.out = vectorizer(), layers.Embedding(40, 3), layers.Dense(1)

        def call(self, inputs):
            return self.out(tf.reduce_mean(self.table(self.words(inputs)), axis=1))

    model = Net()
    model.compile("sgd", "mse")
    history = model.fit(TEXTS, TARGETS, epochs=2, verbose=0).history["loss"]
    assert history[1] < history[0]


def test_errors_say_what_to_do():
    with pytest.raises(RuntimeError, match="adapt"):
        layers.StringLookup()(tf.constant(["a"]))
    with pytest.raises(ValueError, match="repeated"):
        layers.StringLookup(vocabulary=["a", "a"])
    with pytest.raises(ValueError, match="num_oov_indices=0"):
        layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(tf.constant(["b"]))
    with pytest.raises(ValueError, match="max_tokens"):
        layers.IntegerLookup(vocabulary=[1, 2, 3], max_tokens=3)
    with pytest.raises(ValueError, match="boundaries"):
        layers.Discretization(num_bins=3)(NUMBERS)
    with pytest.raises(ValueError, match="adapt"):
        tf.keras.utils.FeatureSpace({"a": "string_categorical"})({"a": "x"})


def test_vocabulary_files(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("sea\nmat\n", encoding="utf-8")
    layer = layers.StringLookup(vocabulary=str(path))
    assert layer.get_vocabulary() == ["[UNK]", "sea", "mat"]
    assert layer(tf.constant(["mat", "x"])).numpy().tolist() == [2, 0]
    table = tf.lookup.StaticHashTable(
        tf.lookup.TextFileInitializer(
            str(path), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
        ),
        -1,
    )
    assert table.lookup(tf.constant(["mat", "x"])).numpy().tolist() == [1, -1]
