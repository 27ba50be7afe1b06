"""Losses and metrics of old programs that use inner tensors of the model; see also ``spellings.py``."""

import functools

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.keras import backend as K
from tests.compat.spellings import no_notes, old_spellings  # noqa: F401

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")


def _make(form):
    keras.utils.set_random_seed(0)
    x = keras.layers.Input((3,))
    code = keras.layers.Dense(2, name="code")(x)
    out = keras.layers.Dense(3, name="out")(code)
    model = keras.models.Model(x, out)
    penalty = K.sum(K.square(code), axis=-1)

    def with_code(y, p, code=None):
        return K.mean(K.square(y - p), axis=-1) + K.sum(K.square(code), axis=-1)

    losses = {
        "closure": lambda y, p: K.mean(K.square(y - p), axis=-1) + penalty,
        "inner": lambda y, p: (lambda: K.mean(K.square(y - p), axis=-1) + K.sum(K.square(code), axis=-1))(),
        "partial": functools.partial(with_code, code=code),
    }
    return model, losses[form]


def _want(model):
    code = X @ model.get_layer("code").get_weights()[0]
    out = code @ model.get_layer("out").get_weights()[0]
    return float((((X - out) ** 2).mean(-1) + (code**2).sum(-1)).mean())


@pytest.mark.parametrize("form", ["closure", "inner", "partial"])
def test_loss_with_an_inner_tensor(form):
    model, loss = _make(form)
    model.compile("sgd", loss=loss)
    want = _want(model)
    assert model.evaluate(X, X, verbose=0) == pytest.approx(want, rel=1e-5)
    losses = model.fit(X, X, epochs=5, batch_size=8, verbose=0).history["loss"]
    assert losses[0] == pytest.approx(want, rel=1e-5)
    assert losses[-1] < losses[0]


def test_gradient_reaches_the_inner_tensor():
    model, _ = _make("closure")
    code = model.get_layer("code").output
    model.compile("sgd", loss=lambda y, p: K.sum(K.square(code), axis=-1) + 0 * K.sum(p, axis=-1))
    before = [np.array(value) for value in model.get_weights()]
    model.fit(X, X, epochs=1, batch_size=8, verbose=0)
    kernel = before[0] - 0.01 * 2 * X.T @ (X @ before[0]) / 8
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.get_weights()[2], before[2], atol=1e-6)


def test_metric_and_eager_steps():
    model, loss = _make("closure")
    code = model.get_layer("code").output

    def size_of_code(y, p):
        return K.sum(K.square(code), axis=-1)

    model.compile("sgd", loss=loss, metrics=[size_of_code], run_eagerly=True)
    want = float(((X @ model.get_weights()[0]) ** 2).sum(-1).mean())
    result = model.evaluate(X, X, verbose=0, return_dict=True)
    assert result["size_of_code"] == pytest.approx(want, rel=1e-5)
    assert result["loss"] == pytest.approx(_want(model), rel=1e-5)


def test_a_loss_may_differentiate_the_output_by_an_inner_tensor():
    """The gradient penalty of a Wasserstein critic, as it was written before there were tapes."""
    inner = [keras.layers.Dense(4), keras.layers.BatchNormalization(momentum=0.5)]
    critic = keras.Sequential([keras.Input((3,)), *inner, keras.layers.Activation("tanh"), keras.layers.Dense(1)])
    real, fake = keras.Input((3,)), keras.Input((3,))
    mixed = keras.layers.Average()([real, fake])

    def penalty(y_true, y_pred, samples):
        slopes = K.gradients(y_pred, samples)[0]
        return K.square(1 - K.sqrt(K.sum(K.square(slopes), axis=1)))

    model = keras.Model([real, fake], [critic(real), critic(mixed)])
    model.compile(keras.optimizers.SGD(0.1), loss=["mse", functools.partial(penalty, samples=mixed)])
    rng = np.random.default_rng(0)
    left, right, zeros = rng.normal(size=(8, 3)), rng.normal(size=(8, 3)), np.zeros((8, 1), np.float32)
    samples = tf.constant((left + right) / 2, tf.float32)
    state = [np.array(one) for one in inner[1].non_trainable_variables]
    means = [(part @ inner[0].kernel.numpy()).mean(0) for part in (left, samples.numpy())]
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            tape.watch(samples)
            found = critic(samples, training=True)
        slopes = tape.gradient(found, samples)
        by_hand = tf.reduce_mean(tf.square(1 - tf.norm(slopes, axis=1)))
        by_hand += tf.reduce_mean(tf.square(critic(tf.constant(left, tf.float32), training=True)))
    weight = inner[0].kernel
    wanted = weight.numpy() - 0.1 * outer.gradient(by_hand, weight).numpy()
    for variable, value in zip(inner[1].non_trainable_variables, state, strict=True):
        variable.assign(value)
    results = model.train_on_batch([left, right], [zeros, zeros])
    np.testing.assert_allclose(results[0], by_hand, rtol=1e-5)
    np.testing.assert_allclose(weight, wanted, rtol=1e-5, atol=1e-6)
    # Two calls of the critic, two updates: the computation of the gradient adds none.
    np.testing.assert_allclose(inner[1].moving_mean, 0.25 * means[0] + 0.5 * means[1], atol=1e-5)


def test_gradients_of_values_name_the_tape():
    with pytest.raises(NotImplementedError, match="GradientTape"):
        K.gradients(tf.constant(1.0), [tf.constant(2.0)])
