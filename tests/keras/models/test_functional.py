"""What functional models can do and what they refuse."""

import numpy as np
import pytest

from hornbeam import keras, ops
from hornbeam.base.errors import ShapeError
from hornbeam.core.function import function
from hornbeam.core.tape import GradientTape


def digits_model():
    x = keras.Input((8,), name="x")
    h = keras.layers.Dense(6, activation="relu", name="a")(x)
    h = keras.layers.Dense(5, activation="relu", name="b")(h)
    return keras.Model(x, keras.layers.Dense(3, name="c")(h), name="m")


def test_cut_out_sub_graphs():
    m = digits_model()
    x = np.random.RandomState(0).rand(4, 8).astype("float32")
    features = keras.Model(m.input, m.get_layer("b").output)
    assert features.output_shape == (None, 5) and [layer.name for layer in features.layers] == ["x", "a", "b"]
    tail = keras.Model(m.get_layer("b").output, m.output)
    np.testing.assert_allclose(tail(features(x)).numpy(), m(x).numpy(), rtol=1e-6)
    both = keras.Model(m.inputs, [layer.output for layer in m.layers[1:]])
    assert [tuple(o.shape) for o in both(x)] == [(4, 6), (4, 5), (4, 3)]
    assert features.get_layer("a") is m.get_layer("a")


def test_get_layer():
    m = digits_model()
    assert m.get_layer(index=1).name == "a" and m.get_layer("c").units == 3
    with pytest.raises(ValueError, match=r"has no layer .nope"):
        m.get_layer("nope")
    with pytest.raises(ValueError, match=r"has 4 layers\. Received: index=9"):
        m.get_layer(index=9)


def test_unconnected_graphs_and_bad_arguments_are_refused():
    a, b = keras.Input((3,)), keras.Input((3,))
    y = keras.layers.Dense(1)(a)
    with pytest.raises(ValueError, match="not connected"):
        keras.Model(b, y)
    with pytest.raises(ValueError, match="KerasTensor"):
        keras.Model(a, 3.0)
    with pytest.raises(ValueError, match="unique"):
        keras.Model(a, keras.layers.Dense(1, name="n")(keras.layers.Dense(2, name="n")(a)))


def test_input_forms_and_wrong_shapes():
    m = digits_model()
    x = np.ones((2, 8))
    want = m(x.astype("float32")).numpy()
    for form in (x, x.astype("float16").astype("float64"), [x], {"x": x}, x.tolist(), ops.convert_to_tensor(x)):
        np.testing.assert_allclose(m(form).numpy(), want, rtol=1e-6)
    with pytest.raises(ShapeError, match=r"expected shape=\(None, 8\).*found shape=\(2, 7\)"):
        m(np.ones((2, 7), "float32"))
    with pytest.raises(ValueError, match="expects 1 inputs"):
        m([x, x])


def test_unknown_sizes_in_several_axes():
    x = keras.Input((None, None, 3))
    y = keras.layers.Dense(4)(x)
    m = keras.Model(x, [y, ops.mean(y, axis=(1, 2))])
    assert m.output_shape == [(None, None, None, 4), (None, 4)]
    for h, w in ((2, 3), (5, 1)):
        assert tuple(m(np.ones((2, h, w, 3), "float32"))[0].shape) == (2, h, w, 4)


def test_shared_layers_count_once_and_gradients_add():
    shared = keras.layers.Dense(1, use_bias=False)
    x = keras.Input((1,))
    m = keras.Model(x, shared(shared(x)))
    assert len(m.layers) == 2 and len(m.weights) == 1
    shared.set_weights([np.array([[3.0]], "float32")])
    with GradientTape() as tape:
        y = m(np.array([[2.0]], "float32"))
    np.testing.assert_allclose(tape.gradient(y, m.trainable_variables[0]).numpy(), [[12.0]])


def test_freezing():
    m = digits_model()
    m.get_layer("a").trainable = False
    assert [v.path for v in m.trainable_variables] == ["b/kernel", "b/bias", "c/kernel", "c/bias"]
    assert len(m.non_trainable_variables) == 2
    m.trainable = False
    assert m.trainable_variables == [] and len(m.weights) == 6
    m.trainable = True
    assert len(m.trainable_variables) == 6


def test_changes_take_effect_in_compiled_calls():
    x = np.ones((4, 8), "float32")
    m = digits_model()
    before = m(x).numpy()
    m.get_layer("c").activation = keras.activations.get("softmax")
    after = m(x).numpy()
    assert not np.allclose(before, after)
    np.testing.assert_allclose(after.sum(1), 1, rtol=1e-6)


