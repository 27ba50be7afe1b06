"""Calls of compiled functions that run several at a time are as if they had run one by one."""

import os
import random
import signal
import threading
import time

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.base.errors import StateError
from hornbeam.core import series
from hornbeam.core.series import LateTensor
from hornbeam.core.variable import read_all
from hornbeam.core.waiting import commit_lock, waiting

CALLS = 60


@pytest.fixture(autouse=True)
def from_the_first_call(monkeypatch):
    """Calls wait at once, and the loop is compiled after one full series."""
    monkeypatch.setattr(series, "_CALLS_AT_FIRST", -10_000)
    monkeypatch.setattr(series, "_FULL_BEFORE_COMPILING", 1)
    yield
    waiting.settle()


def one_by_one(monkeypatch):
    monkeypatch.setattr(series, "_CALLS_AT_FIRST", 10**9)


def counter():
    """A function with two variables that always go together, and what it has counted."""
    total, times = tf.Variable(0.0), tf.Variable(0, dtype="int32")

    @tf.function
    def add(x):
        total.assign_add(tf.reduce_sum(x))
        times.assign_add(1)
        return total + 0.0, {"times": times * 1}

    return add, total, times


class Loop:
    """A training loop of one's own on a small network with a random layer."""

    def __init__(self):
        keras.utils.set_random_seed(3)
        layers = keras.layers
        self.model = keras.Sequential(
            [
                keras.Input((6, 6, 1)),
                layers.Conv2D(3, 3, activation="relu"),
                layers.BatchNormalization(),
                layers.Dropout(0.3),
                layers.Flatten(),
                layers.Dense(4),
            ]
        )
        self.optimizer = keras.optimizers.Adam(0.01)
        self.loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.accuracy = keras.metrics.SparseCategoricalAccuracy()
        self.step = tf.function(self._step)

    def _step(self, images, labels):
        with tf.GradientTape() as tape:
            found = self.model(images, training=True)
            loss = self.loss_of(labels, found)
        weights = self.model.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        self.accuracy.update_state(labels, found)
        return loss

    def values(self):
        variables = [*self.model.variables, *self.optimizer.variables, *self.accuracy.variables]
        return [np.asarray(variable) for variable in variables]


def batches(count=CALLS, rows=5):
    rng = np.random.default_rng(0)
    return [
        (rng.random((rows, 6, 6, 1), dtype=np.float32), rng.integers(0, 4, rows).astype(np.int32)) for _ in range(count)
    ]


