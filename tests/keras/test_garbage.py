"""Nothing of a call is left to the garbage collector: batches and activations go with the last name for them."""

from __future__ import annotations

import functools
import gc

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras

X = np.random.default_rng(0).random((64, 8), "float32")
Y = X[:, :1]


def _model():
    inputs = keras.Input((8,))
    x = keras.layers.Dropout(0.1)(keras.layers.Dense(4, activation="relu")(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Concatenate()([x, inputs])))
    model.compile("adam", "mse", metrics=["mae"])
    return model


def _tape_step(model):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(X, training=True) - Y))
    gradients = tape.gradient(loss, model.trainable_variables)
    model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))


@functools.cache
def _dataset():
    return tf.data.Dataset.from_tensor_slices({"x": X, "y": Y}).map(lambda row: (row["x"] * 2, row["y"])).batch(16)


@functools.cache
def _shuffled():
    return _dataset().shuffle(8).prefetch(2)


CALLS = {
    "eager call": lambda model: model({"x": X}["x"]),
    "tape": _tape_step,
    "train_on_batch": lambda model: model.train_on_batch(X, Y),
    "predict_on_batch": lambda model: model.predict_on_batch(X),
    "fit": lambda model: model.fit(X, Y, validation_data=(X, Y), verbose=0),
    "fit of a data set": lambda model: model.fit(_dataset(), verbose=0),
    "evaluate": lambda model: model.evaluate(X, Y, verbose=0),
    "predict": lambda model: model.predict(X, verbose=0),
    "weights": lambda model: (model.weights, model.layers, model.get_weights()),
    "nests": lambda model: tf.nest.map_structure(lambda leaf: leaf, {"a": [X, (Y,)]}),
    "structures": lambda model: keras.tree.map_structure_up_to({"a": 0}, lambda leaf: leaf, {"a": [X, Y]}),
    "strings": lambda model: tf.concat([tf.constant(["a"]), tf.constant(["b"])], 0),
    "data": lambda model: [x.numpy() for x, _ in _shuffled()],
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_leave_no_garbage(name):
    model = _model()
    for _ in range(2):  # what is made once may stay
        CALLS[name](model)
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        CALLS[name](model)
        gc.collect()
        found = [type(item).__name__ for item in gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert found == []
