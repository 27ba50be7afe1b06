"""Sums of half-precision arrays, and gradients that end in them, against sums in double precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.engine import half_sums, platform

HALF = ["bfloat16", "float16"]
SHAPE = (48, 64, 16, 3)
"""Large enough that sums in half precision would stop growing."""

pytestmark = pytest.mark.skipif(not platform.is_cpu(), reason="about XLA on the CPU")


def values(dtype, shape=SHAPE, low=0.5):
    """Numbers of one sign whose mean is about 0.75, or 0.02 where float16 could not hold their sum."""
    scale = 1.0 if dtype == "bfloat16" else 0.03
    return jnp.asarray(scale * np.random.default_rng(0).uniform(low, 1, shape), dtype)


def exact_sum(array, axes):
    return np.asarray(array, np.float64).sum(axis=axes)


def one_rounding(dtype):
    return {"rtol": 1.01 * float(jnp.finfo(dtype).eps)}


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("axes", [(0, 1, 2), (0, 1), (1, 2, 3), (0,), (3,), (0, 1, 2, 3), ()])
def test_sums(dtype, axes):
    x = values(dtype)

    def total(x):
        return jax.lax.reduce_sum_p.bind(x, axes=axes, out_sharding=None)

    for run in (total, jax.jit(total), lambda x: jax.lax.cond(x.ravel()[0] < 9, total, lambda x: total(-x), x)):
        found = run(x)
        assert found.dtype == jnp.dtype(dtype)
        np.testing.assert_allclose(np.asarray(found, np.float64), exact_sum(x, axes), **one_rounding(dtype))


def test_other_dtypes_are_compiled_as_before():
    for dtype in ("float32", "int32", "int8", "complex64"):
        text = jax.jit(lambda x: jax.lax.reduce_sum_p.bind(x, axes=(0, 1), out_sharding=None)).lower(
            jnp.ones((3, 4, 5), dtype)
        )
        assert "convert" not in text.as_text()
    assert not half_sums.is_half(jnp.ones(1, "int8"))


def test_jax_that_cannot_be_told(monkeypatch):
    for table in ("_lowerings", "_platform_specific_lowerings"):
        monkeypatch.setattr(half_sums.jax_compat.mlir, table, {}, raising=False)
    assert not half_sums.add_in_float32()


ROUTES = {
    "eager tape": lambda step, x, bias: step(x, bias),
    "tape in a function": lambda step, x, bias: tf.function(step)(x, bias),
    "while loop": lambda step, x, bias: tf.while_loop(
        lambda i, _: i < 2, lambda i, _: (i + 1, step(x, bias)), (0, tf.zeros_like(bias))
    )[1],
    "cond": lambda step, x, bias: tf.cond(bias[0] < 9, lambda: step(x, bias), lambda: tf.zeros_like(bias)),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("dtype", HALF)
def test_gradients_of_biases(route, dtype):
    x, bias = tf.constant(values(dtype)), tf.zeros((SHAPE[-1],), dtype)

    def step(x, bias):
        with tf.GradientTape() as tape:
            tape.watch(bias)
            loss = tf.reduce_sum(tf.cast((bias + tf.zeros_like(x)) * x, "float32"))
        return tape.gradient(loss, bias)

    found = ROUTES[route](step, x, bias)
    assert found.dtype == dtype
    np.testing.assert_allclose(
        np.asarray(tf.cast(found, "float32"), np.float64), exact_sum(values(dtype), (0, 1, 2)), **one_rounding(dtype)
    )


@pytest.mark.parametrize("eagerly", [False, True])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_layers_move_as_in_float32(policy, eagerly):
    """The bias of a layer on 131,072 positions: it gets the sum of as many equal numbers."""
    layers = keras.layers
    model = keras.Sequential([layers.Input((64, 64, 3)), layers.Dense(8, dtype=policy, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(1.0), lambda y, out: 1e3 * tf.reduce_mean(out), run_eagerly=eagerly)
    x = np.ones((32, 64, 64, 3), "float32")
    model.train_on_batch(x, np.zeros((32, 64, 64, 8), "float32"))
    # A quarter of a percent: the numbers themselves are rounded to half precision.
    np.testing.assert_allclose(model.layers[0].bias.numpy(), np.full(8, -125.0), rtol=2.5e-3)
