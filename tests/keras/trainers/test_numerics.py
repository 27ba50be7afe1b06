"""``fit(check_numerics=True)``: the first place with NaN or infinity is named, and nothing is spoilt."""

import numpy as np
import pytest

import hornbeam as tf
import hornbeam.keras as keras
from hornbeam.keras import layers

RNG = np.random.default_rng(0)
X, Y = RNG.random((32, 3), dtype="float32"), RNG.random((32, 1), dtype="float32")


class Log(layers.Layer):
    def call(self, inputs):
        return tf.math.log(inputs - 2.0)


def dense(name, **options):
    return layers.Dense(2, name=name, kernel_initializer=keras.initializers.Constant(0.5), **options)


def stopped(model, x=X, loss="mse", rate=0.1):
    model.compile(keras.optimizers.SGD(rate), loss)
    before = [weight.copy() for weight in model.get_weights()]
    with pytest.raises(FloatingPointError) as caught:
        model.fit(x, np.repeat(Y, 2, 1), batch_size=16, shuffle=False, verbose=0, check_numerics=True)
    return str(caught.value), before, model.get_weights()


def test_the_layer_is_named():
    words, before, after = stopped(keras.Sequential([keras.Input((3,)), dense("one"), Log(name="bad"), dense("two")]))
    assert "epoch 1, batch 0" in words and "the output of layer 'bad' (Log)" in words
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_operation_between_layers_is_told_from_them():
    inputs = keras.Input((3,))
    outputs = dense("two")(tf.math.log(dense("one")(inputs) - 2.0))
    words, _, _ = stopped(keras.Model(inputs, outputs))
    assert "the input of layer 'two' (Dense): an operation between" in words


def test_the_data_are_named_with_their_batch():
    x = X.copy()
    x[20, 1] = np.inf
    words, _, _ = stopped(keras.Sequential([keras.Input((3,)), dense("one")]), x)
    assert "batch 1 (from 0)" in words and "the data: array 0" in words and "1 infinite of 48" in words


def test_a_gradient_is_named_where_the_loss_is_finite():
    words, _, _ = stopped(
        keras.Sequential([keras.Input((3,)), dense("one"), dense("two")]),
        loss=lambda y_true, y_pred: tf.reduce_mean(tf.sqrt(y_pred * 0.0)),
    )
    assert "the gradient of variable" in words and "two/bias; the loss is finite" in words


def test_the_loss_is_named():
    model = keras.Sequential([keras.Input((3,)), dense("one")])
    assert "in the loss;" in stopped(model, loss=lambda y_true, y_pred: tf.reduce_mean(y_pred / 0.0))[0]


def test_a_step_too_far_is_named():
    model = keras.Sequential([keras.Input((3,)), dense("one")])
    words, _, _ = stopped(model, X * np.float32(1e18), rate=1e30)
    assert "after the update" in words and "lower learning rate" in words


def test_healthy_training_is_the_same_with_and_without():
    weights = []
    for check in (False, True):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.Dropout(0.3), layers.Dense(1)])
        model.compile("adam", "mse")
        history = model.fit(X, Y, batch_size=16, epochs=2, verbose=0, check_numerics=check).history
        weights.append((model.get_weights(), history))
    for one, other in zip(weights[0][0], weights[1][0], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)
    np.testing.assert_allclose(weights[0][1]["loss"], weights[1][1]["loss"], rtol=1e-6)
    assert model._runner("train").watch is None
