"""Values and derivatives of the sigmoid linear unit against closed forms in double precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.ops.swish import swish_of

POINTS = np.array([-300, -90, -30, -5, -1.3, -1e-3, -0.0, 0.0, 1e-3, 0.7, 1.3, 5, 30, 90, 300])


def closed_forms(x):
    """The function and its first and second derivative."""
    s = 1 / (1 + np.exp(-np.clip(x, -700, 700)))
    r = 1 / (1 + np.exp(np.clip(x, -700, 700)))
    return x * s, s * (1 + x * r), s * r * (2 + x * (r - s))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_derivatives(dtype):
    x = jnp.asarray(POINTS, dtype)
    value, first, second = closed_forms(np.asarray(x, np.float64))
    eps = float(jnp.finfo(dtype).eps)
    rtol = {"rtol": 6 * eps, "atol": 6 * eps}
    np.testing.assert_allclose(np.asarray(swish_of(x), np.float64), value, **rtol)
    np.testing.assert_array_equal(swish_of(x), jax.nn.silu(x))
    slope = jax.vmap(jax.grad(swish_of))
    assert slope(x).dtype == x.dtype
    np.testing.assert_allclose(np.asarray(slope(x), np.float64), first, **rtol)
    curvature = jax.vmap(jax.grad(lambda x: jax.grad(swish_of)(x)))(x)
    np.testing.assert_allclose(np.asarray(curvature, np.float64), second, rtol=30 * eps, atol=30 * eps)
    _, tangent = jax.jvp(swish_of, (x,), (jnp.ones_like(x),))
    np.testing.assert_array_equal(tangent, slope(x))


def test_small_slopes_keep_their_digits():
    x = jnp.asarray([-20.0, -40.0, -60.0])
    first = closed_forms(np.asarray(x, np.float64))[1]
    np.testing.assert_allclose(np.asarray(jax.vmap(jax.grad(swish_of))(x), np.float64), first, rtol=1e-5)


def test_nan_stays():
    assert np.isnan(jax.grad(swish_of)(jnp.nan))


def test_no_sigmoid_is_kept_for_the_backward_pass():
    """XLA keeps what both passes compute; six layers of it show in the memory of the program."""

    def memory(activation):
        def loss(weights, x):
            for w in weights:
                x = activation(x @ w)
            return jnp.sum(x * x)

        program = jax.jit(jax.grad(loss)).lower([jnp.ones((64, 64))] * 6, jnp.ones((8192, 64))).compile()
        return program.memory_analysis().temp_size_in_bytes

    array = 8192 * 64 * 4
    assert memory(swish_of) <= memory(jax.nn.silu) - 4 * array
