"""A signal ends a run after the step and after a backup (RELIABILITY row R-14), also in the midst of a save."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras.trainers import interrupts
from tests.keras.trainers.small import X, Y, model

pytestmark = pytest.mark.train


class Send(keras.callbacks.Callback):
    """Sends a signal to this process at the n-th call of one hook."""

    state_names = ()

    def __init__(self, hook, at, number=signal.SIGTERM, then=None):
        super().__init__()
        self.left, self.number, self.then = at, number, then
        setattr(self, hook, self.count)

    def count(self, *args, **kwargs):
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), self.number)
            if self.then:
                self.then()


@pytest.fixture(scope="module")
def net():
    made = model(optimizer="adam", metrics=["mae"])
    # Built and compiled once; a model that is not built yet draws one order more.
    made.fit(X, Y, batch_size=10, validation_data=(X, Y), verbose=0)
    return made


def run(net, *callbacks):
    fresh = model()
    net.set_weights(fresh.get_weights())
    for variable in net.optimizer.variables:
        if "learning_rate" not in variable.path:
            variable.assign(np.zeros(variable.shape))
    keras.utils.set_random_seed(3)
    history = net.fit(X, Y, batch_size=10, epochs=3, validation_data=(X, Y), verbose=0, callbacks=list(callbacks))
    return [*(weight.tobytes() for weight in net.get_weights()), history.history]


@pytest.mark.parametrize(
    ("hook", "at"),
    [
        ("on_train_begin", 1),
        ("on_epoch_begin", 2),
        ("on_train_batch_begin", 3),
        ("on_train_batch_end", 5),
        ("on_train_batch_end", 7),
        ("on_test_begin", 1),
        ("on_test_batch_end", 3),
        ("on_test_end", 2),
        ("on_epoch_end", 2),
        ("on_epoch_end", 3),
    ],
)
def test_a_signal_at_any_place(net, tmp_path, hook, at):
    wanted = run(net)
    folder = tmp_path / "b"
    backup = keras.callbacks.BackupAndRestore(folder, save_freq=False)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught:
        run(net, Send(hook, at), backup)
    assert caught.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is before
    assert len(os.listdir(folder)) == 1
    assert run(net, keras.callbacks.BackupAndRestore(folder, save_freq=False)) == wanted


def test_a_callback_that_takes_long_is_not_waited_for(net, tmp_path, monkeypatch):
    monkeypatch.setattr(interrupts, "_PATIENCE_S", 0.2)
    wanted = run(net)
    folder, start = tmp_path / "b", time.monotonic()
    with pytest.raises(SystemExit) as caught:
        run(net, Send("on_epoch_end", 2, then=lambda: time.sleep(30)), keras.callbacks.BackupAndRestore(folder))
    assert caught.value.code == 143
    assert time.monotonic() - start < 20
    assert run(net, keras.callbacks.BackupAndRestore(folder)) == wanted


def test_another_signal_if_asked_for(net, tmp_path):
    backup = keras.callbacks.BackupAndRestore(tmp_path / "b", save_freq=False, signals=["SIGUSR1"])
    with pytest.raises(SystemExit) as caught:
        run(net, Send("on_train_batch_end", 2, signal.SIGUSR1), backup)
    assert caught.value.code == 128 + signal.SIGUSR1


def test_without_backups_signals_are_left_alone(net):
    seen = []
    before = signal.signal(signal.SIGTERM, lambda *details: seen.append(1))
    try:
        run(net, Send("on_train_batch_end", 2))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [1]


SCRIPT = """
import sys, time
import numpy as np
from hornbeam import keras
folder, pause = sys.argv[1], float(sys.argv[2])
keras.utils.set_random_seed(1)
x = np.random.rand(96, 400).astype("float32")
net = keras.Sequential([keras.Input((400,)), keras.layers.Dense(300), keras.layers.Dropout(0.2), keras.layers.Dense(1)])
net.compile("adam", "mse")
def tell(batch, logs):
    print("batch", flush=True)
    time.sleep(pause)

show = keras.callbacks.LambdaCallback(on_train_batch_end=tell)
backup = keras.callbacks.BackupAndRestore(folder, save_freq=1)
history = net.fit(x, x[:, :1], batch_size=8, epochs=3, verbose=0, callbacks=[backup, show])
print("done", sum(float(np.abs(w).sum(dtype="float64")) for w in net.get_weights()), history.history["loss"])
"""


def process(folder, kill=None, after_s=0.0, pause=0.0):
    """Run the script; optionally send it a signal some time after its first batch. Its last line and its exit code."""
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(folder), str(pause)]
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        if kill is not None:
            child.stdout.readline()
            time.sleep(after_s)
            child.send_signal(kill)
        lines = child.stdout.read().splitlines()
    return (lines or [""])[-1], child.returncode


@pytest.mark.slow
def test_processes_that_are_killed_in_the_midst_of_saving(tmp_path):
    """R-01, R-10, R-14: almost all of the time is spent in saves."""
    wanted, code = process(tmp_path / "whole")
    assert code == 0
    moments = np.random.RandomState(0).rand(8) * 0.25
    for kill, wanted_code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143)):
        folder = tmp_path / f"b{int(kill)}"
        ended = 0
        for moment in moments:
            last, code = process(folder, kill, float(moment), pause=0.003)
            # Once fit() is over, and its backups removed, a signal does what it always does.
            over = code == -kill and not folder.exists()
            assert code in (0, wanted_code) or over
            ended += code == 0 or over
            if code == 0:
                assert last == wanted
        assert ended < len(moments)
        assert process(folder) == (wanted, 0)
