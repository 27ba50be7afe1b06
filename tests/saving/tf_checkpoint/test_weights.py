"""``save_weights`` and ``load_weights`` in checkpoint form: layouts, optimizers, late building, refusals."""

import numpy as np
import pytest

from hornbeam import keras
from hornbeam import train as tf_train

layers = keras.layers
pytestmark = pytest.mark.format
X = np.random.default_rng(0).normal(size=(12, 6)).astype("float32")
Y = np.random.default_rng(1).normal(size=(12, 2)).astype("float32")


def functional():
    inputs = keras.Input((6,))
    x = layers.Dense(5, "relu")(inputs)
    inner = keras.Sequential([keras.Input((5,)), layers.Dense(4), layers.BatchNormalization()])
    x = inner(x)
    x = layers.Concatenate()([x, layers.Dropout(0.1)(inputs)])
    return keras.Model(inputs, layers.Dense(2)(x))


OPTIMIZERS = [
    lambda: keras.optimizers.SGD(0.05),
    lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    lambda: keras.optimizers.Adam(0.01, amsgrad=True),
    lambda: keras.optimizers.AdamW(0.01),
    lambda: keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    lambda: keras.optimizers.Adagrad(0.05),
    lambda: keras.optimizers.Adadelta(0.5),
    lambda: keras.optimizers.Adamax(0.01),
    lambda: keras.optimizers.Nadam(0.01),
    lambda: keras.optimizers.Ftrl(0.05),
    lambda: keras.optimizers.Lion(0.01),
    lambda: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.01, 2, 0.5)),
]


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_training_goes_on(tmp_path, make):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(4, "tanh"), layers.Dense(2)])
    model.compile(make(), "mse")
    model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    model.save_weights(tmp_path / "cp.ckpt")
    again = keras.Sequential([keras.Input((6,)), layers.Dense(4, "tanh"), layers.Dense(2)])
    again.compile(make(), "mse")
    again.load_weights(tmp_path / "cp.ckpt").assert_consumed()
    for one, other in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy(), err_msg=one.path)
    for each in (model, again):
        each.fit(X, Y, epochs=1, verbose=0, shuffle=False)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_functional_and_nested(tmp_path):
    model = functional()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    model.save_weights(tmp_path / "w")
    again = functional()
    again.load_weights(tmp_path / "w")
    np.testing.assert_array_equal(model.predict(X, verbose=0), again.predict(X, verbose=0))
    names = [name for name, _ in tf_train.list_variables(tmp_path)]
    assert "layer_with_weights-1/layer_with_weights-1/moving_mean/.ATTRIBUTES/VARIABLE_VALUE" in names
    assert "optimizer/_iterations/.ATTRIBUTES/VARIABLE_VALUE" in names


def test_depthwise_under_its_stored_name(tmp_path):
    model = keras.Sequential([keras.Input((6, 6, 2)), layers.DepthwiseConv2D(3), layers.SeparableConv2D(3, 2)])
    model.save_weights(tmp_path / "w")
    names = [name.split("/.")[0] for name, _ in tf_train.list_variables(tmp_path)]
    assert {"layer_with_weights-0/depthwise_kernel", "layer_with_weights-1/pointwise_kernel"} <= set(names)
    again = keras.models.clone_model(model)
    again.load_weights(tmp_path / "w")
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("make", [lambda: layers.LSTM(3), lambda: layers.Bidirectional(layers.GRU(3))])
def test_recurrent(tmp_path, make):
    model = keras.Sequential([keras.Input((4, 6)), make()])
    model.save_weights(tmp_path / "w")
    again = keras.Sequential([keras.Input((4, 6)), make()])
    again.load_weights(tmp_path / "w").assert_consumed()
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_values_wait_for_the_build(tmp_path):
    model = keras.Sequential([layers.Dense(4, "relu"), layers.Dense(2)])
    model(X)
    model.save_weights(tmp_path / "w")
    late = keras.Sequential([layers.Dense(4, "relu"), layers.Dense(2)])
    late.load_weights(tmp_path / "w")
    np.testing.assert_array_equal(model.predict(X, verbose=0), late.predict(X, verbose=0))
    # Later changes are not undone by later builds.
    late.layers[0].kernel.assign(np.zeros((6, 4), "float32"))
    late.build((None, 6))
    assert not np.any(late.layers[0].kernel.numpy())


def test_other_shapes_change_nothing(tmp_path):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.Dense(2)])
    model.save_weights(tmp_path / "w")
    other = keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.Dense(3)])
    before = other.get_weights()
    with pytest.raises(ValueError, match="2 variables have another shape"):
        other.load_weights(tmp_path / "w")
    for one, two in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    with pytest.warns(UserWarning, match="no value for 2"):
        other.load_weights(tmp_path / "w", skip_mismatch=True)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    np.testing.assert_array_equal(other.get_weights()[2], before[2])


def test_refusals(tmp_path):
    model = keras.Sequential([layers.Dense(2)])
    with pytest.raises(ValueError, match="not built"):
        model.save_weights(tmp_path / "w")
    with pytest.raises(FileNotFoundError):
        model.load_weights(tmp_path / "nothing")
    built = keras.Sequential([keras.Input((6,)), layers.Dense(2)])
    built.save_weights(tmp_path / "w")
    with pytest.raises(ValueError, match="by_name"):
        built.load_weights(tmp_path / "w", by_name=True)
    tf_train.Checkpoint(other=built).write(tmp_path / "v")
    with pytest.raises(ValueError, match="nothing that belongs"):
        built.load_weights(tmp_path / "v")


def test_states_of_stateful_layers_stay_out(tmp_path):
    """Text generators train on many lines at once and write one: the checkpoint fits any batch size."""

    def build(batch):
        return keras.Sequential([keras.Input((None, 3), batch_size=batch), keras.layers.GRU(2, stateful=True)])

    many, one = build(4), build(1)
    x = np.random.default_rng(0).standard_normal((4, 5, 3)).astype("float32")
    many(x)
    many.save_weights(tmp_path / "cp.ckpt")
    remembered = one(x[:1]).numpy()
    one.load_weights(tmp_path / "cp.ckpt")
    np.testing.assert_array_equal(one.layers[0].states[0].numpy(), remembered)
    for model in (many, one):
        model.layers[0].reset_states()
    np.testing.assert_allclose(one(x[2:3]).numpy(), many(x).numpy()[2:3], rtol=1e-6)
