"""How many programs are made, and what is kept: no second compilation, no growth."""

from __future__ import annotations

import gc
import weakref
from contextlib import contextmanager

import jax
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras.trainers import plan, runner
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed
from tests.keras.trainers.small import X, Y, model


@contextmanager
def compilations():
    """Counts the programs that XLA compiles (or takes from its disk cache)."""
    found = []

    def note(event, *args, **kwargs):
        if event == "/jax/core/compile/backend_compile_duration":
            found.append(event)

    jax.monitoring.register_event_duration_secs_listener(note)
    try:
        yield found
    finally:
        jax.monitoring.unregister_event_duration_listener(note)


def use(net, x=X, y=Y):
    net.fit(x, y, batch_size=16, verbose=0)
    net.evaluate(x, y, batch_size=16, verbose=0)
    net.predict(x, batch_size=16, verbose=0)
    net.train_on_batch(x[:16], y[:16])


def test_second_calls_compile_nothing():
    net = model(optimizer="adam", metrics=["mae"])
    use(net)
    with compilations() as found:
        use(net)
        net.fit(X, Y, batch_size=16, epochs=3, validation_data=(X, Y), verbose=0)
    assert not found


def test_a_few_rows_more_share_the_programs():
    """Data of nearly the same size (folds, growing sets) need no new programs but for the short last batch."""
    net = model(optimizer="adam")
    rows = np.random.RandomState(0).rand(200, 4).astype("float32")
    net.fit(rows[:192], rows[:192, :1], batch_size=16, verbose=0)
    with compilations() as found:
        net.fit(rows[:176], rows[:176, :1], batch_size=16, verbose=0)
        net.fit(rows[:190], rows[:190, :1], batch_size=16, verbose=0)
    # One program for 14 rows; 11 and 12 full batches share a program.
    assert len(found) <= 2


def test_first_fit_compiles_one_program_for_whole_batches_and_one_for_the_rest():
    model(optimizer="adam").fit(X[:48], Y[:48], batch_size=16, verbose=0)  # what the first model of a process compiles
    net = model(optimizer="adam")
    with compilations() as found:
        net.fit(X[:48], Y[:48], batch_size=16, verbose=0)
    whole = len(found)
    net = model(optimizer="adam")
    with compilations() as found:
        net.fit(X, Y, batch_size=16, verbose=0)
    programs = list(net._runner("train")._programs.values())
    assert len(programs) == 2
    assert [program._many._cache_size() for program in programs] == [1, 0]
    assert [program._one._cache_size() for program in programs] == [0, 1]
    assert len(found) == whole + 1


def test_prediction_compiles_one_program_whatever_the_rest():
    net = model()
    net.predict(X[:45], batch_size=16, verbose=0)
    with compilations() as found:
        for rows in (46, 47):
            assert net.predict(X[:rows], batch_size=16, verbose=0).shape == (rows, 1)
    assert not found


def test_programs_are_bounded_and_many_shapes_are_warned_about(monkeypatch):
    monkeypatch.setattr(runner, "KEPT_PROGRAMS", 4)
    monkeypatch.setattr(runner, "_WARN_AT", 5)
    net = keras.Sequential([keras.Input((None,)), keras.layers.Lambda(lambda x: x * 2)])
    with pytest.warns(UserWarning, match=r"predict step of model .* 5 different batches.*\(2, 4\), \(2, 5\)"):
        for length in range(1, 8):
            net.predict(np.ones((2, length), "float32"), verbose=0)
    assert len(net._runner("predict")._programs) == 4


def test_models_go_with_all_they_have():
    def made():
        net = model(optimizer="adam", metrics=["mae"])
        use(net)
        return (
            weakref.ref(net),
            weakref.ref(net.optimizer),
            weakref.ref(next(iter(net._runner("train")._programs.values()))),
        )

    references = made()
    gc.collect()
    assert [reference() for reference in references] == [None, None, None]


def test_data_go_after_the_call():
    net, data = model(), X.copy()
    net.fit(data, Y, batch_size=16, verbose=0)
    gc.collect()
    before = len(jax.live_arrays())
    for _ in range(3):
        net.fit(data.copy(), Y.copy(), batch_size=16, verbose=0)
        net.predict(data.copy(), batch_size=16, verbose=0)
    gc.collect()
    assert len(jax.live_arrays()) == before


