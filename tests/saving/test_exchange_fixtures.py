"""Small models that tf_keras and Keras 3 wrote: layers in two models, inner layers without public names, ops.

Each fixture holds inputs, targets, the writer's outputs, and its losses in the three training steps that followed.
"""

from pathlib import Path

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.keras import layers

pytestmark = [pytest.mark.format, pytest.mark.compat, pytest.mark.filterwarnings("ignore::UserWarning")]
ROOT = Path(__file__).parents[1] / "fixtures" / "exchange"
FILES = sorted(path.name for path in ROOT.iterdir() if path.suffix != ".npz")


@pytest.mark.parametrize("name", FILES)
def test_outputs_and_further_training_are_the_writers(name):
    model = keras.models.load_model(ROOT / name)
    with np.load(ROOT / f"{name.partition('.')[0]}.npz") as stored:
        np.testing.assert_allclose(model.predict(stored["x"], verbose=0), stored["pred"], atol=1e-5)
        received = []
        for _ in stored["losses"]:
            model.reset_metrics()
            received.append(float(np.asarray(model.train_on_batch(stored["x"], stored["y"])).reshape(-1)[0]))
        np.testing.assert_allclose(received, stored["losses"], atol=3e-5)
    if "shared_below" in name:
        first, second = (model.get_layer(inner).get_layer("d1") for inner in ("m1", "m2"))
        assert first is second


def shared_below():
    """A model with a layer that two of its inner models have."""
    x = keras.Input((3,))
    hidden = layers.Dense(2, name="d1")(x)
    one, two = keras.Model(x, hidden, name="m1"), keras.Model(x, [hidden, layers.Dense(2)(hidden)], name="m2")
    return keras.Model(x, layers.Add()([one(x), *two(x)]))


@pytest.mark.parametrize("kind", ["m.keras", "m.h5", "m"])
def test_layers_of_two_inner_models_stay_one(tmp_path, kind):
    model = shared_below()
    model.compile("adam", "mse")
    x = np.ones((2, 3), "float32")
    model.train_on_batch(x, np.zeros((2, 2), "float32"))
    model.save(tmp_path / kind)
    loaded = keras.models.load_model(tmp_path / kind)
    np.testing.assert_array_equal(loaded(x), model(x))
    assert loaded.get_layer("m1").get_layer("d1") is loaded.get_layer("m2").get_layer("d1")
    assert len(loaded.trainable_weights) == len(model.trainable_weights) == 4


def test_equal_layers_that_are_two_stay_two(tmp_path):
    x = keras.Input((3,))
    towers = [keras.Sequential([keras.Input((3,)), layers.Dense(2, name="d1")], name=name) for name in ("m1", "m2")]
    model = keras.Model(x, layers.Add()([tower(x) for tower in towers]))
    model.save(tmp_path / "m.h5")
    loaded = keras.models.load_model(tmp_path / "m.h5")
    assert loaded.get_layer("m1").get_layer("d1") is not loaded.get_layer("m2").get_layer("d1")
    data = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(loaded(data), model(data))


def test_functions_outside_of_ops_come_back_from_files(tmp_path):
    x = keras.Input((3, 4))
    y = tf.nn.l2_normalize(tf.gather(tf.cumsum(x, axis=1), [2, 0], axis=1), axis=-1)
    model = keras.Model(x, tf.reshape(y, [tf.shape(y)[0], 8]) * tf.norm(x, axis=[1, 2])[:, None])
    model.save(tmp_path / "m.keras")
    data = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "m.keras")(data), model(data))