def test_weights_round_trip_and_refusals():
    m = digits_model()
    weights = m.get_weights()
    assert [w.shape for w in weights] == [(8, 6), (6,), (6, 5), (5,), (5, 3), (3,)]
    with pytest.raises(ValueError, match="expected 6 weights, received 1"):
        m.set_weights(weights[:1])
    bad = [w * 0 for w in weights]
    bad[-1] = np.zeros((4,), "float32")
    with pytest.raises(ValueError, match="not compatible"):
        m.set_weights(bad)
    for got, want in zip(m.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(got, want)


def test_the_batch_may_differ_from_the_one_of_the_input_layer():
    inputs = keras.Input((4,), batch_size=8)
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    assert model.predict(np.ones((3, 4)), verbose=0).shape == (3, 2)
    with pytest.raises(ShapeError, match="incompatible"):
        model(np.ones((8, 5)))


@pytest.mark.parametrize("outside", [False, True], ids=["eager", "traced"])
def test_gradients_reach_tensors_that_stand_where_weights_would(outside):
    model = keras.Sequential([keras.layers.Dense(3, use_bias=False), keras.layers.Dense(2, use_bias=False)])
    for layer in model.layers:
        layer.built = True
    x = ops.convert_to_tensor([[1.0, 2.0]])

    def gradients(made):
        with GradientTape() as tape:
            tape.watch(made)
            for layer, kernel in zip(model.layers, (made, ops.ones((3, 2))), strict=True):
                layer.kernel, layer.bias = kernel, None
            loss = ops.sum(model(x))
        return tape.gradient(loss, made)

    made = ops.ones((2, 3))
    found = function(gradients)(made) if outside else gradients(made)
    np.testing.assert_allclose(found, [[2.0] * 3, [4.0] * 3])


@pytest.mark.parametrize("outside", [False, True], ids=["eager", "traced"])
@pytest.mark.parametrize("hold", [lambda one: [one], lambda one: {"kernel": one}], ids=["list", "dict"])
def test_gradients_reach_tensors_that_a_layer_holds_in_a_container(hold, outside):
    class Held(keras.layers.Layer):
        def __init__(self, kernels):
            super().__init__()
            self.kernels = kernels

        def call(self, inputs):
            return ops.matmul(inputs, self.kernels["kernel"] if isinstance(self.kernels, dict) else self.kernels[0])

    x = ops.convert_to_tensor([[1.0, 2.0]])

    def gradients(made):
        with GradientTape() as tape:
            tape.watch(made)
            loss = ops.sum(Held(hold(made))(x))
        return tape.gradient(loss, made)

    made = ops.ones((2, 3))
    found = function(gradients)(made) if outside else gradients(made)
    np.testing.assert_allclose(found, [[1.0] * 3, [2.0] * 3])


def test_axes_of_string_inputs_come_and_go():
    words = keras.Input((), dtype="string")
    columns = ops.expand_dims(words, -1)
    lookup = keras.layers.StringLookup(vocabulary=["a", "b"], num_oov_indices=1)
    assert tuple(columns.shape) == (None, 1) and columns.dtype == "string"
    found = keras.Model(words, [lookup(columns), lookup(ops.squeeze(columns, -1))])(np.array(["b", "z"]))
    assert [out.numpy().tolist() for out in found] == [[[2], [0]], [2, 0]]


def test_a_list_of_one_output_gives_the_output():
    inputs = keras.Input((3,))
    model = keras.Model([inputs], [keras.layers.Dense(2)(inputs)])
    x = np.ones((4, 3), "float32")
    model.compile("sgd", ["mse"])
    assert isinstance(model.output, list)
    for found in (model(x), model.predict(x, verbose=0), model.predict_on_batch(x), model(keras.Input((3,)))):
        assert tuple(found.shape[1:]) == (2,)
    assert keras.Model(inputs, {"a": model.output[0]})(x)["a"].shape == (4, 2)
    assert isinstance(keras.Model(inputs, [[model.output[0]]])(x), list)


def test_lambda_layers_are_cloned_with_their_functions():
    def scaled(by):
        def function(x):
            return x * by

        return function

    inputs = keras.Input((2,))
    inner = keras.Sequential([keras.layers.Lambda(lambda x: x + 1)])
    x = keras.layers.Lambda(scaled(2))(inner(inputs))
    model = keras.Model(inputs, keras.layers.Lambda(scaled(10), output_shape=lambda shape: shape)(x))
    clone = keras.models.clone_model(model)
    assert clone.layers[-1] is not model.layers[-1]
    np.testing.assert_allclose(clone(np.ones((1, 2), "float32")), np.full((1, 2), 40.0))
