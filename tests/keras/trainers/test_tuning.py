"""Finding a learning rate, freezing up to a layer, fine-tuning in two phases, rates of single layers."""

import numpy as np
import pytest

import hornbeam as tf
import hornbeam.keras as keras
from hornbeam.keras import layers

RNG = np.random.default_rng(0)
X = RNG.random((64, 3), dtype="float32")
Y = X @ np.array([[1.0], [-2.0], [0.5]], "float32")


def state(model):
    return [np.array(variable) for variable in (*model.variables, *model.optimizer.variables)]


@pytest.mark.parametrize("rate", [0.01, keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)])
def test_the_search_for_a_rate_leaves_no_trace(rate):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(4), layers.BatchNormalization(), layers.Dropout(0.2), layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(rate), "mse")
    model.fit(X, Y, verbose=0)
    before, numbers = state(model), np.random.get_state()[1].copy()
    found = model.find_learning_rate(X, Y, batch_size=16, steps=30)
    for one, other in zip(before, state(model), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(numbers, np.random.get_state()[1])
    assert len(found.rates) == len(found.losses) == len(found.smoothed) <= 30
    assert 1e-6 < found.suggestion < 10 and found.suggestion in found.rates
    assert callable(rate) == callable(model.optimizer._learning_rate)


def test_the_suggested_rate_trains():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(1e-6), "mse")
    found = model.find_learning_rate(X, Y, batch_size=16, highest=100.0, steps=60)
    assert found.losses[-1] > 2 * min(found.losses)
    model.optimizer.learning_rate = found.suggestion
    assert 1e-4 < found.suggestion <= found.rates[int(np.argmin(found.smoothed))]
    losses = model.fit(X, Y, batch_size=16, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < 0.9 * losses[0]


def test_the_search_for_a_rate_refuses_a_range_upside_down():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"lowest=1\.0, highest=0\.1"):
        model.find_learning_rate(X, Y, lowest=1.0, highest=0.1)


def transfer_model():
    base = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, name="b1"),
            layers.BatchNormalization(name="bn"),
            layers.Dense(4, name="b2"),
        ],
        name="base",
    )
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Dense(1, name="new")(base(inputs)))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model, base


def test_layers_before_one_are_frozen():
    model, base = transfer_model()
    model.freeze_until("b2")
    assert [one.path for one in model.trainable_variables] == [
        "base/b2/kernel",
        "base/b2/bias",
        "new/kernel",
        "new/bias",
    ]
    model.freeze_until(base)
    assert len(model.trainable_variables) == 8
    with pytest.raises(ValueError, match="has no layer 'b3'"):
        model.freeze_until("b3")


def test_fine_tuning_trains_the_head_and_then_the_rest():
    model, base = transfer_model()
    before = [weight.copy() for weight in base.get_weights()]
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append([np.array_equal(a, b) for a, b in zip(before, base.get_weights(), strict=True)])

    history = model.fine_tune(X, Y, epochs=2, head_epochs=1, verbose=0, callbacks=[Watch()])
    assert len(history.history["loss"]) == 3 and history.epoch == [0, 1, 2]
    # Kernels and biases stay in the first phase and move in the second; BatchNormalization stays in both.
    assert all(seen[0]) and seen[-1] == [False, False, True, True, True, True, False, False]
    slots = [one.path for one in model.optimizer.variables if "momentum" in one.path]
    assert len(slots) == 6 and not any("bn" in path for path in slots)


def test_a_frozen_part_takes_no_memory_of_the_optimizer():
    model, _ = transfer_model()
    model.fine_tune(X, Y, epochs=0, head_epochs=1, head="new", verbose=0)
    model.freeze_until("new")
    model.compile(keras.optimizers.Adam(), "mse")
    model.fit(X, Y, verbose=0)
    slots = [one for one in model.optimizer.variables if "momentum" in one.path or "velocity" in one.path]
    assert sum(int(np.prod(one.shape)) for one in slots) == 2 * 5


def test_rates_of_single_variables_and_layers():
    layer = layers.Dense(2)
    layer.build((None, 2))
    other = keras.Variable(np.ones(2, "float32"))
    optimizer = keras.optimizers.SGD(1.0, weight_decay=0.1)
    optimizer.set_rate_multipliers({layer: 0.1, other: 0.0})
    before = np.array(layer.kernel)
    optimizer.apply_gradients([(tf.ones((2, 2)), layer.kernel), (tf.ones(2), other)])
    np.testing.assert_allclose(layer.kernel.numpy(), before - 0.01 * before - 0.1, rtol=1e-5)
    np.testing.assert_array_equal(other.numpy(), [1.0, 1.0])
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert again.rate_multipliers == optimizer.rate_multipliers
    assert "rate_multipliers" not in keras.optimizers.SGD().get_config()
    with pytest.raises(ValueError, match="negative"):
        optimizer.set_rate_multipliers({other: -1.0})
