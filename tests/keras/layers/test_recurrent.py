"""Recurrent layers: masks, states, directions, dropout and files, against the oracle."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.engine import rnn as engine_rnn
from hornbeam.keras import Input, Model, layers, models
from tests.keras.layers.samples import draw

pytestmark = pytest.mark.numeric
X = draw(3, 6, 4)
MASK = np.array([[1, 1, 1, 0, 0, 0], [0, 1, 1, 1, 0, 1], [1, 1, 1, 1, 1, 1]], bool)


def as_list(outputs):
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def compare(make, call, atol=2e-6):
    """Ours and the oracle's layer with equal weights give equal results."""
    ours, theirs = make(layers), make(keras.layers)
    expected = as_list(call(theirs))
    call(ours)
    ours.set_weights(theirs.get_weights())
    found = as_list(call(ours))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), atol=atol)
    return ours


FORMS = [
    {"return_sequences": True, "return_state": True},
    {"go_backwards": True, "return_sequences": True},
    {"zero_output_for_mask": True, "return_sequences": True},
    {"unroll": True, "return_state": True, "go_backwards": True},
]


@pytest.mark.parametrize("options", FORMS, ids=lambda form: "-".join(form))
@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_masks_and_forms(kind, options):
    compare(lambda module: getattr(module, kind)(3, **options), lambda layer: layer(X, mask=MASK))


def test_initial_states():
    states = [draw(3, 5, seed=1), draw(3, 5, seed=2)]
    compare(lambda module: module.LSTM(5, return_state=True), lambda layer: layer(X, initial_state=states, mask=MASK))


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
def test_bidirectional(mode):
    compare(
        lambda module: module.Bidirectional(
            module.LSTM(3, return_sequences=True, return_state=True, name="inner"), merge_mode=mode
        ),
        lambda layer: layer(X, mask=MASK),
    )


def test_stacked_cells_with_mask():
    def make(module):
        return module.RNN([module.LSTMCell(5), module.GRUCell(4), module.SimpleRNNCell(3)], return_sequences=True)

    compare(make, lambda layer: layer(X, mask=MASK))


@pytest.mark.parametrize("rates", [{"dropout": 0.4}, {"dropout": 0.3, "recurrent_dropout": 0.2}], ids=len)
@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_dropout_draws_the_oracle_s_masks(kind, rates):
    ours, theirs = (getattr(module, kind)(5, seed=3, **rates) for module in (layers, keras.layers))
    ours.build(X.shape)
    theirs.build(X.shape)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(np.asarray(ours(X, training=True)), np.asarray(theirs(X, training=True)), atol=2e-6)
    still = np.asarray(ours(X, training=False))
    np.testing.assert_allclose(still, np.asarray(ours(X, training=False)))


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_inputs_of_all_steps_at_once(kind, monkeypatch):
    """As on accelerators: one product before the loop, with the dropout masks in it."""
    monkeypatch.setattr(engine_rnn, "projects_at_once", lambda features: True)
    for options in ({}, {"dropout": 0.3, "recurrent_dropout": 0.2, "seed": 5}):
        ours, theirs = (getattr(module, kind)(5, **options) for module in (layers, keras.layers))
        ours.build(X.shape)
        theirs.build(X.shape)
        ours.set_weights(theirs.get_weights())
        found, wanted = (np.asarray(layer(X, mask=MASK, training=True)) for layer in (ours, theirs))
        np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_stateful():
    ours, theirs = (module.LSTM(5, stateful=True) for module in (layers, keras.layers))
    first = np.asarray(theirs(X))
    ours(X)
    ours.set_weights(theirs.get_weights())
    for layer in (ours, theirs):
        layer.reset_state()
    for _ in range(2):
        found, expected = np.asarray(ours(X)), np.asarray(theirs(X))
        np.testing.assert_allclose(found, expected, atol=2e-6)
    assert np.abs(found - first).max() > 1e-3
    assert len(ours.weights) == 3
    with pytest.raises(ValueError, match="stateful"):
        ours(X[:2])


def test_stateful_in_fit_carries_states_on():
    inputs = Input(batch_shape=(3, 6, 4))
    model = Model(inputs, layers.GRU(2, stateful=True)(inputs))
    model.compile("sgd", "mse")
    model.fit(X, draw(3, 2), batch_size=3, epochs=2, verbose=0)
    layer = model.layers[1]
    assert np.abs(layer.states[0].numpy()).max() > 0
    first = model.predict(X, batch_size=3, verbose=0)
    assert np.abs(model.predict(X, batch_size=3, verbose=0) - first).max() > 1e-5
    layer.reset_states()
    assert not layer.states[0].numpy().any()


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_mixed_precision(kind):
    found = compare(
        lambda module: getattr(module, kind)(5, dtype="mixed_float16", return_sequences=True),
        lambda layer: layer(X),
        atol=2e-3,
    )
    assert found(X).dtype == "float16"
    assert found.weights[0].dtype == "float32"


