"""Pooling against XLA's windowed reductions, which serve the other platforms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.engine import max_pool, platform, pool
from hornbeam.engine.window import Window

pytestmark = pytest.mark.numeric

# shape, window
CASES = {
    "side by side": ((2, 6, 4, 3), Window(1, (2, 2), (2, 2), ((0, 0), (0, 0)))),
    "rest cut off": ((2, 7, 5, 3), Window(1, (2, 3), (2, 3), ((0, 0), (0, 0)))),
    "side by side, padded": ((2, 5, 5, 2), Window(1, (2, 2), (2, 2), ((0, 1), (0, 1)))),
    "overlapping": ((2, 7, 6, 2), Window(1, (3, 2), (2, 1), ((1, 0), (0, 1)))),
    "stride larger": ((2, 7, 6, 2), Window(1, (2, 2), (3, 4), ((0, 0), (0, 0)))),
    "channels first": ((2, 3, 6, 5), Window(2, (2, 2), (2, 2), ((0, 0), (0, 0)))),
    "one-d": ((2, 7, 3), Window(1, (3,), (1,), ((1, 1),))),
    "three-d": ((2, 4, 3, 4, 2), Window(1, (2, 1, 2), (2, 1, 1), ((0, 0), (0, 0), (0, 0)))),
    "large": ((1, 9, 9, 1), Window(1, (9, 9), (1, 1), ((0, 0), (0, 0)))),
    "long": ((1, 40, 1), Window(1, (20,), (3,), ((0, 0),))),
}
FUNCTIONS = {"max": max_pool.max_pool, "average": pool.average_pool}


@pytest.mark.parametrize("kind", FUNCTIONS)
@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name, kind, monkeypatch):
    shape, window = CASES[name]
    function = FUNCTIONS[kind]
    # Whole numbers: many ties, whose gradient has to go to the first of them.
    x = jnp.asarray(np.random.default_rng(1).integers(0, 3, shape).astype("float32"))

    def both(x):
        out = function(x, window)
        weights = jnp.cos(jnp.arange(out.size, dtype="float32")).reshape(out.shape)
        slopes = jax.grad(lambda x: jnp.sum(function(x, window) * weights))
        return out, slopes(x), jax.jvp(lambda x: function(x, window), (x,), (jnp.sin(x + 1),))[1]

    got = jax.jit(both)(x)
    monkeypatch.setattr(platform, "is_cpu", lambda: False)
    for one, other in zip(got, jax.jit(lambda x: both(x))(x), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def test_second_derivative_of_max():
    window = CASES["overlapping"][1]
    x = jnp.asarray(np.random.default_rng(0).standard_normal((1, 7, 6, 1)).astype("float32"))
    slopes = jax.grad(lambda x: jnp.sum(max_pool.max_pool(x**2, window) ** 2))
    # The value at a winner x is x**4, for each window that it wins; others do not move the sum.
    direction = jnp.cos(jnp.arange(x.size, dtype="float32")).reshape(x.shape)
    got = jax.grad(lambda x: jnp.sum(slopes(x) * direction))(x)
    wins = slopes(x) / (4 * x**3)
    np.testing.assert_allclose(got, 12 * x**2 * wins * direction, rtol=1e-4, atol=1e-4)
    assert float(jnp.abs(got).max()) > 1


def test_not_a_number_and_integers():
    x = np.arange(8, dtype="float32").reshape(1, 4, 2, 1)
    x[0, 1, 0, 0] = np.nan
    window = CASES["side by side"][1]
    out = np.asarray(max_pool.max_pool(jnp.asarray(x), window))
    assert np.isnan(out[0, 0, 0, 0]) and out[0, 1, 0, 0] == 7
    whole = max_pool.max_pool(jnp.asarray([[-5, -3, -7, -9]], "int8")[..., None], Window(1, (3,), (2,), ((0, 1),)))
    assert whole.dtype == "int8" and whole[0, :, 0].tolist() == [-3, -7]


def test_padding_does_not_count_in_averages():
    ones = jnp.ones((1, 5, 5, 1))
    out = pool.average_pool(ones, Window(1, (3, 3), (2, 2), ((1, 1), (1, 1))))
    np.testing.assert_allclose(out, np.ones((1, 3, 3, 1)), rtol=1e-6)


@pytest.mark.parametrize(("size", "count"), [(7, 3), (6, 3), (3, 5), (5, 1)])
def test_adaptive(size, count):
    x = np.random.default_rng(size).standard_normal((2, size, 3)).astype("float32")
    cells = [x[:, int(np.floor(i * size / count)) : int(np.ceil((i + 1) * size / count))] for i in range(count)]
    means, tops = (np.stack([part(cell, axis=1) for cell in cells], 1) for part in (np.mean, np.max))
    np.testing.assert_allclose(pool.adaptive_average_pool(jnp.asarray(x), (1,), (count,)), means, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(pool.adaptive_max_pool(jnp.asarray(x), (1,), (count,)), tops)
