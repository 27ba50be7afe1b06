"""Optimizers that users wrote by former rules."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.base.errors import NotSupportedError
from tests.compat.spellings import no_notes, old_spellings  # noqa: F401 - fixtures

K = keras.backend
Optimizer = keras.optimizers.Optimizer
X = np.random.default_rng(0).random((24, 3)).astype("float32")
Y = X.sum(1, keepdims=True)

pytestmark = pytest.mark.usefixtures("old_spellings")


class Momentum(Optimizer):
    """Gradient descent with momentum and a falling rate, described by updates."""

    def __init__(self, lr=0.05, momentum=0.9, decay=0.0, **kwargs):
        super().__init__(**kwargs)
        self.iterations = K.variable(0, dtype="int64", name="iterations")
        self.lr = K.variable(lr)
        self.momentum = K.variable(momentum)
        self.decay = K.variable(decay)

    def get_updates(self, params, constraints, loss):
        gradients = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        rate = self.lr / (1.0 + self.decay * K.cast(self.iterations, "float32"))
        speeds = [K.zeros(K.int_shape(one)) for one in params]
        self.weights = [self.iterations, *speeds]
        for one, gradient, speed in zip(params, gradients, speeds, strict=True):
            step = self.momentum * speed - rate * gradient
            self.updates.append(K.update(speed, step))
            self.updates.append((one, one + step))
        return self.updates

    def get_config(self):
        own = {name: float(K.get_value(getattr(self, name))) for name in ("lr", "momentum", "decay")}
        return {"clipnorm": self.clipnorm, **own}


class Around(Optimizer):
    """Another optimizer's step, and updates of one's own."""

    def __init__(self, inner, more=()):
        super().__init__()
        self.inner, self.more = inner, list(more)
        self.steps = K.variable(0.0)

    def get_updates(self, loss, params):
        return [*self.inner.get_updates(loss=loss, params=params), K.update_sub(self.steps, -2.0), *self.more]


class Slots(Optimizer):
    """Gradient descent with momentum, by slots."""

    def __init__(self, learning_rate=0.05, momentum=0.9, name="Slots", **kwargs):
        super().__init__(name, **kwargs)
        self._set_hyper("learning_rate", learning_rate)
        self._set_hyper("decay", self._initial_decay)
        self._set_hyper("momentum", momentum)

    def _create_slots(self, var_list):
        for one in var_list:
            self.add_slot(one, "speed")

    def _resource_apply_dense(self, grad, var, apply_state=None):
        key = (var.device, var.dtype.base_dtype)
        rate = (apply_state or {}).get(key, {}).get("lr_t", None)
        rate = self._decayed_lr(key[1]) if rate is None else rate
        speed = self.get_slot(var, "speed")
        speed.assign(self._get_hyper("momentum", key[1]) * speed - rate * grad, use_locking=self._use_locking)
        return var.assign_add(speed)


def trained(optimizer, epochs=3):
    model = keras.Sequential([keras.layers.Dense(4, activation="tanh", input_shape=(3,)), keras.layers.Dense(1)])
    for index, weight in enumerate(model.weights):
        weight.assign(np.random.default_rng(index).normal(size=weight.shape) * 0.3)
    model.compile(optimizer, "mse")
    model.fit(X, Y, batch_size=8, epochs=epochs, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("options", [{}, {"decay": 0.1}, {"clipnorm": 0.05}])
@pytest.mark.parametrize("kind", [Momentum, Slots])
def test_steps_are_those_of_the_same_rule(kind, options):
    mine = trained(kind(**options))
    theirs = trained(keras.optimizers.SGD(0.05, momentum=0.9, **options))
    for one, other in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert int(mine.optimizer.iterations) == 9


def test_an_optimizer_around_another_one_steps_as_it_does():
    mine, theirs = trained(Around(keras.optimizers.Adam(0.01))), trained(keras.optimizers.Adam(0.01))
    for one, other in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert float(K.get_value(mine.optimizer.steps)) == 18.0


def test_state_goes_through_a_file(tmp_path):
    model = trained(Momentum(clipnorm=1.0))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", custom_objects={"Momentum": Momentum})
    for one in (model, again):
        one.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_value_from_before_training_is_refused():
    target = K.variable(1.0)
    with pytest.raises(NotSupportedError, match=r"before\s+training"):
        trained(Around(keras.optimizers.SGD(), more=[(target, target * 0.5)]))


def test_outside_of_get_updates_variables_change_at_once():
    value = K.variable(1.0)
    K.update_add(value, 2.0)
    assert float(K.get_value(value)) == 3.0


def test_names_of_variables_may_be_given_again():
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    assert tf.Variable(tf.zeros_like(layer.kernel), name=layer.kernel.name).name.startswith("kernel")
    made = keras.layers.Layer().add_weight(name="scope/w", shape=(2,))
    assert "scope" in made.name and "/" not in str(made.name)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adafactor(), "mse")
    assert np.isfinite(model.train_on_batch(np.ones((2, 4)), np.ones((2, 1))))


def test_slots_of_built_in_optimizers_under_their_former_names():
    """The names are those of tf_keras 2.21."""
    expected = {
        ("SGD", ()): [],
        ("SGD", (("momentum", 0.9),)): ["momentum"],
        ("Adam", (("amsgrad", True),)): ["m", "v", "vhat"],
        ("RMSprop", (("momentum", 0.5), ("centered", True))): ["rms", "momentum", "mg"],
        ("Adadelta", ()): ["accum_grad", "accum_var"],
        ("Adamax", ()): ["m", "v"],
    }
    for (kind, options), names in expected.items():
        optimizer = getattr(keras.optimizers.legacy, kind)(0.1, **dict(options))
        variable, other = K.variable(np.ones(2)), K.variable(np.ones(2))
        optimizer.apply_gradients([(np.full(2, 3.0, "float32"), variable)])
        assert optimizer.get_slot_names() == names
        for name in names:
            assert optimizer.get_slot(variable, name).shape == (2,)
        with pytest.raises(KeyError, match="keeps no"):
            optimizer.get_slot(other, "m")
    np.testing.assert_allclose(np.asarray(optimizer.get_slot(variable, "m")), 0.3, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(optimizer.get_slot(variable, "v")), 3.0)
    assert [one.name for one in optimizer.variables()] == [one.name for one in optimizer.variables]
