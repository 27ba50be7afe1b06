"""Layers that hold parts of the user's: unregistered layers and cells, functions that close over tensors."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras

pytestmark = pytest.mark.unit
layers = keras.layers


class Adder(layers.Layer):
    """A cell that adds up its inputs."""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = units

    def call(self, inputs, states):
        total = states[0] + keras.ops.sum(inputs, -1, keepdims=True)
        return total, [total]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.RNN(Adder()),
        lambda: layers.TimeDistributed(Adder()),
        lambda: layers.Bidirectional(layers.RNN(Adder())),
    ],
)
def test_custom_objects_reach_inner_layers(make):
    with keras.saving.custom_object_scope({"Adder": Adder}):
        made = make()
    again = type(made).from_config(made.get_config(), custom_objects={"Adder": Adder})
    assert again.get_config() == made.get_config()
    with pytest.raises(TypeError, match="Adder"):
        type(made).from_config(made.get_config())


def test_a_call_that_hands_all_arguments_on_builds_for_its_only_tensor(tmp_path):
    class Frozen(layers.BatchNormalization):
        def call(self, *args, **kwargs):
            return super().call(*args, **{**kwargs, "training": False})

    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, Frozen(axis=3)(inputs))
    assert model.layers[1].gamma.shape == (3,) and model.output.shape == (None, 4, 4, 3)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", custom_objects={"Frozen": Frozen})
    assert again.layers[1].gamma.shape == (3,)


@pytest.mark.parametrize("dtype, name", [(bool, "bool"), (np.int32, "int32"), (np.dtype("float32"), "float32")])
def test_inputs_take_types_as_dtypes(dtype, name):
    tensor = keras.Input((3,), dtype=dtype)
    assert tensor.dtype == name and not hasattr(tensor, "__len__")


@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_reach_tensors_that_functions_of_layers_close_over(compiled):
    scale = tf.constant([2.0, 3.0])
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(2, kernel_initializer="ones", activation=lambda x: x * scale),
            keras.layers.Lambda(lambda x: x * scale),
        ]
    )

    def gradient(x):
        nonlocal scale
        before, scale = scale, scale * 1.0
        with tf.GradientTape() as tape:
            tape.watch(scale)
            loss = tf.reduce_sum(model(x))
        found = tape.gradient(loss, scale)
        scale = before
        return found

    found = tf.function(gradient) if compiled else gradient
    np.testing.assert_allclose(found(tf.ones((1, 2))).numpy(), [8.0, 12.0])  # d/ds of 2 s^2
