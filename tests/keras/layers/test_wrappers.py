"""Layers around layers, and layers of users."""

import keras
import numpy as np
import pytest

from hornbeam.keras import layers, saving
from hornbeam.keras.layers.base import calling
from tests.keras.layers.samples import FIRST, SECOND, draw, masked_pair

pytestmark = pytest.mark.numeric


# --- TimeDistributed and Wrapper -----------------------------------------------------------------
def test_time_distributed_folds_or_loops(monkeypatch):
    """One call for all steps where samples are independent, one per step where a call moves statistics."""
    calls = []
    x = draw(4, 3, 5)

    def counted(kind):
        original = kind.call
        monkeypatch.setattr(kind, "call", lambda self, *a, **k: calls.append(1) or original(self, *a, **k))

    counted(layers.Dense)
    layers.TimeDistributed(layers.Dense(2))(x)
    assert len(calls) == 1
    calls.clear()
    counted(layers.BatchNormalization)
    layer = layers.TimeDistributed(layers.BatchNormalization())
    layer(x)
    assert len(calls) == 1
    calls.clear()
    layer(x, training=True)
    assert len(calls) == 3


def test_time_distributed_mask():
    layer = layers.TimeDistributed(layers.Dense(2))
    with pytest.raises(ValueError, match="begins with the batch and steps"):
        layer(draw(2, 3, 4), mask=np.ones((2, 5), bool))
    ours, theirs = layers.TimeDistributed(layers.Softmax()), keras.layers.TimeDistributed(keras.layers.Softmax())
    mask = draw(2, 3, 4, seed=1) > 0
    expected = np.asarray(theirs(draw(2, 3, 4), mask=mask))
    np.testing.assert_allclose(np.asarray(ours(draw(2, 3, 4), mask=mask)), expected, rtol=1e-6, atol=1e-7)


class Twice(layers.Wrapper):
    def call(self, inputs):
        return self.layer(self.layer(inputs))


def test_wrapper():
    layer = Twice(layers.Dense(4, name="inner"), name="outer")
    assert layer(draw(2, 4)).shape == (2, 4)
    assert [weight.path for weight in layer.weights] == ["outer/inner/kernel", "outer/inner/bias"]
    config = layer.get_config()
    assert config["layer"]["class_name"] == "Dense"
    assert isinstance(Twice.from_config(config).layer, layers.Dense)


# --- user layers ---------------------------------------------------------------------------------
@saving.register_keras_serializable(package="tests")
class Scale(layers.Layer):
    def __init__(self, factor, start="ones", **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.start = start

    def build(self, input_shape):
        self.weight = self.add_weight(name="weight", shape=(input_shape[-1],), initializer=self.start)

    def call(self, inputs):
        return inputs * self.weight * self.factor


def test_user_layer_round_trip():
    """A layer without `get_config` is stored with the arguments it was made with."""
    layer = Scale(3.0, start="zeros", name="mine")
    layer(draw(2, 4))
    config = saving.serialize_keras_object(layer)
    assert config["registered_name"] == "tests>Scale"
    assert config["config"]["factor"] == 3.0
    read = saving.deserialize_keras_object(config)
    assert type(read) is Scale and read.name == "mine" and read.start == "zeros"
    assert read.built and tuple(read.weight.shape) == (4,)


def test_building_by_hand_builds_once():
    layer = Scale(2.0, name="mine")
    layer.build((None, 4))
    assert layer.built and layer.get_build_config() == {"input_shape": (None, 4)}
    layer(draw(2, 4))
    assert len(layer.weights) == 1 and layer.weights[0].path == "mine/weight"


def test_activity_regularizers_count_per_sample():
    layer = layers.Dense(3, activity_regularizer="l2", kernel_initializer="ones")
    x = np.ones((4, 2), "float32")
    layer(x)
    # Each output is 2: the l2 penalty of a sample is 0.01 * 3 * 4.
    np.testing.assert_allclose([float(loss) for loss in layer.losses], [0.12], rtol=1e-6)


def test_one_program_for_masked_inputs(monkeypatch):
    made = []
    plan = calling.Plan
    monkeypatch.setattr(calling, "Plan", lambda *args: made.append(1) or plan(*args))
    layer = layers.Maximum()
    for seed in range(3):
        layer([masked_pair(draw(3, 4, 5, seed=seed), FIRST)[0], masked_pair(draw(3, 4, 5), SECOND)[0]])
    assert len(made) == 1
