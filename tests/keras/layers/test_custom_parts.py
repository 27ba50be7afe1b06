"""Layers that hold unregistered layers or cells: `custom_objects` of `from_config` reaches them."""

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
