"""Layers that hold unregistered layers or cells: `custom_objects` of `from_config` reaches them."""

import numpy as np
import pytest

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
