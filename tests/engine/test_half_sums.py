"""Sums of half-precision arrays: the same values, said so that XLA does them well on the CPU."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.engine import half_sums, platform, whole_program


def capture(function, *arrays):
    return jax.make_jaxpr(function)(*arrays)


def sums_of(jaxpr):
    """Dtypes of all sums of a program."""
    found = []
    for equation in jaxpr.eqns:
        if equation.primitive.name == "reduce_sum":
            found.append(equation.invars[0].aval.dtype)
        for value in equation.params.values():
            if hasattr(getattr(value, "jaxpr", None), "eqns"):
                found += sums_of(value.jaxpr)
    return found


def bias_gradient(x, bias):
    inner = jax.jit(lambda x, bias: jnp.tanh(x + bias))
    return jax.grad(lambda bias: jnp.sum(jax.nn.relu(inner(x, bias)).astype("float32")))(bias)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("shape", [(4, 7, 5, 3), (300, 16), (1, 1), (0, 3)])
def test_gradients_of_biases(dtype, shape):
    values = np.random.default_rng(0).normal(size=shape)
    x, bias = jnp.asarray(values, dtype), jnp.asarray(np.linspace(-1, 1, shape[-1]), dtype)
    program = capture(bias_gradient, x, bias)
    assert jnp.dtype(dtype) in sums_of(program.jaxpr)
    assert half_sums.pays(program.jaxpr) == platform.is_cpu()

    changed = jax.jit(lambda x, bias: whole_program.evaluate(program, program.consts, [x, bias]))
    if platform.is_cpu():
        assert jnp.dtype(dtype) not in sums_of(capture(changed, x, bias).jaxpr)
    (found,) = changed(x, bias)
    assert found.dtype == jnp.dtype(dtype)
    # The sum over the batch of what each element gets, in double precision; rounded once, or where XLA rounds.
    elements = jax.grad(lambda x: jnp.sum(jax.nn.relu(jnp.tanh(x + bias)).astype("float32")))(x)
    exact = np.asarray(elements, np.float64).reshape(-1, shape[-1]).sum(axis=0)
    np.testing.assert_allclose(np.asarray(found, np.float64), exact, rtol=2 * float(jnp.finfo(dtype).eps))


def test_other_programs_stay_as_they_are():
    for array in (jnp.ones((3, 4)), jnp.ones((3, 4), "int32"), jnp.ones((3, 4), "complex64")):
        assert not half_sums.pays(capture(lambda x: x.sum(0) * 2, array).jaxpr)
    assert not half_sums.pays(capture(lambda x: x.max(0), jnp.ones((3, 4), "bfloat16")).jaxpr)


def test_training_in_half_precision(monkeypatch):
    x = np.random.default_rng(1).normal(size=(32, 9, 9, 3)).astype("float32")
    y = np.arange(32) % 5
    found = []
    for pays in (True, False):
        monkeypatch.setattr(half_sums, "_HALF", (jnp.bfloat16, jnp.float16) if pays else ())
        keras.utils.set_random_seed(2)
        layers = keras.layers
        model = keras.Sequential(
            [
                layers.Input((9, 9, 3)),
                layers.Conv2D(8, 3, activation="relu", dtype="mixed_bfloat16"),
                layers.MaxPooling2D(dtype="mixed_bfloat16"),
                layers.Flatten(),
                layers.Dense(5, dtype="mixed_bfloat16"),
                layers.Activation("softmax", dtype="float32"),
            ]
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        losses = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"]
        found.append((losses, model.get_weights()))
    (losses, weights), (plain_losses, plain_weights) = found
    np.testing.assert_allclose(losses, plain_losses, rtol=2e-2)
    for one, other in zip(weights, plain_weights, strict=True):
        np.testing.assert_allclose(one, other, atol=5e-3)
    assert losses[-1] < losses[0]
