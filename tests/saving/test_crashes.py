"""A save that is killed leaves the old or the new file, and nothing else for long (RELIABILITY rows R-01, R-02)."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.saving import atomic
from tests.saving.saved import load, make_model, save

pytestmark = [pytest.mark.format, pytest.mark.filterwarnings("ignore::UserWarning")]

KILLED = """
import sys, numpy as np
from hornbeam import keras
path, small = sys.argv[1], int(sys.argv[2])
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(small)])
number = 0
print("ready", flush=True)
while True:
    number += 1
    model.set_weights([np.full(w.shape, number, "float32") for w in model.get_weights()])
    if path.endswith((".weights.h5", ".weights.json")):
        model.save_weights(path)
    else:
        model.save(path, **({"zipped": False} if path.endswith("folder") else {}))
    print(number, flush=True)
"""


def killed_save(path, delay_s, units=4000):
    """A process that saves in a loop, killed after a while; the number of its last finished save."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(path), str(units)],
        stdout=subprocess.PIPE,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    first = process.stdout.readline()
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split()
    process.wait()
    return int(([first.strip(), *rest])[-1])


def check_survivor(path, last, units=4000):
    """The file holds one whole save: the last finished one, or the one after it."""
    if str(path).endswith((".weights.h5", ".weights.json")):
        model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(units)])
        model.load_weights(path)
    else:
        model = keras.models.load_model(path)
    values = {float(value) for weight in model.get_weights() for value in np.unique(weight)}
    assert len(values) == 1
    assert values.pop() in (last, last + 1)


@pytest.mark.parametrize("name", ["m.keras", "w.weights.h5", "w.weights.json", "folder"])
def test_a_killed_save_leaves_the_old_or_the_new_file(tmp_path, name):
    """R-01, R-02."""
    path = tmp_path / name
    last = killed_save(path, 0.05)
    check_survivor(path, last)
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(4)])
    save(model, path) if name != "folder" else model.save(path, zipped=False)
    assert not [entry for entry in os.listdir(tmp_path) if entry.endswith(".tmp")]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["m.keras", "m.h5", "w.weights.h5", "w.weights.json", "folder"])
def test_many_killed_saves(tmp_path, name):
    """R-01, the long form."""
    path = tmp_path / name
    rng = np.random.default_rng(0)
    for _ in range(40):
        check_survivor(path, killed_save(path, float(rng.uniform(0, 0.3))))


def test_leftovers_of_dead_processes_go_those_of_live_ones_stay(tmp_path):
    """R-02."""
    live = tmp_path / f".m.keras.{os.getppid()}-0123abcd.tmp"
    dead = tmp_path / ".m.keras.999999999-0123abcd.tmp"
    same_number = tmp_path / f".m.keras.{os.getpid()}-0123abcd.tmp"
    for path in (live, dead, same_number):
        path.write_bytes(b"x")
    make_model().save(tmp_path / "m.keras")
    assert live.exists()
    assert not dead.exists()
    assert not same_number.exists()


def test_a_folder_left_between_two_moves_comes_back(tmp_path):
    """R-01 for folders, on systems that cannot exchange two of them in one step."""
    path = tmp_path / "folder"
    make_model(1.0).save(path, zipped=False)
    path.rename(tmp_path / ".folder.999999999-0123abcd.old.tmp")
    with pytest.raises(OSError, match="stop"), atomic.atomic_folder(str(path)):
        raise OSError("stop")
    assert float(load(path).get_weights()[0][0, 0]) == 1.0