def test_a_loop_of_ones_own_is_the_same_to_the_last_bit(monkeypatch):
    late = Loop()
    losses = [late.step(*batch) for batch in batches()]
    assert any(type(loss) is LateTensor for loss in losses)
    assert waiting.calls
    monkeypatch.undo()
    one_by_one(monkeypatch)
    usual = Loop()
    expected = [usual.step(*batch) for batch in batches()]
    assert not waiting.calls or waiting.variables.isdisjoint(usual.model.variables)
    np.testing.assert_array_equal([float(loss) for loss in losses], [float(loss) for loss in expected])
    for one, other in zip(late.values(), usual.values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_whoever_looks_or_writes_in_between_sees_all_calls_before(monkeypatch):
    def run():
        loop, seen = Loop(), []
        for number, (images, labels) in enumerate(batches()):
            loss = loop.step(images, labels)
            if number % 13 == 5:
                loop.optimizer.learning_rate = 0.01 / (number + 1)
            if number % 17 == 6:
                seen.append(float(loop.accuracy.result()))
                loop.accuracy.reset_state()
            if number % 19 == 7:
                seen.append(float(loss))
            if number % 23 == 8:
                loop.step(images[:2], labels[:2])
            if number % 29 == 9:
                loop.model.layers[-1].set_weights([weight * 0.5 for weight in loop.model.layers[-1].get_weights()])
            if number == 40:
                seen.append(loop.model.predict(images, verbose=0).sum())
        return seen, loop.values()

    seen, values = run()
    one_by_one(monkeypatch)
    expected, same = run()
    np.testing.assert_array_equal(seen, expected)
    for one, other in zip(values, same, strict=True):
        np.testing.assert_array_equal(one, other)


def test_results_are_tensors_like_others():
    add, total, _ = counter()
    results = [add(np.full(3, number, np.float32)) for number in range(21)]
    first, second, third = results[18][0], results[19][0], results[20]
    assert isinstance(first, tf.Tensor)
    assert waiting.calls
    assert first.shape == ()
    assert type(first) is tf.Tensor
    np.testing.assert_allclose([float(first), float(second + 1.0)], [513.0, 571.0])
    assert int(third[1]["times"]) == 21
    assert third[1]["times"].dtype == tf.int32
    assert float(total) == 630.0
    np.testing.assert_allclose(tf.stack([result[0] for result in results[:4]]), [0.0, 3.0, 9.0, 18.0])
    with tf.GradientTape() as tape:
        x = add(np.ones(3, np.float32))[0]
        tape.watch(x)
        y = x * x
    np.testing.assert_allclose(tape.gradient(y, x), 2 * 633.0)


def test_arrays_may_change_after_the_call():
    add, total, _ = counter()
    buffer = np.zeros(4, np.float32)
    for number in range(20):
        buffer[:] = number
        add(buffer)
    buffer[:] = -1
    assert float(total) == 4 * sum(range(20))


def test_a_held_value_stays_what_it_was():
    add, total, _ = counter()
    held = []
    for number in range(30):
        add(np.ones(1, np.float32))
        if number in (4, 20):
            held.append(total.read_value())
    assert float(total) == 30.0
    assert [float(value) for value in held] == [5.0, 21.0]


def test_calls_do_not_wait_where_each_is_looked_at():
    add, _, times = counter()
    for number in range(20):
        assert int(add(np.ones(1, np.float32))[1]["times"]) == number + 1
    result = add(np.ones(1, np.float32))
    assert type(result[0]) is tf.Tensor
    assert not waiting.calls
    assert int(times) == 21


def test_calls_go_on_waiting_where_the_last_of_many_is_looked_at():
    add, _, times = counter()
    for epoch in range(1, 6):
        for _ in range(19):
            result = add(np.ones(1, np.float32))
        assert type(result[0]) is LateTensor
        assert int(times) == 19 * epoch


def test_two_functions_with_common_variables_keep_their_order():
    value = tf.Variable(1.0)
    double = tf.function(lambda: value.assign(value * 2.0, read_value=False))
    more = tf.function(lambda: value.assign_add(1.0, read_value=False))
    expected = 1.0
    for number in range(24):
        (double if number % 5 == 0 else more)()
        expected = expected * 2 if number % 5 == 0 else expected + 1
    assert float(value) == expected


def test_a_failed_launch_is_told_once_and_leaves_no_call_behind(monkeypatch):
    add, total, times = counter()
    for _ in range(8):
        add(np.ones(1, np.float32))
    assert int(times) == 8

    def fails(*_):
        raise RuntimeError("no memory")

    (trace,) = add._traces.values()
    monkeypatch.setattr(trace._compiled._series._alone, "function", fails)
    late = [add(np.ones(1, np.float32)) for _ in range(3)]
    with pytest.raises(RuntimeError, match="no memory"):
        float(total)
    assert not waiting.calls
    with pytest.raises(StateError, match="launched together"):
        float(late[0][0])
    assert float(total) == 8.0


def test_another_thread_sees_whole_calls():
    add, total, times = counter()
    stop, seen = threading.Event(), []

    def watch():
        while not stop.is_set():
            with commit_lock:
                one, other = (float(np.asarray(array)) for array in read_all([total, times]))
            seen.append((one, other))

    thread = threading.Thread(target=watch)
    thread.start()
    for _ in range(400):
        add(np.ones(1, np.float32))
    stop.set()
    thread.join()
    assert seen
    assert all(one == other for one, other in seen)
    assert float(total) == int(times) == 400


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of the exceptions that Python drops
def test_ctrl_c_leaves_whole_calls():
    add, total, times = counter()
    one = np.ones(1, np.float32)
    for _ in range(40):
        add(one)
    asked, caught, pause = 40, 0, random.Random(0)

    def press(delay, done):
        # Python drops the exception where JAX is called back by the garbage collector: then press again.
        time.sleep(delay)
        while not done.is_set():
            os.kill(os.getpid(), signal.SIGINT)
            done.wait(5)

    for _ in range(20):
        done = threading.Event()
        killer = threading.Thread(target=press, args=(pause.random() * 0.02, done))
        try:
            killer.start()
            while True:
                add(one)
                asked += 1
        except KeyboardInterrupt:
            caught += 1
        finally:
            done.set()
            killer.join()
        assert float(total) == int(times)
        # The interrupted call itself may have been taken or not.
        assert int(times) - asked in (0, 1)
        asked = int(times)
    assert caught == 20
