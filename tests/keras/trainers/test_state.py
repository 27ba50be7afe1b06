"""State as plain data: trees of values, stateless scopes, stateless losses; rematerialised layers."""

import jax
import numpy as np
import pytest

import hornbeam as tf
import hornbeam.keras as keras
from hornbeam.keras import layers

RNG = np.random.default_rng(0)
X, Y = RNG.random((16, 3), dtype="float32"), RNG.random((16, 1), dtype="float32")


def small_model(name):
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(4, "tanh", name="first"), layers.BatchNormalization(), layers.Dense(1)],
        name=name,
    )
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9, name="sgd"), "mse")
    return model


def test_the_state_of_a_model_goes_out_and_back_in():
    model = small_model("net")
    model.fit(X, Y, verbose=0)
    tree = model.get_state_tree("numpy_array")
    assert set(tree) == {
        "trainable_variables",
        "non_trainable_variables",
        "optimizer_variables",
        "metrics_variables",
    }
    np.testing.assert_array_equal(tree["trainable_variables"]["net"]["first"]["kernel"], model.layers[0].kernel)
    assert tree["optimizer_variables"]["sgd"]["iteration"] == 1
    before = [np.array(one) for one in (*model.variables, *model.optimizer.variables)]
    model.fit(X, Y, verbose=0)
    model.set_state_tree(tree)
    for one, other in zip(before, (*model.variables, *model.optimizer.variables), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="unknown key 'weights'"):
        model.set_state_tree({"weights": {}})
    with pytest.raises(ValueError, match="value_format='list'"):
        model.get_state_tree("list")


def test_a_stateless_scope_changes_nothing_outside():
    weight = keras.Variable(np.ones(2, "float32"))

    def twice(value):
        with keras.StatelessScope([(weight, value)]) as scope:
            weight.assign(weight * 2.0)
            scope.add_update((weight, weight + 1.0))
        return scope.get_current_value(weight)

    np.testing.assert_allclose(twice(np.array([1.0, 2.0], "float32")).numpy(), [3.0, 5.0])
    np.testing.assert_allclose(jax.jit(twice)(np.array([1.0, 2.0], "float32")).numpy(), [3.0, 5.0])
    np.testing.assert_array_equal(weight.numpy(), [1.0, 1.0])
    with pytest.raises(ValueError, match="received: shape"):
        keras.StatelessScope([(weight, np.ones(3))])
    with pytest.raises(ValueError, match="no variable"):
        keras.StatelessScope([(1, np.ones(3))])


def test_a_stateless_scope_collects_losses():
    class Penalty(layers.Layer):
        def call(self, inputs):
            self.add_loss(tf.reduce_sum(inputs))
            return inputs

    layer = Penalty()
    with keras.StatelessScope(collect_losses=True) as scope:
        layer(np.ones((1, 2), "float32"))
    assert [float(loss) for loss in scope.losses] == [2.0]


def test_the_loss_for_given_values():
    model = small_model("net")
    found = model(X)
    state = (model.trainable_variables, model.non_trainable_variables, model.metrics_variables)
    loss, after = model.stateless_compute_loss(*state, x=X, y=Y, y_pred=found)
    np.testing.assert_allclose(float(loss), np.mean((found.numpy() - Y) ** 2), rtol=1e-6)
    assert [len(group) for group in after] == [len(group) for group in state]


@pytest.mark.parametrize("mode", ["full", "activations", "larger_than", "list_of_layers"])
def test_rematerialised_layers_train_alike_and_keep_less(mode):
    with keras.RematScope(mode, output_size_threshold=30, layer_names=["first"]):
        saving = small_model("net")
    usual = small_model("net")
    usual.set_weights(saving.get_weights())
    for model in (saving, usual):
        model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    for one, other in zip(saving.get_weights(), usual.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
    programs = [str(next(iter(model._runner("train")._programs.values())).program.closed) for model in (saving, usual)]
    assert ["remat" in text or "checkpoint" in text for text in programs] == [True, False]


def test_a_rematerialised_function_has_the_same_gradient():
    function = keras.remat(lambda value: tf.sin(value) * 2.0)

    @tf.function
    def gradient(value):
        with tf.GradientTape() as tape:
            tape.watch(value)
            total = tf.reduce_sum(function(value))
        return tape.gradient(total, value)

    np.testing.assert_allclose(gradient(tf.constant([1.0, 2.0])).numpy(), 2 * np.cos([1.0, 2.0]), rtol=1e-6)
    with pytest.raises(ValueError, match="mode='most'"):
        keras.RematScope("most")
