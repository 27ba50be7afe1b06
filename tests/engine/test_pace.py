"""Launches do not run far ahead of the device, and runs of large programs on the CPU do not overlap."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.engine import pace
from hornbeam.keras.trainers import plan


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self, monkeypatch, is_cpu=True):
        self.now, self.slept = 0.0, []
        monkeypatch.setattr(pace.platform, "is_cpu", lambda: is_cpu)
        monkeypatch.setattr(pace.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(pace.time, "sleep", self.slept.append)


class Result:
    """What a run gives that ends some seconds after it was launched, or after the run before."""

    def __init__(self, clock, seconds, after=None, error=None, nbytes=4):
        self.clock, self.error, self.waits, self.nbytes = clock, error, 0, nbytes
        self.end = max(clock.now, after.end if after else 0) + seconds

    def is_ready(self):
        if self.error:
            raise self.error
        return self.clock.now >= self.end

    def block_until_ready(self):
        self.waits += 1
        self.clock.now = max(self.clock.now, self.end)


def launch(one, clock, seconds, after=None):
    one.wait()
    result = Result(clock, seconds, after)
    one.launched([result])
    return result


def launch_many(one, clock, seconds):
    """Runs that the device does one after the other."""
    results = [launch(one, clock, seconds[0])]
    for number in seconds[1:]:
        results.append(launch(one, clock, number, results[-1]))
    return results


def test_long_runs_wait(monkeypatch):
    clock = Clock(monkeypatch)
    one = pace.Pace()
    results = launch_many(one, clock, [0.5] * 4)
    assert [result.waits for result in results] == [1, 1, 1, 0]
    assert clock.slept == [pace._GIVING_BACK_S] * 3
    assert clock.now == 1.5


def test_short_runs_go_two_ahead(monkeypatch):
    clock = Clock(monkeypatch)
    one = pace.Pace()
    results = launch_many(one, clock, [0.05] * 6)
    # The first to know how long it takes, then those that are more than two behind.
    assert [result.waits for result in results] == [1, 1, 1, 0, 0, 0]
    assert clock.slept == []


def test_a_program_may_become_long_and_short_again(monkeypatch):
    clock = Clock(monkeypatch)
    one = pace.Pace()
    last, waiting = None, []
    for seconds in (0.05, 0.5, 0.5, 0.5, 0.5, 0.05, 0.05, 0.05):
        one.wait()
        waiting.append(len(one._pending))
        last = Result(clock, seconds, after=last)
        one.launched([last])
    assert waiting == [0, 0, 1, 2, 0, 0, 0, 1]


def test_time_behind_other_runs_does_not_count(monkeypatch):
    """Short runs in a queue are not taken for long ones."""
    clock = Clock(monkeypatch)
    one = pace.Pace()
    launch_many(one, clock, [0.08] * 20)
    assert clock.slept == []


def test_a_pause_between_runs_says_nothing(monkeypatch):
    clock = Clock(monkeypatch)
    one = pace.Pace()
    result = launch(one, clock, 0.05)
    clock.now += 60
    one.wait()
    assert (result.waits, clock.slept) == (0, [])
    result = launch(one, clock, 0.3)
    one.wait()
    assert (result.waits, len(clock.slept)) == (1, 1)


def test_results_that_are_gone(monkeypatch):
    clock = Clock(monkeypatch)
    one = pace.Pace()
    one.launched([Result(clock, 0.5, nbytes=1 << 20)])  # large and dropped at once
    one.wait()
    one.launched([Result(clock, 0.5, error=RuntimeError("Array has been deleted"))])
    one.wait()
    one.launched([])
    one.wait()
    assert (clock.now, one._is_long) == (0, True)
    one.launched([Result(clock, 0.5)])  # small ones are kept
    one.wait()
    assert clock.now == 0.5
    state = [Result(clock, 0.5, nbytes=4), Result(clock, 9, nbytes=8)]
    one.launched([], state)
    one.wait()
    assert clock.now == 1.0


def test_the_smallest_result_is_watched(monkeypatch):
    clock = Clock(monkeypatch)
    one = pace.Pace()
    results = [Result(clock, 0.5, nbytes=100), Result(clock, 0.5, nbytes=4), Result(clock, 0.5, nbytes=50)]
    one.launched(results)
    one.wait()
    assert [result.waits for result in results] == [0, 1, 0]


def test_other_devices_have_memory_of_their_own(monkeypatch):
    clock = Clock(monkeypatch, is_cpu=False)
    one = pace.Pace()
    results = launch_many(one, clock, [5] * 5)
    assert [result.waits for result in results] == [1, 1, 0, 0, 0]
    assert clock.slept == []


def test_functions_are_looked_at_now_and_then(monkeypatch):
    clock = Clock(monkeypatch)
    one = pace.Pace(ahead=None)
    waited = launch_many(one, clock, [0.001] * 130)
    assert [number for number, result in enumerate(waited) if result.waits] == [0, 63, 127]


@pytest.fixture
def runs(monkeypatch):
    """What each object was told, in order."""
    told = []
    wait, launched = pace.Pace.wait, pace.Pace.launched
    monkeypatch.setattr(pace.Pace, "wait", lambda self: told.append("wait") or wait(self))

    def note(self, results, state=()):
        told.append(len(results))
        assert len(results) + len(state)
        launched(self, results, state)

    monkeypatch.setattr(pace.Pace, "launched", note)
    return told


@pytest.mark.parametrize("longest", [0.0, 1e9])
def test_models_and_functions_are_paced(monkeypatch, runs, longest):
    """Whether every run waits for the one before or none: the same numbers, and in each run both are told."""
    monkeypatch.setattr(pace, "_LONG_S", longest)
    monkeypatch.setattr(plan, "WINDOW_BYTES", 1)  # one batch in a call
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "tanh"), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=False)
    x = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
    losses = model.fit(x, x[:, :1], batch_size=8, epochs=4, shuffle=False, verbose=0).history["loss"]
    assert runs[::2] == ["wait"] * 12 and all(count > 0 for count in runs[1::2])
    assert losses == sorted(losses, reverse=True)
    np.testing.assert_allclose(model.predict(x, verbose=0), model(x).numpy(), rtol=1e-5)

    runs.clear()
    twice = tf.function(lambda x: x @ tf.transpose(x))
    for _ in range(3):
        np.testing.assert_allclose(twice(tf.constant(x)).numpy(), x @ x.T, rtol=1e-4, atol=1e-5)
    assert runs == ["wait", 1] * 3
