"""Equal seeds give equal runs, whatever is done beside them (RELIABILITY rows R-16, R-42, R-43)."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from tests.keras.trainers.small import X, Y

pytestmark = pytest.mark.train


def make():
    keras.utils.set_random_seed(5)
    layers = keras.layers
    inner = [layers.Dense(6, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.4), layers.Dense(1)]
    net = keras.Sequential([keras.Input((4,)), *inner])
    net.compile("adam", "mse", metrics=["mae"])
    return net


def test_looking_at_a_model_does_not_change_its_training(capsys):
    """R-43: `summary`, `predict`, `evaluate`, also on a data set, between two epochs."""
    plain = make()
    plain.fit(X, Y, epochs=3, batch_size=10, verbose=0)
    looked_at = make()
    data = tf.data.Dataset.from_tensor_slices(X).batch(7)
    for epoch in range(3):
        looked_at.summary()
        looked_at.predict(X, verbose=0)
        looked_at.predict(data, verbose=0)
        looked_at.evaluate(X, Y, verbose=0)
        if not epoch:
            # Only a model that has just been built draws one order more.
            keras.utils.set_random_seed(5)
            looked_at = make()
        looked_at.fit(X, Y, initial_epoch=epoch, epochs=epoch + 1, batch_size=10, verbose=0)
    for one, other in zip(plain.get_weights(), looked_at.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_saved_model_goes_on_exactly(tmp_path):
    """R-16: dropout, moving averages and Adam go on from a `.keras` file as they would have."""
    whole = make()
    first = whole.fit(X, Y, epochs=2, batch_size=10, shuffle=False, verbose=0).history
    whole.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    rest = [net.fit(X, Y, epochs=2, batch_size=10, shuffle=False, verbose=0).history for net in (whole, loaded)]
    assert rest[0] == rest[1] and rest[0] != first
    for one, other in zip(whole.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_pipeline_that_draws_numbers_follows_the_seed():
    """R-40: also where another thread reads it."""

    def run():
        net = make()
        data = tf.data.Dataset.from_tensor_slices((X, Y)).map(lambda x, y: (x + tf.random.uniform((4,)), y))
        return net.fit(data.shuffle(9).batch(10).repeat(), epochs=2, steps_per_epoch=4, verbose=0).history["loss"]

    assert run() == run()


SCRIPT = """
import hashlib, os, sys
os.chdir(sys.argv[1])
from hornbeam import keras
if sys.argv[2] == "others":
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, kernel_initializer="zeros")])
from tests.keras.trainers.test_repeatable import X, Y, make
net = make()
net.fit(X, Y, epochs=2, batch_size=10, verbose=0)
print(hashlib.sha256(b"".join(w.tobytes() for w in net.get_weights())).hexdigest())
"""


@pytest.mark.slow
def test_surroundings_do_not_matter(tmp_path):
    """R-42: hash seed, locale, number of threads, folder, models made before."""
    net = make()
    net.fit(X, Y, epochs=2, batch_size=10, verbose=0)
    wanted = hashlib.sha256(b"".join(weight.tobytes() for weight in net.get_weights())).hexdigest()
    for settings, others in (
        ({"PYTHONHASHSEED": "1"}, ""),
        ({"PYTHONHASHSEED": "2", "LC_ALL": "C"}, "others"),
        ({"OMP_NUM_THREADS": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}, ""),
    ):
        environment = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": os.getcwd(), **settings}
        command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path), others]
        found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert found.stdout.split()[-1] == wanted
