"""``Operation`` and ``Function``: computations as parts of graphs, and graphs as functions."""

import numpy as np
import pytest

import hornbeam.keras as keras
from hornbeam.keras import ops


class Scale(keras.Operation):
    def __init__(self, factor, name=None):
        super().__init__(name=name)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor


def test_an_operation_runs_on_values_and_in_graphs():
    scale = Scale(3.0, name="scale")
    np.testing.assert_allclose(scale(np.ones(2, "float32")), [3.0, 3.0])
    inputs = keras.Input((2,))
    outputs = scale(inputs)
    assert outputs.shape == (None, 2) and scale.output is outputs
    model = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer="ones")(outputs))
    np.testing.assert_allclose(model(np.ones((1, 2), "float32")).numpy(), [[6.0]])
    again = Scale.from_config(scale.get_config())
    assert (again.name, again.factor) == ("scale", 3.0)
    assert isinstance(keras.layers.Dense(1), keras.Operation)


def test_a_function_is_a_graph():
    first, second = keras.Input((2,)), keras.Input((2,))
    function = keras.Function([first, second], {"sum": first + second, "twice": ops.exp(first) * 2.0})
    found = function([np.zeros((1, 2), "float32"), np.ones((1, 2), "float32")])
    np.testing.assert_allclose(found["sum"], [[1.0, 1.0]])
    np.testing.assert_allclose(found["twice"], [[2.0, 2.0]])
    assert function.compute_output_shape([(None, 2), (None, 2)]) == {"sum": (None, 2), "twice": (None, 2)}
    with pytest.raises(ValueError, match="takes 2 inputs"):
        function([np.ones((1, 2))])


def test_operations_refuse_bad_names_and_missing_code():
    with pytest.raises(ValueError, match="without '/'"):
        Scale(1.0, name="a/b")
    with pytest.raises(NotImplementedError, match="does not define `call`"):
        keras.Operation()(np.ones(2))
