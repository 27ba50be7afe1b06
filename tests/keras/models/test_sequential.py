"""Sequential: building late and early, adding, popping, refusing."""

import numpy as np
import pytest

from hornbeam import keras


def test_late_build_by_call_build_and_fit():
    for how in ("call", "build", "fit"):
        m = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(2)])
        with pytest.raises(ValueError, match="no weights yet"):
            _ = m.weights
        with pytest.raises(ValueError, match="is not built yet"):
            m.summary()
        if how == "call":
            assert tuple(m(np.ones((5, 4), "float32")).shape) == (5, 2)
        elif how == "build":
            m.build((None, 4))
        else:
            m.compile("sgd", "mse")
            m.fit(np.ones((5, 4)), np.ones((5, 2)), verbose=0)
        assert [tuple(w.shape) for w in m.weights] == [(4, 3), (3,), (3, 2), (2,)]
        assert m.input_shape == (None, 4) and m.output_shape == (None, 2)
        assert m.weights[0].path == f"{m.name}/{m.layers[0].name}/kernel"


@pytest.mark.parametrize("spelling", [{"input_shape": (4,)}, {"input_dim": 4}, {"batch_input_shape": (None, 4)}])
def test_shape_on_the_first_layer(spelling):
    m = keras.Sequential([keras.layers.Dense(3, **spelling)])
    assert m.built and m.input_shape == (None, 4)


def test_pop_and_add_keep_weights():
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)])
    kept = m.layers[0].get_weights()
    last = m.pop()
    assert m.output_shape == (None, 3) and last.units == 2 and len(m.weights) == 2
    m.add(keras.layers.Dense(7))
    assert m.output_shape == (None, 7)
    for got, want in zip(m.layers[0].get_weights(), kept, strict=True):
        np.testing.assert_array_equal(got, want)
    x = np.ones((2, 4), "float32")
    assert tuple(m(x).shape) == (2, 7)
    while m.layers:
        m.pop()
    with pytest.raises(TypeError, match="no layers"):
        m.pop()


def test_refusals():
    m = keras.Sequential([keras.layers.Dense(1, name="d")])
    with pytest.raises(ValueError, match="must be unique"):
        m.add(keras.layers.Dense(1, name="d"))
    with pytest.raises(ValueError, match=r"expected a keras\.Layer"):
        m.add(keras.layers.Dense)
    with pytest.raises(ValueError, match="Lambda"):
        m.add(np.tanh)
    with pytest.raises(ValueError, match="no layers"):
        keras.Sequential().build((None, 3))


def test_model_as_first_layer_and_layers_list_is_fresh():
    base = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)], name="base")
    m = keras.Sequential([base, keras.layers.Dense(2)])
    assert m.built and m.output_shape == (None, 2)
    m.layers.append("x")
    assert len(m.layers) == 2


def test_failed_build_can_be_repeated():
    m = keras.Sequential([keras.layers.Dense(3), keras.layers.Reshape((7,))])
    with pytest.raises(ValueError, match=r"\(3,\) has 3 elements, which do not fill"):
        m.build((None, 4))
    m.pop()
    m.add(keras.layers.Reshape((3, 1)))
    m.build((None, 4))
    assert m.output_shape == (None, 3, 1)


class Projected(keras.layers.Layer):
    """A layer of the user's with a Sequential that is built where it is first called."""

    def __init__(self, steps=1):
        super().__init__()
        first = keras.layers.Conv1D(4, 3, strides=steps, padding="same")
        inner = keras.Sequential([keras.layers.Dense(5), keras.layers.Dense(4)])
        self.first, self.project = first, keras.Sequential([inner, keras.layers.ReLU()])

    def call(self, inputs):
        outputs = self.first(inputs)
        return outputs + self.project(outputs)


@pytest.mark.parametrize("steps", [1, 2])
def test_built_inside_a_layer_it_takes_any_length(steps):
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, Projected(steps)(inputs))
    assert model.output_shape == (None, None, 4)
    for length in (6, 10):
        assert model.predict(np.ones((2, length, 3)), verbose=0).shape == (2, length // steps, 4)


def test_built_inside_a_layer_it_keeps_the_sizes_it_needs():
    class Flat(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.head = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])

        def call(self, inputs):
            return self.head(inputs)

    layer = Flat()
    assert tuple(layer(np.ones((3, 4, 5), "float32")).shape) == (3, 2)
    with pytest.raises(ValueError, match="incompatible"):
        layer(np.ones((3, 6, 5), "float32"))
