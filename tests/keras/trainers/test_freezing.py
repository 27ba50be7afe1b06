"""What training changes: decided at the first step after ``compile``."""

import numpy as np
import pytest

from hornbeam import keras

X, Y = np.random.default_rng(0).normal(size=(16, 4)).astype("float32"), np.ones((16, 1), "float32")


def net():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def changed(model, index):
    before = model.layers[index].get_weights()[0]
    model.fit(X, Y, verbose=0)
    return bool(np.abs(model.layers[index].get_weights()[0] - before).max() > 0)


def test_a_layer_frozen_before_the_first_step_stays():
    model = net()
    model.layers[0].trainable = False
    assert not changed(model, 0) and changed(model, 1)


def test_a_layer_frozen_later_learns_on_until_compile_and_a_warning_says_so():
    model = net()
    assert changed(model, 0)
    model.layers[0].trainable = False
    with pytest.warns(UserWarning, match="compile"):
        assert changed(model, 0)
    model.compile("sgd", "mse")
    assert not changed(model, 0)


def test_the_old_gan_idiom():
    judge = net()
    judge.trainable = False
    maker = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    both = keras.Sequential([maker, judge])
    both.compile("sgd", "mse")
    before = judge.get_weights()[0]
    both.train_on_batch(X, Y)
    np.testing.assert_array_equal(judge.get_weights()[0], before)
    judge.train_on_batch(X, Y)
    assert np.abs(judge.get_weights()[0] - before).max() > 0
