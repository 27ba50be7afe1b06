"""Exceptions and Ctrl-C at every point of a run: the model holds the weights of a whole step and works on."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from tests.keras.trainers.small import X, Y, model, same_weights


class Broken(Exception):
    """Raised on purpose."""


HOOKS = [
    "on_train_begin",
    "on_epoch_begin",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_begin",
    "on_test_batch_begin",
    "on_test_batch_end",
    "on_test_end",
    "on_epoch_end",
    "on_train_end",
]


def steps_of_training(count):
    """Weights after each of the first steps, by training step by step."""
    net = model(optimizer="adam")
    found = [net.get_weights()]
    for number in range(count):
        start = number % 5 * 10
        net.train_on_batch(X[start : start + 10], Y[start : start + 10])
        found.append(net.get_weights())
    return found


def is_whole_step(net, steps):
    return any(
        all(np.allclose(a, b, rtol=1e-5, atol=1e-7) for a, b in zip(net.get_weights(), step, strict=True))
        for step in steps
    )


@pytest.mark.parametrize("error", [Broken, KeyboardInterrupt])
@pytest.mark.parametrize("hook", HOOKS)
def test_a_callback_that_fails(hook, error):
    class Failing(keras.callbacks.Callback):
        pass

    class Witness(keras.callbacks.Callback):
        ended = 0

        def on_train_end(self, logs=None):
            self.ended += 1

    def fail(self, *args, **kwargs):
        raise error("on purpose")

    setattr(Failing, hook, fail)
    net, witness = model(optimizer="adam"), Witness()
    with pytest.raises(error, match="on purpose"):
        net.fit(X, Y, batch_size=10, shuffle=False, validation_data=(X, Y), callbacks=[Failing(), witness], verbose=0)
    assert witness.ended == 1
    steps = int(net.optimizer.iterations)
    assert is_whole_step(net, [steps_of_training(steps)[-1]])
    net.fit(X, Y, batch_size=10, verbose=0)
    assert int(net.optimizer.iterations) == steps + 5
    assert np.isfinite(net.evaluate(X, Y, verbose=0))


@pytest.mark.parametrize("at", [0, 1, 3])
@pytest.mark.parametrize("eager", [False, True], ids=["compiled", "eager"])
def test_a_source_that_fails(at, eager):
    def source():
        for number in range(5):
            if number == at:
                raise Broken(f"batch {number}")
            yield X[number * 10 : number * 10 + 10], Y[number * 10 : number * 10 + 10]

    net = model(optimizer="adam", run_eagerly=eager)
    with pytest.raises(Broken, match=f"batch {at}"):
        net.fit(source(), verbose=0)
    assert is_whole_step(net, [steps_of_training(at)[-1]])
    net.fit(X, Y, verbose=0)


def test_a_batch_of_a_wrong_shape_in_the_midst_of_a_source():
    def source():
        yield X[:10], Y[:10]
        yield X[10:20, :3], Y[10:20]

    net = model(optimizer="adam")
    with pytest.raises(ValueError):
        net.fit(source(), verbose=0)
    assert is_whole_step(net, [steps_of_training(1)[-1]])


@pytest.mark.parametrize("eager", [False, True], ids=["compiled", "eager"])
@pytest.mark.parametrize("part", ["loss", "metric", "layer"])
def test_code_of_the_user_that_fails(part, eager):
    wanted = [True]

    def maybe_fail():
        if wanted[0]:
            raise Broken("on purpose")

    def loss(y_true, y_pred):
        if part == "loss":
            maybe_fail()
        return tf.reduce_mean(tf.square(y_true - y_pred))

    def metric(y_true, y_pred):
        if part == "metric":
            maybe_fail()
        return tf.reduce_mean(tf.abs(y_true - y_pred))

    class Layer(keras.layers.Layer):
        def call(self, inputs, training=False):
            if part == "layer" and training:
                maybe_fail()
            return inputs

    net = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization(), Layer(), keras.layers.Dense(1)])
    net.compile("adam", loss, metrics=[metric], run_eagerly=eager)
    before = net.get_weights()
    with pytest.raises(Broken):
        net.fit(X, Y, verbose=0)
    assert same_weights(before, net)
    wanted[0] = False
    net.fit(X, Y, verbose=0)
    assert int(net.optimizer.iterations) == 2


def test_a_second_error_while_ending_is_a_note_of_the_first():
    class Both(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise Broken("first")

        def on_train_end(self, logs=None):
            raise ValueError("second")

    with pytest.raises(Broken, match="first") as caught:
        model().fit(X, Y, verbose=0, callbacks=[Both()])
    assert any("second" in note for note in caught.value.__notes__)


def test_no_threads_or_handlers_are_left():
    handler, threads = signal.getsignal(signal.SIGINT), threading.active_count()
    net = model()
    with pytest.raises(Broken):
        net.fit(_failing_source(), verbose=0)
    assert signal.getsignal(signal.SIGINT) is handler and threading.active_count() == threads


def _failing_source():
    yield X[:10], Y[:10]
    raise Broken


def test_a_signal_within_a_step_waits_for_its_end():
    """(The program launch is held up by a slow Python loop in its place.)"""
    net = model(optimizer="adam")
    net.fit(X, Y, batch_size=10, verbose=0)
    program = next(iter(net._runner("train")._programs.values()))
    before = int(net.optimizer.iterations)
    run = program.run

    def slow(batch):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        return run(batch)

    program.run = slow
    with pytest.raises(KeyboardInterrupt):
        net.train_on_batch(X[:10], Y[:10])
    program.run = run
    assert int(net.optimizer.iterations) == before + 1


def test_a_signal_within_garbage_collection_is_not_lost():
    net = model(optimizer="adam")
    net.fit(X, Y, batch_size=10, verbose=0)
    sent = []

    def collecting(phase, info):
        if not sent:
            sent.append(phase)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)  # where Python takes notice of it

    hook = keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: gc.collect())
    before = int(net.optimizer.iterations)
    gc.callbacks.append(collecting)
    try:
        with pytest.raises(KeyboardInterrupt):
            net.fit(X, Y, batch_size=10, epochs=2, verbose=0, callbacks=[hook])
    finally:
        gc.callbacks.remove(collecting)
    assert sent and int(net.optimizer.iterations) == before + 1


SIGNALLED = textwrap.dedent(
    """
    import os, random, signal, sys, threading, time
    import numpy as np
    from hornbeam import keras
    from tests.keras.trainers.small import X, Y, model

    rounds, seed = int(sys.argv[1]), int(sys.argv[2])
    random.seed(seed)
    net = model(optimizer="adam")
    data = (np.tile(X, (20, 1)), np.tile(Y, (20, 1)))
    for method in ("fit", "evaluate", "predict"):
        getattr(net, method)(data[0], **({} if method == "predict" else {"y": data[1]}), batch_size=10, verbose=0)
    caught = 0

    def press(delay, done):
        # Between two calls Python itself may drop the exception, in JAX's callback of the garbage collector:
        # whoever sees nothing happen presses again.
        time.sleep(delay)
        while not done.is_set():
            os.kill(os.getpid(), signal.SIGINT)
            done.wait(20)

    for number in range(rounds):
        method = ("fit", "fit", "evaluate", "predict")[number % 4]
        done = threading.Event()
        killer = threading.Thread(target=press, args=(random.random() * 0.03, done))
        try:
            killer.start()
            while True:
                if method == "fit":
                    hook = keras.callbacks.LambdaCallback(on_train_batch_end=lambda b, logs: None)
                    callbacks = [hook]
                    net.fit(*data, batch_size=10, epochs=2, verbose=0, callbacks=callbacks if number % 3 else None)
                elif method == "evaluate":
                    net.evaluate(*data, batch_size=10, verbose=0)
                else:
                    net.predict(data[0], batch_size=10, verbose=0)
        except KeyboardInterrupt:
            done.set()
            caught += 1
        killer.join()
        slots = net.optimizer.variables
        assert all(np.isfinite(v.numpy()).all() for v in slots), number
        before = int(net.optimizer.iterations)
        assert np.isfinite(net.predict(X, verbose=0)).all(), number
        assert np.isfinite(net.train_on_batch(X, Y)), number
        assert int(net.optimizer.iterations) == before + 1, number
    assert caught == rounds
    print("survived", caught)
    """
)


def _run_signalled(rounds, seed):
    done = subprocess.run(
        [sys.executable, "-c", SIGNALLED, str(rounds), str(seed)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"survived {rounds}" in done.stdout


def test_ctrl_c_at_random_moments():
    _run_signalled(16, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_ctrl_c_at_random_moments_often(seed):
    _run_signalled(60, seed)


# --- equal seeds ---------------------------------------------------------------------------------
SEEDED = textwrap.dedent(
    """
    import hashlib
    import numpy as np
    from tests.keras.trainers.small import X, Y
    from hornbeam import keras

    keras.utils.set_random_seed(7)
    layers = keras.layers
    body = [layers.Dense(9, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.3)]
    net = keras.Sequential([*body, layers.Dense(1)])
    net.compile("adam", "mse")
    net.fit(X, Y, batch_size=8, epochs=3, verbose=0)
    print(hashlib.sha256(b"".join(w.tobytes() for w in net.get_weights())).hexdigest())
    """
)


def test_equal_seeds_give_equal_weights_in_two_processes():
    hashes = set()
    for number in range(2):
        environment = {**os.environ, "PYTHONHASHSEED": str(number), "HORNBEAM_CACHE": "0" if number else ""}
        done = subprocess.run(
            [sys.executable, "-c", SEEDED], capture_output=True, text=True, timeout=300, check=True, env=environment
        )
        hashes.add(done.stdout.strip())
    assert len(hashes) == 1


def test_collected_models_leave_no_arrays():
    import jax

    def use():
        net = model(optimizer="adam", metrics=["mae"])
        net.fit(X, Y, epochs=1, validation_split=0.2, verbose=0)
        net.evaluate(X, Y, verbose=0)
        net.predict(X, verbose=0)

    use()
    gc.collect()
    before = len(jax.live_arrays())
    for _ in range(3):
        use()
    gc.collect()
    assert len(jax.live_arrays()) <= before
