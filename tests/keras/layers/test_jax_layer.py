"""``JaxLayer`` and ``FlaxLayer`` against Keras's."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import keras as oracle
import numpy as np
import pytest

from hornbeam import GradientTape, keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 4)).astype("float32")
Y = RNG.normal(size=(32, 3)).astype("float32")
KERNEL = RNG.normal(size=(4, 3)).astype("float32")


@keras.saving.register_keras_serializable("test_jax_layer")
def call(params, state, rng, inputs, training):
    """A dense layer that counts its training calls and adds noise in training."""
    outputs = inputs @ params["dense"]["kernel"] + params["dense"]["bias"]
    if training:
        outputs = outputs + 0.01 * jax.random.normal(rng, outputs.shape)
        state = {"count": state["count"] + 1, "mean": 0.9 * state["mean"] + 0.1 * outputs.mean(0)}
    return outputs, state


@keras.saving.register_keras_serializable("test_jax_layer")
def init(rng, inputs):
    """Parameters and state."""
    kernel = jax.random.normal(rng, (inputs.shape[-1], 3))
    return {"dense": {"kernel": kernel, "bias": jnp.zeros(3)}}, {"count": 0, "mean": jnp.zeros(3)}


def given():
    return {
        "params": {"dense": {"kernel": KERNEL, "bias": np.zeros(3, "float32")}},
        "state": {"count": 0, "mean": np.zeros(3, "float32")},
        "seed": 3,
    }


def trained(library):
    model = library.Sequential([library.layers.Input((4,)), library.layers.JaxLayer(call, **given())])
    model.compile(library.optimizers.SGD(0.1), "mse")
    history = model.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"]
    return model, history


def test_training_with_state_and_keys_equals_keras():
    model, found = trained(keras)
    expected_model, expected = trained(oracle)
    np.testing.assert_allclose(found, expected, rtol=2e-6)
    for mine, other in zip(model.get_weights(), expected_model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)
    layer = model.layers[0]
    assert int(layer.state["count"]) == 12
    assert (len(layer.trainable_weights), len(layer.non_trainable_weights)) == (2, 2)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected_model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)


def test_initialised_by_a_function_and_saved(tmp_path):
    # Not built before `fit`, so that the weights are made while the step is traced.
    model = keras.Sequential([keras.layers.JaxLayer(call, init), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    losses = model.fit(X, Y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert int(again.layers[0].state["count"]) == 5


def test_eager_gradients_and_functional_use():
    def scale(params, inputs):
        return {"sum": inputs["a"] * params + inputs["b"]}

    layer = keras.layers.JaxLayer(scale, params=jnp.ones(3))
    with GradientTape() as tape:
        loss = keras.ops.sum(keras.ops.square(layer({"a": Y, "b": Y})["sum"]))
    (gradient,) = tape.gradient(loss, layer.trainable_weights)
    np.testing.assert_allclose(gradient, (4 * Y * Y).sum(0), rtol=1e-5)
    a, b = keras.Input((3,)), keras.Input((3,))
    outputs = layer({"a": a, "b": b})["sum"]
    assert tuple(outputs.shape) == (None, 3)
    model = keras.Model([a, b], outputs)
    np.testing.assert_allclose(model.predict([Y, 2 * Y], verbose=0), 3 * Y, rtol=1e-6)


def test_half_precision_and_errors():
    layer = keras.layers.JaxLayer(lambda params, inputs: inputs @ params, params=KERNEL, dtype="mixed_bfloat16")
    assert (str(layer(X).dtype), str(layer.weights[0].dtype)) == ("bfloat16", "float32")
    with pytest.raises(ValueError, match="no way to get the parameters"):
        keras.layers.JaxLayer(lambda params, inputs: inputs)
    with pytest.raises(ValueError, match="no others than"):
        keras.layers.JaxLayer(lambda inputs, extra: inputs)
    assert keras.layers.JaxLayer(lambda inputs: inputs * 2)(X).shape == (32, 4)


def test_flax_module(tmp_path):
    linen = pytest.importorskip("flax.linen")

    class Module(linen.Module):
        @linen.compact
        def __call__(self, inputs, training):
            x = linen.Dense(5)(inputs)
            x = linen.BatchNorm(use_running_average=not training, momentum=0.9)(x)
            x = linen.Dropout(0.3, deterministic=not training)(linen.relu(x))
            return linen.Dense(3)(x)

        def get_config(self):
            return {}

        @classmethod
        def from_config(cls, config):
            return cls()

    keras.saving.register_keras_serializable("test_jax_layer")(Module)
    variables = Module().init(jax.random.PRNGKey(0), X[:1], training=False)

    def run(library):
        layer = library.layers.FlaxLayer(Module(), variables=variables, seed=1)
        model = library.Sequential([library.Input((4,)), layer])
        model.compile(library.optimizers.SGD(0.1), "mse")
        return model, model.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"]

    (model, found), (other, expected) = run(keras), run(oracle)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(model.predict(X, verbose=0), other.predict(X, verbose=0), rtol=1e-4, atol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    fresh = keras.Sequential([keras.layers.FlaxLayer(Module())])
    fresh.compile("sgd", "mse")
    fresh.fit(X, Y, verbose=0)
    assert len(fresh.weights) == 8
