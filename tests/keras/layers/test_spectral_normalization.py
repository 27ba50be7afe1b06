"""SpectralNormalization: numbers of Keras, and what the power iteration is for."""

import keras as oracle
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.keras import layers
from tests.keras.layers.samples import draw

pytestmark = pytest.mark.numeric
KINDS = {
    "dense": (lambda make: make.Dense(4), (6, 5)),
    "conv": (lambda make: make.Conv2D(3, 3), (2, 8, 8, 2)),
    "depthwise": (lambda make: make.DepthwiseConv2D(3), (2, 8, 8, 2)),
    "zeros": (lambda make: make.Dense(4, kernel_initializer="zeros"), (6, 5)),
}


def pair(kind, iterations):
    make, shape = KINDS[kind]
    ours = layers.SpectralNormalization(make(layers), power_iterations=iterations, name="sn")
    theirs = oracle.layers.SpectralNormalization(make(oracle.layers), power_iterations=iterations, name="sn")
    x = draw(*shape)
    ours(x), theirs(x)
    ours.set_weights(theirs.get_weights())
    return ours, theirs, x


@pytest.mark.parametrize("iterations", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_calls_equal_keras(kind, iterations):
    ours, theirs, x = pair(kind, iterations)
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    for training in (False, True, True, False):
        found, expected = ours(x, training=training), theirs(x, training=training)
        np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-5, atol=1e-6)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


def test_the_kernel_gets_spectral_norm_1():
    layer = layers.SpectralNormalization(
        layers.Dense(8, kernel_initializer=keras.initializers.RandomNormal(seed=1)), power_iterations=30
    )
    layer(draw(4, 6), training=True)
    np.testing.assert_allclose(np.linalg.svd(np.array(layer.layer.kernel))[1][0], 1.0, rtol=1e-4)


def test_training_steps_equal_keras():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 5)).astype("float32"), rng.normal(size=(32, 1)).astype("float32")
    models = []
    for library in (keras, oracle):
        make = library.layers
        inner = make.SpectralNormalization(make.Dense(7, activation="tanh"))
        model = library.Sequential([library.Input((5,)), inner, make.SpectralNormalization(make.Dense(1))])
        model.compile(library.optimizers.SGD(0.1), "mse")
        if models:
            models[0].set_weights(model.get_weights())
        models.append(model)
    losses = [one.fit(x, y, epochs=2, batch_size=8, verbose=0, shuffle=False).history["loss"] for one in models]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    for mine, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)


def test_the_gradient_goes_through_the_division():
    layer = layers.SpectralNormalization(layers.Dense(3, use_bias=False))
    x = draw(8, 5)
    layer(x)
    kernel, vector = (np.array(weight, "float64") for weight in (layer.layer.kernel, layer.vector_u))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(x, training=True)))
    gradient = tape.gradient(loss, layer.layer.kernel).numpy()
    left = vector @ kernel.T
    left /= np.linalg.norm(left)
    right = left @ kernel
    right /= np.linalg.norm(right)

    def by_hand(matrix):
        return ((x @ matrix / (left @ matrix @ right.T)) ** 2).sum()

    step = 1e-6
    for place in np.ndindex(kernel.shape):
        moved = np.zeros_like(kernel)
        moved[place] = step
        slope = (by_hand(kernel + moved) - by_hand(kernel - moved)) / (2 * step)
        np.testing.assert_allclose(gradient[place], slope, rtol=2e-3, atol=2e-3)


def test_embedding_config_and_refusals():
    layer = layers.SpectralNormalization(layers.Embedding(10, 4), power_iterations=2)
    assert tuple(layer(np.arange(6), training=True).shape) == (6, 4)
    again = layers.SpectralNormalization.from_config(layer.get_config())
    assert again.power_iterations == 2 and isinstance(again.layer, layers.Embedding)
    expected = oracle.layers.SpectralNormalization(oracle.layers.Dense(2), power_iterations=2).get_config()
    assert set(again.get_config()) == set(expected)
    with pytest.raises(ValueError, match="power_iterations=0"):
        layers.SpectralNormalization(layers.Dense(2), power_iterations=0)
    with pytest.raises(ValueError, match="ReLU"):
        layers.SpectralNormalization(layers.ReLU())(draw(2, 3))