class Running(layers.Layer):
    """A cell of the user's: a decaying sum."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), "ones", name="kernel")

    def call(self, inputs, states):
        output = tf.matmul(inputs, self.kernel) + 0.5 * states[0]
        return output, [output]


def test_cells_of_the_user_s():
    layer = layers.RNN(Running(2), return_state=True)
    output, state = layer(X)
    wanted = np.zeros((3, 2))
    for step in range(6):
        wanted = X[:, step].sum(-1, keepdims=True) + 0.5 * wanted
    np.testing.assert_allclose(np.asarray(output), wanted, rtol=1e-5)
    np.testing.assert_array_equal(np.asarray(state), np.asarray(output))
    model = tf.keras.Sequential([Input((6, 4)), layers.RNN([Running(3), Running(2)])])
    model.compile("sgd", "mse")
    history = model.fit(X, np.zeros((3, 2), "float32"), epochs=3, verbose=0).history["loss"]
    assert history[2] < history[0]


def test_gradients_reach_inputs_and_states():
    layer = layers.LSTM(3)
    x, states = tf.constant(X), [tf.constant(draw(3, 3, seed=s)) for s in (1, 2)]
    with tf.GradientTape() as tape:
        tape.watch([x, *states])
        total = tf.reduce_sum(layer(x, initial_state=states) ** 2)
    found = tape.gradient(total, [x, *states, *layer.trainable_variables])
    assert all(np.abs(gradient.numpy()).max() > 0 for gradient in found)


def test_encoder_and_decoder_files(tmp_path):
    source, target = Input((None, 4)), Input((None, 2))
    _, *states = layers.LSTM(5, return_state=True)(source)
    outputs = layers.LSTM(5, return_sequences=True)(target, initial_state=states)
    model = Model([source, target], layers.Dense(2)(outputs))
    data = [X, draw(3, 3, 2)]
    wanted = model.predict(data, verbose=0)
    model.save(tmp_path / "model.keras")
    for module in (models, keras.models):
        found = module.load_model(tmp_path / "model.keras").predict(data, verbose=0)
        np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_refusals():
    with pytest.raises(NotImplementedError, match="use_cudnn"):
        layers.LSTM(3, use_cudnn=True)
    with pytest.raises(ValueError, match="units"):
        layers.GRU(0)
    with pytest.raises(ValueError, match="merge_mode"):
        layers.Bidirectional(layers.GRU(2), merge_mode="max")
    with pytest.raises(ValueError, match="state_size"):
        layers.RNN(layers.Dense(2))
    with pytest.raises(ValueError, match="batch size"):
        layers.LSTM(2, stateful=True)(Input((3, 4)))


class PairCell(layers.Layer):
    """A cell whose step is a vector and a matrix, with a state for each."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.state_size = [tf.TensorShape([2]), tf.TensorShape([3, 4])]
        self.output_size = [tf.TensorShape([2]), tf.TensorShape([3, 4])]

    def build(self, input_shapes):
        (_, first), (_, rows, columns) = input_shapes
        self.vectors = self.add_weight(shape=(first, 2), initializer="ones")
        self.matrices = self.add_weight(shape=(rows, columns, 3, 4), initializer="ones")

    def call(self, inputs, states):
        vector = tf.matmul(inputs[0], self.vectors)
        matrix = tf.einsum("bij,ijkl->bkl", inputs[1], self.matrices)
        return (vector, matrix), (states[0] + vector, states[1] + matrix)


def test_a_step_may_be_a_nesting_of_tensors():
    first, second = Input((None, 5)), Input((None, 3, 2))
    model = Model([first, second], layers.RNN(PairCell(), return_state=True)((first, second)))
    data = [draw(4, 6, 5), draw(4, 6, 3, 2)]
    (vector, matrix), sum_of_vectors, sum_of_matrices = model.predict(data, verbose=0)
    assert [tuple(out.shape[1:]) for out in model.outputs] == [(2,), (3, 4), (2,), (3, 4)]
    np.testing.assert_allclose(vector[:, 0], data[0][:, -1].sum(-1), rtol=1e-5)
    np.testing.assert_allclose(matrix[:, 2, 3], data[1][:, -1].sum((-1, -2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(sum_of_vectors[:, 1], data[0].sum((1, 2)), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(sum_of_matrices[:, 0, 0], data[1].sum((1, 2, 3)), rtol=1e-5, atol=1e-5)
