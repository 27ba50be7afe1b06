"""Means and variances of channels in one pass, against double precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras, ops
from hornbeam.engine import moments, onednn
from tests.engine import other_process

pytestmark = pytest.mark.numeric
AVAILABLE, WHY = onednn.status()
needs_kernels = pytest.mark.skipif(not AVAILABLE, reason=f"oneDNN's kernels are not in use: {WHY}")

SHAPES = [(8, 16, 16, 64), (32, 13, 13, 33), (20000, 1), (7, 9000), (4, 5, 6, 7, 40), (3, 400, 17), (2, 65536)]


def values(shape, dtype="float32", mean=0.0):
    rng = np.random.default_rng(len(shape))
    return jnp.asarray(mean + rng.standard_normal(shape) * rng.uniform(0.5, 2, shape[-1]), dtype)


def exact(x):
    lines = np.asarray(x, np.float64).reshape(-1, x.shape[-1])
    return lines.mean(axis=0), lines.var(axis=0)


@needs_kernels
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_values(shape, dtype):
    x = values(shape, dtype)
    assert moments.takes(x.shape, x.dtype)
    run = jax.jit(moments.measured)
    for found, again, expected in zip(run(x), run(x), exact(x), strict=True):
        assert found.shape == shape[-1:] and found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=3e-6, atol=1e-6)
        assert np.array_equal(found, again)  # to the last bit


@needs_kernels
@pytest.mark.parametrize("mean", [1e3, -1e5])
def test_a_large_mean_costs_no_digits_of_the_variance(mean):
    x = values((16, 24, 24, 20), mean=mean)
    for found, expected in zip(jax.jit(moments.measured)(x), exact(x), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-5)


@needs_kernels
def test_one_thread_and_several():
    """Their parts are joined, so results are close, and those of one thread are the plain ones."""
    script = (
        "import sys, numpy as np, jax\n"
        "from tests.engine.test_moments import *\n"
        "for shape in SHAPES:\n"
        "    for found, expected in zip(jax.jit(moments.measured)(values(shape)), exact(values(shape))):\n"
        "        np.testing.assert_allclose(found, expected, rtol=3e-6, atol=1e-6)\n"
        "print('right')\n"
    )
    for threads in ("1", "5"):
        assert other_process.run(script, NPROC=threads) == "right\n"


@needs_kernels
def test_not_finite():
    x = values((8, 16, 16, 24)).at[3, 4, 5, 7].set(jnp.nan).at[1, 2, 3, 9].set(jnp.inf)
    mean, variance = jax.jit(moments.measured)(x)
    bad = np.zeros(24, bool)
    bad[[7, 9]] = True
    assert np.array_equal(~np.isfinite(mean), bad) and np.array_equal(np.isnan(variance), bad)


def score(measure):
    """A function of mean and variance, whose derivatives are compared."""

    def function(x):
        mean, variance = measure(x)
        return jnp.sum(jnp.sin(mean) * jnp.cos(jnp.arange(mean.size))) + jnp.sum(jnp.tanh(variance))

    return function


@needs_kernels
@pytest.mark.parametrize(
    "derive",
    [
        pytest.param(lambda f, x: jax.grad(f)(x), id="gradient"),
        pytest.param(lambda f, x: jax.jvp(f, (x,), (jnp.cos(x),))[1], id="forward mode"),
        pytest.param(lambda f, x: jax.grad(lambda x: jnp.sum(jnp.sin(100 * jax.grad(f)(x))))(x), id="second order"),
        pytest.param(lambda f, x: jax.vmap(f)(jnp.stack([x, 2 * x])), id="vmap"),
        pytest.param(lambda f, x: jax.vmap(jax.grad(f), 1, 1)(jnp.stack([x, 2 * x], 1)), id="vmap of gradients"),
        pytest.param(lambda f, x: jax.lax.scan(lambda c, s: (c + f(s * x), None), 0.0, jnp.arange(3.0))[0], id="loop"),
    ],
)
def test_derivatives(derive):
    x = values((8, 12, 12, 20))
    ours = jax.jit(lambda x: derive(score(lambda x: moments.moments(x, x)), x))(x)
    expected = jax.jit(lambda x: derive(score(moments._by_reductions), x))(x)
    np.testing.assert_allclose(ours, expected, rtol=2e-4, atol=1e-6)


def test_what_is_left_to_xla(monkeypatch):
    assert not moments.takes((8, 16, 16, 4), "float32")  # small
    assert not moments.takes((8, 16, 16, 64), "float64") and not moments.takes((8, 16, 16, 64), "float16")
    assert not moments.takes((65536,), "float32") and not moments.takes((0, 65536), "float32")
    (size,) = jax.export.symbolic_shape("n")
    assert not moments.takes((size, 16, 16, 64), "float32")
    assert moments.takes((8, 16, 16, 64), "float32") == AVAILABLE
    monkeypatch.setattr(jax, "device_count", lambda *_: 2)
    assert not moments.takes((8, 16, 16, 64), "float32")


@needs_kernels
def test_exported_programs_hold_no_foreign_calls():
    x = jax.ShapeDtypeStruct((8, 16, 16, 64), "float32")
    text = jax.export.export(jax.jit(lambda x: moments.moments(x, x)))(x).mlir_module()
    assert "custom_call" not in text
    assert moments.NAME in jax.jit(lambda x: moments.moments(x, x)).lower(x).as_text()


@needs_kernels
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("use_bias", [True, False])
def test_training_is_the_same(monkeypatch, policy, use_bias):
    rng = np.random.default_rng(0)
    images, labels = (
        rng.standard_normal((16, 12, 12, 8)).astype("float32"),
        rng.standard_normal((16, 4)).astype("float32"),
    )

    def trained():
        keras.utils.set_random_seed(3)
        layers = keras.layers
        model = keras.Sequential(
            [
                keras.Input((12, 12, 8)),
                layers.Conv2D(32, 3, padding="same", use_bias=use_bias, bias_initializer="random_normal", dtype=policy),
                layers.BatchNormalization(dtype=policy),
                layers.ReLU(dtype=policy),
                layers.Conv2D(16, 3, padding="same", use_bias=use_bias, dtype=policy),
                layers.BatchNormalization(dtype=policy, scale=False),
                layers.GlobalAveragePooling2D(dtype=policy),
                layers.Dense(4),
            ]
        )
        model.compile(keras.optimizers.SGD(0.05), "mse")
        history = model.fit(images, labels, batch_size=8, epochs=3, shuffle=False, verbose=0)
        return history.history["loss"], model.get_weights()

    used = []
    real = onednn.moments
    monkeypatch.setattr(onednn, "moments", lambda x: used.append(x.dtype) or real(x))
    losses, weights = trained()
    assert used and {str(dtype) for dtype in used} == {"float32" if policy == "float32" else "bfloat16"}
    monkeypatch.setattr(onednn, "takes_moments", lambda *_: False)
    expected_losses, expected = trained()
    tolerance = 2e-5 if policy == "float32" else 2e-2
    np.testing.assert_allclose(losses, expected_losses, rtol=tolerance)
    for one, other in zip(weights, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=10 * tolerance, atol=tolerance)


@needs_kernels
def test_eager_and_other_axes():
    x = np.asarray(values((8, 16, 16, 24), mean=3.0))
    layer = keras.layers.BatchNormalization(momentum=0.0)
    out = ops.convert_to_numpy(layer(x, training=True))
    mean, variance = exact(x)
    np.testing.assert_allclose(out, (x - mean) / np.sqrt(variance + 1e-3), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.moving_mean.numpy(), mean, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), variance, rtol=1e-5)
    first = keras.layers.BatchNormalization(axis=1, momentum=0.0)
    turned = ops.convert_to_numpy(first(np.moveaxis(x, -1, 1), training=True))
    np.testing.assert_allclose(np.moveaxis(turned, 1, -1), out, rtol=1e-4, atol=1e-5)
