"""Sizes of symbolic tensors as shapes of others: ``tf.shape(x)[0]`` outside of layers."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras


@pytest.fixture(scope="module")
def model():
    x = keras.Input((None, 4))
    batch, time = tf.shape(x)[0], tf.shape(x)[1]
    outputs = {
        "reshaped": tf.reshape(x, (batch, time * 2, 2)),
        "zeros": tf.zeros((batch, 3)),
        "tiled": tf.tile(tf.constant([[1.0, 2.0]]), [batch, 1]),
        "noise": tf.random.normal(tf.shape(x)),
        "spread": tf.broadcast_to(tf.reduce_mean(x, axis=1, keepdims=True), tf.shape(x)),
        "mean": tf.reduce_sum(x, axis=1) / tf.cast(time, tf.float32),
        "places": x + keras.layers.Embedding(10, 4)(tf.range(time)),
        "shorter": x[:, : time - 1],
        "filled": tf.fill([batch, 1], 2.0),
        "flat": keras.backend.reshape(x, (keras.backend.shape(x)[0], -1)),
    }
    return keras.Model(x, outputs)


X = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")


def test_shapes_are_known_as_far_as_they_can_be(model):
    assert tuple(model.output["reshaped"].shape) == (None, None, 2)
    assert tuple(model.output["zeros"].shape) == (None, 3)
    assert tuple(model.output["places"].shape) == (None, None, 4)


def test_values(model):
    out = model.predict(X, verbose=0)
    np.testing.assert_array_equal(out["reshaped"], X.reshape(2, 10, 2))
    np.testing.assert_array_equal(out["zeros"], np.zeros((2, 3)))
    np.testing.assert_array_equal(out["tiled"], [[1, 2], [1, 2]])
    np.testing.assert_allclose(out["spread"], np.broadcast_to(X.mean(1, keepdims=True), X.shape), atol=1e-6)
    np.testing.assert_allclose(out["mean"], X.mean(1), atol=1e-6)
    table = model.layers[-1].get_weights()[0]
    np.testing.assert_allclose(out["places"], X + table[:5], atol=1e-6)
    np.testing.assert_array_equal(out["shorter"], X[:, :4])
    np.testing.assert_array_equal(out["filled"], [[2], [2]])
    np.testing.assert_array_equal(out["flat"], X.reshape(2, 20))
    assert out["noise"].shape == X.shape
    assert np.ptp(np.asarray(model(X)["noise"]) - np.asarray(model(X)["noise"])) > 0


def test_saved_and_loaded(model, tmp_path):
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    want, got = model.predict(X, verbose=0), again.predict(X, verbose=0)
    for name in want:
        if name != "noise":
            np.testing.assert_allclose(got[name], want[name], atol=1e-6, err_msg=name)


def test_a_symbolic_tensor_beside_values_says_what_is_wrong():
    outer = keras.Input((4,))

    def loss(y, p):
        return keras.ops.mean(p) + keras.ops.sum(outer)

    model = keras.Sequential([keras.layers.Dense(1, input_shape=(4,))])
    model.compile("sgd", loss)
    with pytest.raises(TypeError, match="symbolic tensor"):
        model.fit(np.ones((2, 4)), np.ones((2, 1)), verbose=0)


def test_a_layer_may_use_another_tensor_of_its_graph():
    x = keras.Input((3,))
    code = keras.layers.Dense(2, name="code")(x)

    class Gated(keras.layers.Layer):
        def call(self, inputs):
            return inputs * keras.ops.sum(keras.ops.square(code), axis=-1, keepdims=True)

    model = keras.Model(x, Gated()(keras.layers.Dense(4, name="body")(code)))
    given = np.random.default_rng(1).normal(size=(5, 3)).astype("float32")
    hidden = given @ model.get_layer("code").get_weights()[0]
    want = hidden @ model.get_layer("body").get_weights()[0] * (hidden**2).sum(-1, keepdims=True)
    np.testing.assert_allclose(model.predict(given, verbose=0), want, rtol=1e-5, atol=1e-5)


def test_the_input_of_an_input_layer_is_its_output():
    x = keras.Input((3,))
    layer = keras.Model(x, keras.layers.Dense(2)(x)).layers[0]
    assert layer.input is layer.output is x