def _memory_mb():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


def test_repeated_calls_do_not_grow():
    net = model(optimizer="adam", metrics=["mae"])
    for _ in range(20):
        use(net)
    gc.collect()
    arrays, objects = len(jax.live_arrays()), len(gc.get_objects())
    for _ in range(20):
        use(net)
    gc.collect()
    assert len(jax.live_arrays()) == arrays
    assert len(gc.get_objects()) - objects < 200


@pytest.mark.slow
def test_a_thousand_calls_do_not_grow():
    net = model(optimizer="adam", metrics=["mae"])
    for _ in range(100):
        use(net)
    gc.collect()
    before = _memory_mb()
    for _ in range(1000):
        use(net)
    gc.collect()
    assert _memory_mb() - before < 10


@pytest.mark.slow
def test_three_hundred_models_do_not_grow():
    for _ in range(100):
        use(model(optimizer="adam", metrics=["mae"]))
    gc.collect()
    before = _memory_mb()
    for _ in range(300):
        use(model(optimizer="adam", metrics=["mae"]))
    gc.collect()
    # XLA itself keeps some kB for each program ever compiled.
    assert _memory_mb() - before < 25


def test_plans():
    feed = ArrayFeed(X, Y, batch_size=4)
    assert plan.choose(feed, 500).steps_per_call == 16  # 12 full batches, rounded up
    assert plan.choose(feed, 5).steps_per_call == 5
    assert plan.choose(feed, 500, interval=1).steps_per_call == 1
    assert plan.choose(feed, 500, interval=3).steps_per_call == 3
    assert plan.choose(feed, 1, steps_per_execution=7, interval=1).steps_per_call == 7
    assert plan.choose(feed, 500, steps_per_execution="auto").steps_per_call == 16
    assert plan.choose(feed, 1, steps_per_execution=100).steps_per_call == 16


def test_plans_for_large_rows(monkeypatch):
    """A call gets no more data than NumPy should lay out at once, but a batch always."""
    feed = ArrayFeed(X, Y, batch_size=4)
    bytes_of_a_batch = feed.nbytes // len(X) * 4
    monkeypatch.setattr(plan, "WINDOW_BYTES", 3 * bytes_of_a_batch)
    assert plan.choose(feed, 500).steps_per_call == 3
    monkeypatch.setattr(plan, "WINDOW_BYTES", 1)
    assert plan.choose(feed, 500).steps_per_call == 1


@pytest.mark.parametrize("batches", [1, 2, 5])
def test_results_do_not_depend_on_the_size_of_windows(batches, monkeypatch):
    nets = [model(optimizer="adam"), model(optimizer="adam")]
    nets[0].fit(X, Y, batch_size=4, shuffle=False, epochs=2, verbose=0)
    bytes_of_a_batch = (X.nbytes + Y.nbytes) // len(X) * 4
    monkeypatch.setattr(plan, "WINDOW_BYTES", batches * bytes_of_a_batch)
    nets[1].fit(X, Y, batch_size=4, shuffle=False, epochs=2, verbose=0)
    for one, other in zip(*(net.get_weights() for net in nets), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(*(net.predict(X, batch_size=4, verbose=0) for net in nets), rtol=1e-6, atol=1e-7)


def test_steps_without_results_do_not_pile_up(monkeypatch):
    class Silent(keras.Model):
        def train_step(self, batch):
            super().train_step(batch)
            return {}

    inputs = keras.Input((4,))
    net = Silent(inputs, keras.layers.Dense(1)(inputs))
    net.compile("sgd", "mse")
    waited, wait = [], jax.block_until_ready
    monkeypatch.setattr(jax, "block_until_ready", lambda found: waited.append(len(found)) or wait(found))
    monkeypatch.setattr(plan, "WINDOW_BYTES", 2 * 4 * (X[0].nbytes + Y[0].nbytes))
    net.fit(X, Y, batch_size=4, verbose=0)
    assert waited.count(1) == 6  # calls of two batches each
