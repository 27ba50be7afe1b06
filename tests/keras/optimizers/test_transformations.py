"""Gradient transformations of optax as optimizers: equal to optax's own loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
import hornbeam.keras as keras

optax = pytest.importorskip("optax", reason="the extra `optax` is not installed")
RNG = np.random.default_rng(0)
X, Y = RNG.random((32, 3), dtype="float32"), RNG.random((32, 1), dtype="float32")


def small_model():
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])


def optax_loop(transformation, weights, steps):
    weights = [jnp.asarray(weight) for weight in weights]
    state = transformation.init(weights)
    for number in range(steps):
        rows = slice(16 * (number % 2), 16 * (number % 2) + 16)
        loss = lambda w, rows=rows: jnp.mean((X[rows] @ w[0] + w[1] - Y[rows]) ** 2)  # noqa: E731
        updates, state = transformation.update(jax.grad(loss)(weights), state, weights)
        weights = optax.apply_updates(weights, updates)
    return weights


@pytest.mark.parametrize(
    "transformation",
    [
        optax.adamw(1e-2),
        optax.chain(optax.clip_by_global_norm(0.5), optax.sgd(optax.cosine_decay_schedule(0.1, 10), momentum=0.9)),
    ],
    ids=["adamw", "chain"],
)
def test_fit_equals_the_loop_of_optax(transformation):
    model = small_model()
    expected = optax_loop(transformation, model.get_weights(), 4)
    model.compile(optimizer=transformation, loss="mse")
    model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    for weight, other in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(weight, other, atol=1e-6)
    assert int(model.optimizer.iterations) == 4


def test_an_injected_rate_can_be_read_and_set_and_others_say_why_not():
    weight = keras.Variable(np.ones(2, "float32"))
    optimizer = keras.optimizers.get(optax.inject_hyperparams(optax.sgd)(learning_rate=0.5))
    optimizer.apply_gradients([(tf.constant([1.0, 0.0]), weight)])
    np.testing.assert_allclose(weight.numpy(), [0.5, 1.0])
    assert float(optimizer.learning_rate) == 0.5
    optimizer.learning_rate = 0.25
    optimizer.apply_gradients([(tf.constant([1.0, 0.0]), weight)])
    np.testing.assert_allclose(weight.numpy(), [0.25, 1.0])
    with pytest.raises(AttributeError, match="inject_hyperparams"):
        _ = keras.optimizers.get(optax.sgd(0.1)).learning_rate


def test_variables_may_come_later_and_may_lack_a_gradient():
    first, second = keras.Variable(np.ones(2, "float32")), keras.Variable(np.ones((), "float32"))
    optimizer = keras.optimizers.get(optax.sgd(0.1, momentum=0.9))
    optimizer.apply_gradients([(tf.constant([1.0, 2.0]), first)])
    optimizer.apply_gradients([(tf.constant(1.0), second)])
    np.testing.assert_allclose(first.numpy(), [0.9, 0.8])
    np.testing.assert_allclose(second.numpy(), 0.9)


def test_a_model_is_stored_without_what_no_file_can_hold(tmp_path):
    model = small_model()
    model.compile(optax.adam(1e-3), "mse")
    model.fit(X, Y, verbose=0)
    with pytest.warns(UserWarning, match="uncompiled model"):
        model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
    assert not again.compiled


def test_what_is_no_transformation_is_refused():
    with pytest.raises(TypeError, match="gradient transformation"):
        keras.optimizers.TransformationOptimizer(3)
