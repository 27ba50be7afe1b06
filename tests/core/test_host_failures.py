"""Python code that a compiled program calls raises its own errors, and leaves the state as it was."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as tf
from hornbeam.core import host_failures


def test_an_assertion_in_a_function():
    counter = tf.Variable(0.0)

    @tf.function
    def half(x):
        counter.assign_add(1.0)
        tf.debugging.assert_positive(x, message="only what is above zero")
        return x / 2.0

    assert float(half(tf.constant(3.0))) == 1.5
    with pytest.raises(tf.errors.InvalidArgumentError, match="only what is above zero"):
        half(tf.constant(-1.0))
    assert float(half(tf.constant(5.0))) == 2.5
    assert float(counter) == 2.0


def test_the_error_of_a_python_function():
    def refuse(value):
        raise KeyError(f"no {float(value)} here")

    @tf.function
    def call(x):
        return tf.py_function(refuse, [x], tf.TensorSpec((), tf.float32))

    with pytest.raises(KeyError, match=r"no 4\.0 here"):
        call(tf.constant(4.0))


def test_errors_of_the_runtime_itself_stay():
    host_failures._failures.append(ValueError("something old that nobody asked about"))
    error = tf.errors.InternalError(None, None, "other")
    with pytest.raises(tf.errors.InternalError), host_failures.original_errors():
        raise error


def test_an_assertion_in_a_model_loses_nothing():
    class Bounded(tf.keras.layers.Layer):
        def call(self, x):
            tf.debugging.assert_less(x, 10.0, message="too large")
            return x

    model = tf.keras.Sequential([tf.keras.Input((3,)), Bounded(), tf.keras.layers.Dense(1)])
    model.compile("adam", "mse")
    good, y = np.ones((64, 3), "float32"), np.ones((64, 1))
    bad = good.copy()
    bad[40] = 50.0
    model.fit(good, y, verbose=0)
    before = model.get_weights()
    calls = (
        lambda: model.train_on_batch(bad, y),
        lambda: model.evaluate(bad, y, verbose=0),
        lambda: model.predict(bad, verbose=0),
        lambda: model.predict_on_batch(bad),
    )
    for call in calls:
        with pytest.raises(tf.errors.InvalidArgumentError, match="too large"):
            call()
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    with pytest.raises(tf.errors.InvalidArgumentError, match="too large"):
        model.fit(bad, y, verbose=0, shuffle=False)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert int(model.optimizer.iterations) in (2, 3)
    model.fit(good, y, verbose=0)


def test_epsilon_set_after_compile_is_seen():
    model = tf.keras.Sequential([tf.keras.Input((1,)), tf.keras.layers.Activation("relu")])
    model.compile("sgd", "binary_crossentropy")
    x, y = np.zeros((4, 1)), np.ones((4, 1))
    before = tf.keras.config.epsilon()

    @tf.function
    def loss(y_true, y_pred):
        return tf.keras.losses.binary_crossentropy(y_true, y_pred)

    try:
        for epsilon in (1e-7, 1e-3):
            tf.keras.config.set_epsilon(epsilon)
            expected = -np.log(epsilon)
            assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)
            found = loss(tf.ones((2, 1)), tf.zeros((2, 1))).numpy()
            np.testing.assert_allclose(found, [expected, expected], rtol=1e-5)
    finally:
        tf.keras.config.set_epsilon(before)
