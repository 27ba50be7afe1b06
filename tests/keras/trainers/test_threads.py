"""Many threads on one model: results are those of one thread, and only one of them trains."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from tests.keras.trainers.small import X, Y, model


def in_threads(function, count=16):
    """Run ``function(number)`` in many threads at once; results in order, errors raised."""
    results, errors, gate = [None] * count, [], threading.Barrier(count)

    def run(number):
        try:
            gate.wait()
            results[number] = function(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def _threads_agree(rounds):
    for number in range(rounds):
        net, twin = (model(seed=number) for _ in range(2))
        outputs = twin.predict(X, batch_size=20, verbose=0)
        expected = outputs, twin.evaluate(X, Y, batch_size=20, verbose=0), np.asarray(twin(X))

        def work(thread, net=net):
            if thread % 3 == 0:
                return net.predict(X, batch_size=20, verbose=0)
            return net.evaluate(X, Y, batch_size=20, verbose=0) if thread % 3 == 1 else np.asarray(net(X))

        for thread, found in enumerate(in_threads(work)):
            np.testing.assert_array_equal(found, expected[thread % 3])


def test_threads_that_predict_and_evaluate_agree_with_one():
    _threads_agree(2)


@pytest.mark.slow
def test_threads_that_predict_and_evaluate_agree_with_one_often():
    _threads_agree(60)


def test_threads_that_build_the_model():
    """The first call of a model without a known input shape builds it once."""
    net = keras.Sequential([keras.layers.Dense(5), keras.layers.Dense(2)])
    results = in_threads(lambda _: net.predict(X, verbose=0))
    for found in results[1:]:
        np.testing.assert_array_equal(found, results[0])
    assert len(net.weights) == 4


def test_one_training_at_a_time():
    net = model()
    started, go_on = threading.Event(), threading.Event()

    class Wait(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            started.set()
            go_on.wait(10)

    thread = threading.Thread(target=net.fit, args=(X, Y), kwargs={"callbacks": [Wait()], "verbose": 0})
    thread.start()
    assert started.wait(30)
    with pytest.raises(RuntimeError, match="already running fit"):
        net.fit(X, Y, verbose=0)
    go_on.set()
    thread.join()
    net.fit(X, Y, verbose=0)


def test_prediction_during_training_sees_the_weights_of_one_step():
    """All weights are set to the same number in each step: outputs that mix two steps would show."""

    class Count(keras.Model):
        def __init__(self):
            super().__init__()
            self.parts = [self.add_weight((), "zeros", name=f"part_{i}") for i in range(20)]

        def call(self, inputs):
            return tf.stack([part + 0 * inputs[0, 0] for part in self.parts])[None]

        def train_step(self, data):
            for part in self.parts:
                part.assign_add(1.0)
            return {"loss": self.parts[0] + 0.0}

    net = Count()
    net.compile("sgd", "mse")
    x = np.zeros((2000, 1), "float32")
    net.predict(x[:1], verbose=0)
    thread = threading.Thread(target=net.fit, args=(x, x), kwargs={"batch_size": 1, "epochs": 3, "verbose": 0})
    thread.start()
    seen = []
    while thread.is_alive():
        seen.append(net.predict(x[:1], verbose=0)[0])
    thread.join()
    assert seen and all(len(set(row.tolist())) == 1 for row in seen)
    assert net.predict(x[:1], verbose=0)[0][0] == 6000
