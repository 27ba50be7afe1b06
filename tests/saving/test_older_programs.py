"""Files written here load in Keras 2: whole models and weights, with equal predictions.

``HORNBEAM_TF_PYTHON`` names an interpreter with ``tf_keras``; without it the running one is taken if that is installed.
"""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers

PYTHON = os.environ.get("HORNBEAM_TF_PYTHON") or (
    sys.executable if importlib.util.find_spec("tf_keras") is not None else None
)
pytestmark = [
    pytest.mark.format,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.skipif(PYTHON is None, reason="tf_keras is not installed; HORNBEAM_TF_PYTHON may name where it is"),
]

# In a process of its own: TensorFlow does not share one with JAX's tests.
READER = """
import json, os, sys
os.environ["TF_USE_LEGACY_KERAS"] = "1"
import numpy as np, tf_keras
stored = np.load(sys.argv[2])
model = tf_keras.models.load_model(sys.argv[1])
difference = np.abs(model.predict(stored["x"], verbose=0) - stored["y"]).max()
print(json.dumps([float(difference), model.optimizer is not None]))
"""


def dense():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, "relu"), layers.BatchNormalization(), layers.Dense(3)])
    model.compile("adam", "mse", metrics=["mae"])
    return model, np.random.default_rng(0).normal(size=(8, 4)).astype("float32")


def pictures():
    x = keras.Input((8, 8, 3))
    a, b = layers.Conv2D(4, 3, padding="same")(x), layers.SeparableConv2D(4, 3, padding="same")(x)
    merged = layers.LeakyReLU()(layers.Concatenate()([layers.Add()([a, b]), a]))
    model = keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(merged)))
    return model, np.random.default_rng(0).random((2, 8, 8, 3)).astype("float32")


@pytest.mark.parametrize("make", [dense, pictures])
def test_h5_files_load_in_keras_2(tmp_path, make):
    model, x = make()
    model.save(tmp_path / "m.h5")
    np.savez(tmp_path / "io.npz", x=x, y=model.predict(x, verbose=0))
    command = [PYTHON, "-c", READER, str(tmp_path / "m.h5"), str(tmp_path / "io.npz")]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    difference, compiled = json.loads(result.stdout.strip().splitlines()[-1])
    assert difference < 1e-5
    assert compiled == model.compiled
