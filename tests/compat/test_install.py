"""`hornbeam.install()` in fresh processes: it changes the import system, so none of it runs inside the test process."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.structure.source_tree import ROOT


def run(code: str, *, installed: bool = True) -> str:
    """Standard output of a fresh process that runs the code, after an install unless told otherwise."""
    start = "from hornbeam.compat.install import install\ninstall()\n" if installed else ""
    done = subprocess.run(
        [sys.executable, "-c", start + code],
        cwd=ROOT,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_spelling_is_the_same_module_and_the_same_class():
    run("""
import hornbeam
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers, optimizers, Model
from tensorflow.keras.layers import Dense, Input
import tensorflow.keras.callbacks as KC
import tensorflow.keras.models as KM
import keras as alone
import keras.layers
from keras.models import Sequential
import tf_keras
from tensorflow.python.keras.layers import Dense as PrivateDense
from tensorflow.python.keras import layers as private_layers
from keras.src.layers.core.dense import Dense as SourceDense

assert tf is hornbeam and keras is hornbeam.keras is alone is tf_keras is tf.keras
assert layers is keras.layers is hornbeam.keras.layers is private_layers
assert Dense is layers.Dense is keras.layers.Dense is hornbeam.keras.layers.Dense is PrivateDense is SourceDense
assert Model is KM.Model is tf.keras.Model and Sequential is tf.keras.Sequential
assert KC is tf.keras.callbacks and Input is keras.Input and optimizers is tf.keras.optimizers
assert isinstance(tf.__version__, str) and tf.__version__.startswith("2.")
assert hornbeam.__name__ == "hornbeam" and hornbeam.__spec__.name == "hornbeam"
assert hornbeam.keras.layers.__spec__.name == "hornbeam.keras.layers"
""")


def test_former_places_are_importable_and_do_not_cover_what_is_there():
    run("""
import hornbeam
add, dense = hornbeam.keras.layers.add, hornbeam.keras.layers.Dense
from keras.utils.generic_utils import Progbar
from keras.utils import np_utils
from tensorflow.keras.layers.experimental.preprocessing import Rescaling
from keras.layers.core import Dense, Dropout, Flatten
from keras.layers.convolutional import *
from keras.src.layers.merging.add import Add
from keras.engine.topology import Layer, InputLayer
import keras
import keras.objectives

assert Progbar is keras.utils.Progbar
assert np_utils.to_categorical is keras.utils.to_categorical
assert Conv2D is keras.layers.Conv2D and Dense is dense and Rescaling is keras.layers.Rescaling
assert keras.objectives.mean_squared_error is keras.losses.mean_squared_error
assert Layer is keras.layers.Layer and InputLayer is keras.layers.InputLayer
assert hornbeam.keras.layers.add is add, "an old file name covered a function"
import hornbeam.keras.layers
assert hornbeam.keras.layers.Dense is dense
""")


def test_former_places_are_attributes_too():
    run("""
import keras, tensorflow as tf
assert keras.utils.np_utils.to_categorical is keras.utils.to_categorical
assert tf.keras.layers.experimental.preprocessing.Rescaling is keras.layers.Rescaling
assert keras.objectives.mean_squared_error is keras.losses.mean_squared_error
assert tf.losses.mean_squared_error is tf.keras.losses.mean_squared_error
assert callable(keras.layers.add)
assert not hasattr(keras.utils, "nothing_like_it") and not hasattr(keras.utils.np_utils, "nothing_like_it")
""")


def test_unknown_and_refused_places_say_what_to_do():
    out = run("""
import importlib
for name in ("tensorflow.keras.layer", "keras.optimizer", "tensorflow.nothing_like_it", "tensorflow.core.framework",
             "tensorflow.contrib.layers", "keras.layers.nothing_like_it.below"):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        print(error)
    else:
        print(name, "was found")
for place, name in (("tensorflow.keras.layers", "Dens"), ("keras.layers.merge", "Nothing")):
    try:
        exec(f"from {place} import {name}")
    except ImportError as error:
        print(type(error).__name__)
from keras.layers.merge import Add, _Merge
assert issubclass(Add, _Merge)
""").splitlines()
    assert out[0] == "No module named 'tensorflow.keras.layer'; did you mean tensorflow.keras.layers?"
    assert out[1] == "No module named 'keras.optimizer'; did you mean keras.optimizers?"
    assert out[2] == "No module named 'tensorflow.nothing_like_it'"
    assert out[3].startswith("No module named 'tensorflow.core'")
    assert "TensorFlow 1" in out[4] and "tf.keras" in out[4]
    assert out[5].startswith("No module named 'keras.layers.nothing_like_it'")
    assert out[6:] == ["ImportError", "ImportError"]


def test_a_real_keras_that_is_already_imported_is_refused():
    out = run(
        """
import sys, types
sys.modules["keras"] = types.ModuleType("keras")
from hornbeam.compat.install import install
try:
    install()
except RuntimeError as error:
    print(error)
""",
        installed=False,
    )
    assert "too late" in out and "keras already imported" in out and "hornbeam run" in out


def test_twice_is_once_and_no_metadata_is_advertised():
    run("""
import importlib.metadata, sys
install()
assert sum(type(finder).__module__ == "hornbeam.compat.install" for finder in sys.meta_path) == 1
import hornbeam, tensorflow
assert tensorflow is hornbeam
named = importlib.metadata.packages_distributions().get("tensorflow", [])
assert "hornbeam" not in named
""")
