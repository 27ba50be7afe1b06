"""R-51: rows of which every step is masked give initial states, zeros or means, and finite gradients."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.keras import layers

pytestmark = pytest.mark.numeric
STEPS, WIDTH = 4, 3


def values(seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=(2, STEPS, WIDTH)).astype("float32"))


NOTHING = np.zeros((2, STEPS), bool)


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_recurrent_layers_return_the_initial_state(kind):
    layer = getattr(layers, kind)(5, return_sequences=True, return_state=True)
    count = 2 if kind == "LSTM" else 1
    start = [tf.constant(np.full((2, 5), 0.25 + i, "float32")) for i in range(count)]
    x = values()
    with tf.GradientTape() as tape:
        tape.watch(x)
        _, *states = layer(x, mask=NOTHING, initial_state=start)
        loss = sum(tf.reduce_sum(state) for state in states)
    for state, given in zip(states, start, strict=True):
        np.testing.assert_array_equal(state.numpy(), given.numpy())
    gradients = tape.gradient(loss, [x, *layer.trainable_variables], unconnected_gradients="zero")
    for gradient in gradients:
        np.testing.assert_array_equal(np.asarray(gradient), np.zeros(gradient.shape))


ATTENTION = {
    "Attention": lambda: (layers.Attention(), lambda layer, x: layer([x, x], mask=[None, NOTHING])),
    "Attention, own scale": lambda: (
        layers.Attention(use_scale=True, score_mode="concat"),
        lambda layer, x: layer([x, x], mask=[None, NOTHING]),
    ),
    "AdditiveAttention": lambda: (layers.AdditiveAttention(), lambda layer, x: layer([x, x], mask=[None, NOTHING])),
    "MultiHeadAttention": lambda: (
        layers.MultiHeadAttention(2, 3, use_bias=False),
        lambda layer, x: layer(x, x, attention_mask=np.zeros((2, STEPS, STEPS), bool)),
    ),
    "GroupQueryAttention": lambda: (
        layers.GroupQueryAttention(3, 2, 1, use_bias=False),
        lambda layer, x: layer(x, x, attention_mask=np.zeros((2, STEPS, STEPS), bool)),
    ),
    "GlobalAveragePooling1D": lambda: (layers.GlobalAveragePooling1D(), lambda layer, x: layer(x, mask=NOTHING)),
}


def mean_of_steps(x, layer):
    return np.broadcast_to(x.mean(1, keepdims=True), x.shape)


def mean_through_kernels(x, layer):
    mean = mean_of_steps(x, layer).astype("float64")
    _, _, value, output = [np.asarray(weight, "float64") for weight in layer.get_weights()]
    heads = np.einsum("bsw,whd->bshd", mean, value)
    return np.einsum("bshd,hdw->bsw", np.repeat(heads, output.shape[0] // heads.shape[2], axis=2), output)


# As in Keras, all steps count alike where none does: a mean, from which no NaN can come.
EXPECTED = {
    "Attention": mean_of_steps,
    "Attention, own scale": mean_of_steps,
    "AdditiveAttention": mean_of_steps,
    "MultiHeadAttention": mean_through_kernels,
    "GroupQueryAttention": mean_through_kernels,
    "GlobalAveragePooling1D": lambda x, layer: np.zeros((2, WIDTH)),
}


@pytest.mark.parametrize("name", ATTENTION)
def test_nothing_to_attend_to(name):
    layer, call = ATTENTION[name]()
    x = values(1)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        found = call(layer, x)
        loss = tf.reduce_sum(found)
    expected = EXPECTED[name](x.numpy(), layer)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-6)
    assert np.isfinite(tape.gradient(loss, x).numpy()).all()
    if name == "GlobalAveragePooling1D":
        np.testing.assert_array_equal(tape.gradient(loss, x).numpy(), np.zeros(x.shape))


def test_the_oracle_agrees():
    """What attention gives where there is nothing to attend to is no choice of ours."""
    x = values(1).numpy()
    theirs = keras.layers.Attention()([x, x], mask=[None, NOTHING])
    np.testing.assert_allclose(layers.Attention()([x, x], mask=[None, NOTHING]).numpy(), theirs, rtol=1e-5)
    kept = np.ones((2, STEPS, 1), bool)
    softmax = layers.Softmax()(x, mask=np.zeros(x.shape, bool)).numpy()
    np.testing.assert_array_equal(softmax, np.zeros(x.shape))
    assert layers.Softmax()(x, mask=np.broadcast_to(kept, x.shape)).numpy().sum() == pytest.approx(2 * STEPS)
