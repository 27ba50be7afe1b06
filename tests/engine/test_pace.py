"""Runs of large programs do not overlap on the CPU; those of others do."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.engine import pace


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self, monkeypatch, is_cpu=True):
        self.now, self.slept = 0.0, []
        monkeypatch.setattr(pace.platform, "is_cpu", lambda: is_cpu)
        monkeypatch.setattr(pace.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(pace.time, "sleep", self.slept.append)


class Result:
    def __init__(self, clock, seconds, error=None):
        self.clock, self.end, self.error, self.waits = clock, clock.now + seconds, error, 0

    def is_ready(self):
        if self.error:
            raise self.error
        return self.clock.now >= self.end

    def block_until_ready(self):
        self.waits += 1
        self.clock.now = max(self.clock.now, self.end)


def test_long_runs_wait(monkeypatch):
    clock = Clock(monkeypatch)
    one = pace.Pace()
    one.wait()
    for number in range(3):
        result = Result(clock, 0.5)
        one.launched([result])
        one.wait()
        assert result.waits == 1
        assert clock.slept == [pace._GIVING_BACK_S] * (number + 1)
    assert clock.now == 1.5


def test_short_runs_do_not(monkeypatch):
    clock = Clock(monkeypatch)
    one = pace.Pace()
    results = [Result(clock, 0.1) for _ in range(3)]
    for result in results:
        one.launched([result])
        one.wait()
    assert [result.waits for result in results] == [1, 0, 0]
    assert clock.slept == []


def test_a_pause_between_runs_says_nothing(monkeypatch):
    clock = Clock(monkeypatch)
    one = pace.Pace()
    result = Result(clock, 0.1)
    one.launched([result])
    clock.now += 60
    one.wait()
    assert (result.waits, clock.slept) == (0, [])
    result = Result(clock, 0.3)
    one.launched([result])
    one.wait()
    assert (result.waits, len(clock.slept)) == (1, 1)


def test_results_that_are_gone(monkeypatch):
    clock = Clock(monkeypatch)
    one = pace.Pace()
    one.launched([Result(clock, 0.5)])  # dropped at once
    one.wait()
    donated = Result(clock, 0.5, RuntimeError("Array has been deleted"))
    one.launched([donated])
    one.wait()
    one.launched([])
    one.wait()
    assert clock.now == 0


def test_other_devices_launch_ahead(monkeypatch):
    clock = Clock(monkeypatch, is_cpu=False)
    one = pace.Pace()
    result = Result(clock, 5)
    one.launched([result])
    one.wait()
    assert result.waits == 0


@pytest.mark.parametrize("longest", [0.0, 1e9])
def test_models_and_functions_are_the_same(monkeypatch, longest):
    """Whether every run waits for the one before or none."""
    waits = []
    monkeypatch.setattr(pace, "_LONG_S", longest)
    wait = pace.Pace.wait
    monkeypatch.setattr(pace.Pace, "wait", lambda self: waits.append(1) or wait(self))
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "tanh"), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=False)
    x = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
    kernel = model.layers[0].kernel.numpy()
    losses = [float(model.train_on_batch(x, x[:, :1])) for _ in range(5)]
    assert len(waits) == 5
    assert losses == sorted(losses, reverse=True)
    assert not np.array_equal(kernel, model.layers[0].kernel.numpy())
    np.testing.assert_allclose(model.predict(x, verbose=0), model(x).numpy(), rtol=1e-5)

    twice = tf.function(lambda x: x @ tf.transpose(x))
    for _ in range(3):
        np.testing.assert_allclose(twice(tf.constant(x)).numpy(), x @ x.T, rtol=1e-4, atol=1e-5)
