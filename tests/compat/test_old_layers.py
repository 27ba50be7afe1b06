"""Layers that Keras dropped, against their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.base.errors import NotSupportedError
from tests.compat.spellings import no_notes, old_spellings  # noqa: F401 - fixtures

layers = keras.layers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4)).astype("float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_maxout_dense():
    layer = layers.MaxoutDense(3, nb_feature=2, input_dim=4)
    found = np.asarray(layer(X))
    kernel, bias = layer.get_weights()
    assert kernel.shape == (2, 4, 3)
    np.testing.assert_allclose(found, (np.einsum("bi,fio->bfo", X, kernel) + bias).max(axis=1), rtol=1e-5, atol=1e-6)


def test_highway():
    layer = layers.Highway(activation="tanh", transform_bias=-1)
    found = np.asarray(layer(X))
    kernel, carry, bias, bias_carry = (
        np.asarray(w) for w in (layer.kernel, layer.kernel_carry, layer.bias, layer.bias_carry)
    )
    np.testing.assert_array_equal(bias_carry, np.full(4, -1.0))
    gate = sigmoid(X @ carry + bias_carry)
    np.testing.assert_allclose(found, gate * np.tanh(X @ kernel + bias) + (1 - gate) * X, rtol=1e-5, atol=1e-6)


def test_srelu_and_parametric_softplus():
    layer = layers.SReLU(t_left_init="one", a_left_init="one", t_right_init="one", a_right_init="zero")
    np.testing.assert_allclose(layer(np.array([[-3.0, 1.5, 7.0]])), [[-3.0, 1.5, 2.0]], rtol=1e-6)
    layer = layers.ParametricSoftplus(0.3, 2.0)
    np.testing.assert_allclose(layer(X), 0.3 * np.log1p(np.exp(2.0 * X)), rtol=1e-5)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_locally_connected_2d(data_format):
    layer = layers.LocallyConnected2D(3, 2, 3, subsample=(2, 1), data_format=data_format)
    pictures = RNG.normal(size=(2, 5, 6, 4)).astype("float32")
    given = pictures if data_format == "channels_last" else pictures.transpose(0, 3, 1, 2)
    found = np.asarray(layer(given))
    kernel, bias = layer.get_weights()
    expected = np.zeros((2, 2, 4, 3))
    for row in range(2):
        for column in range(4):
            patch = pictures[:, 2 * row : 2 * row + 2, column : column + 3]
            patch = patch if data_format == "channels_last" else patch.transpose(0, 3, 1, 2)
            expected[:, row, column] = patch.reshape(2, -1) @ kernel[4 * row + column] + bias[row, column]
    expected = expected if data_format == "channels_last" else expected.transpose(0, 3, 1, 2)
    assert layer.compute_output_shape(given.shape) == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_locally_connected_1d_and_its_limits():
    layer = layers.LocallyConnected1D(2, 3, activation="relu")
    steps = RNG.normal(size=(2, 5, 4)).astype("float32")
    found = np.asarray(layer(steps))
    kernel, bias = layer.get_weights()
    for place in range(3):
        wanted = steps[:, place : place + 3].reshape(2, -1) @ kernel[place] + bias[place]
        np.testing.assert_allclose(found[:, place], np.maximum(wanted, 0), rtol=1e-4, atol=1e-5)
    with pytest.raises(NotSupportedError, match="valid"):
        layers.LocallyConnected1D(2, 3, padding="same")


@pytest.mark.parametrize("kind", ["gaussian", "laplacian"])
def test_random_fourier_features(kind):
    layer = layers.RandomFourierFeatures(6, kind, scale=2.0)
    found = np.asarray(layer(X))
    kernel, bias = np.asarray(layer.unscaled_kernel), np.asarray(layer.bias)
    np.testing.assert_allclose(found, np.cos(X @ (kernel / 2.0) + bias), rtol=1e-4, atol=1e-5)
    assert layer.trainable_weights == []


MODES = {
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2,
    "max": np.maximum,
    "concat": lambda a, b: np.concatenate([a, b], axis=-1),
    "dot": lambda a, b: (a * b).sum(axis=1, keepdims=True),
}


@pytest.mark.parametrize("mode", MODES)
def test_merge_modes(mode):
    a, b = X, X[::-1]
    tensors = [layers.Input((4,)), layers.Input((4,))]
    model = keras.Model(tensors, layers.merge(tensors, mode=mode, dot_axes=1))
    np.testing.assert_allclose(model.predict([a, b], verbose=0), MODES[mode](a, b), rtol=1e-5, atol=1e-6)


def test_merge_by_a_function_and_by_cosine():
    first = layers.Merge(mode=lambda tensors: tensors[0] - 2 * tensors[1])
    np.testing.assert_allclose(first([X, X[::-1]]), X - 2 * X[::-1], rtol=1e-5)
    cosine = layers.Merge(mode="cos", dot_axes=1)([X, X])
    np.testing.assert_allclose(cosine, np.ones((5, 1, 1)), rtol=1e-5)
    with pytest.raises(ValueError, match="unknown mode"):
        layers.Merge(mode="plus")


def test_merge_first_in_a_sequential():
    left = keras.Sequential([layers.Dense(3, input_dim=4)])
    right = keras.Sequential([layers.Dense(3, input_dim=4)])
    model = keras.Sequential()
    model.add(layers.Merge([left, right], mode="sum"))
    model.add(layers.Dense(2))
    model.compile("sgd", "mse")
    history = model.fit([X, X], np.ones((5, 2)), verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    inner = np.asarray(left(X)) + np.asarray(right(X))
    kernel, bias = model.layers[-1].get_weights()
    np.testing.assert_allclose(model.predict([X, X], verbose=0), inner @ kernel + bias, rtol=1e-4, atol=1e-5)


def test_time_distributed_dense():
    layer = layers.TimeDistributedDense(output_dim=2, activation="relu")
    steps = RNG.normal(size=(2, 3, 4)).astype("float32")
    found = np.asarray(layer(steps))
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(found, np.maximum(steps @ kernel + bias, 0), rtol=1e-5, atol=1e-6)


def test_preprocessing_layers_of_users():
    class Centre(layers.PreprocessingLayer):
        def build(self, input_shape):
            self.total, self.rows = np.zeros(input_shape[-1]), 0

        def update_state(self, data):
            self.total, self.rows = self.total + np.sum(data, axis=0), self.rows + len(data)

        def finalize_state(self):
            self.mean = (self.total / self.rows).astype("float32")

        def call(self, inputs):
            return inputs - self.mean

    layer = Centre()
    layer.adapt(X, batch_size=2)
    assert layer.is_adapted
    np.testing.assert_allclose(layer(X), X - X.mean(axis=0), rtol=1e-4, atol=1e-6)


def test_old_layers_are_saved_and_loaded(tmp_path):
    model = keras.Sequential([keras.layers.MaxoutDense(3, nb_feature=2, input_dim=4), keras.layers.Highway()])
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    want = model.predict(x, verbose=0)
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name)
        np.testing.assert_allclose(again.predict(x, verbose=0), want, rtol=1e-6)
        assert [type(layer).__name__ for layer in again.layers] == ["MaxoutDense", "Highway"]
