"""Sums per channel of gradients and of their products, against double precision, and programs that use them."""

import jax
import jax.extend.core
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.engine import conv, gradient_sums, measured_gradients, moments, onednn, whole_program
from hornbeam.engine.channel_patterns import summed_lines
from hornbeam.engine.flat_program import flatten
from tests.engine import other_process

pytestmark = pytest.mark.numeric
AVAILABLE, WHY = onednn.status()
needs_kernels = pytest.mark.skipif(not AVAILABLE, reason=f"oneDNN's kernels are not in use: {WHY}")

SHAPES = [(8, 16, 16, 64), (32, 13, 13, 33), (20001, 1), (7, 9000), (4, 5, 6, 7, 40), (3, 403, 17), (2, 65536), (3, 5)]
DTYPES = [("float32", "float32"), ("bfloat16", "bfloat16"), ("bfloat16", "float32"), ("float32", "bfloat16")]


def pair(shape, dtypes=("float32", "float32")):
    rng = np.random.default_rng(len(shape))
    scale = rng.uniform(0.5, 2, shape[-1])
    return [jnp.asarray(scale * rng.standard_normal(shape) + shift, dtype) for shift, dtype in enumerate(dtypes)]


def exact(gradient, x):
    one, other = (np.asarray(array, np.float64).reshape(-1, array.shape[-1]) for array in (gradient, x))
    return one.sum(axis=0), (one * other).sum(axis=0)


@pytest.mark.parametrize("dtypes", DTYPES, ids=" ".join)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_values(shape, dtypes):
    operands = pair(shape, dtypes)
    run = jax.jit(gradient_sums.gradient_sums)
    size = np.sqrt(np.prod(shape[:-1]))  # of a sum whose terms have random signs
    for found, again, expected in zip(run(*operands), run(*operands), exact(*operands), strict=True):
        assert found.shape == shape[-1:] and found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=3e-6, atol=4e-6 * size)
        assert np.array_equal(found, again)  # to the last bit


@needs_kernels
def test_one_thread_and_several():
    script = (
        "from tests.engine.test_gradient_sums import *\n"
        "for shape in SHAPES:\n"
        "    for dtypes in DTYPES:\n"
        "        test_values(shape, dtypes)\n"
        "print('right')\n"
    )
    for threads in ("1", "5"):
        assert other_process.run(script, NPROC=threads) == "right\n"


def test_not_finite():
    gradient, x = pair((8, 16, 16, 24))
    gradient, x = gradient.at[3, 4, 5, 7].set(jnp.nan), x.at[1, 2, 3, 9].set(jnp.inf)
    total, of_products = jax.jit(gradient_sums.gradient_sums)(gradient, x)
    channels = np.arange(24)
    assert np.array_equal(~np.isfinite(total), channels == 7)
    assert np.array_equal(~np.isfinite(of_products), (channels == 7) | (channels == 9))


def test_further_axes():
    gradient, x = (jnp.stack([array, 2 * array], 1) for array in pair((8, 16, 16, 24)))
    for found, one in zip(
        jax.vmap(gradient_sums.gradient_sums, (1, 1))(gradient, x),
        gradient_sums.gradient_sums(gradient[:, 1], x[:, 1]),
        strict=True,
    ):
        np.testing.assert_allclose(found[1], one, rtol=1e-5, atol=1e-3)


# --- programs ------------------------------------------------------------------------------------
def operands(dtype="float32"):
    rng = np.random.default_rng(0)
    shapes = (4, 20, 18, 5), (3, 3, 5, 24), (24,), (24,), (4, 20, 18, 24)
    return [jnp.asarray(rng.standard_normal(shape), dtype) for shape in shapes]


def normalized(x, w, bias, gamma):
    """A convolution with bias, normalized as a training step does it."""
    stored = conv.conv(x, w, (1, 1), ((1, 1), (1, 1)), (1, 1)) + bias
    wide = stored.astype(jnp.float32)
    mean, variance = moments.moments(wide, stored)
    inverse = jax.lax.rsqrt(variance + 1e-3) * gamma
    return (wide * inverse + -mean * inverse).astype(x.dtype)


def loss(x, w, bias, gamma, g):
    return jnp.sum(jnp.sin(normalized(x, w, bias, gamma)).astype(jnp.float32) * g.astype(jnp.float32))


def rewritten(function, *args):
    """Programs before and after, and their results."""
    before = flatten(jax.make_jaxpr(function)(*args))
    after = measured_gradients.fuse(before)
    results = [jax.jit(jax.extend.core.jaxpr_as_fun(one))(*args) for one in (before, after)]
    return before.jaxpr, after.jaxpr, *results


def named(jaxpr, name):
    return [equation for equation in jaxpr.eqns if equation.primitive.name == name]


def summed(jaxpr):
    """Sums over all axes of large arrays but the last."""
    found = [equation for equation in jaxpr.eqns if summed_lines(equation) is not None]
    return [equation for equation in found if equation.invars[0].aval.size > 10000]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_gradient_of_a_normalized_convolution(dtype):
    args = operands(dtype)
    before, after, expected, found = rewritten(jax.grad(loss, (0, 1, 2, 3)), *args)
    assert len(summed(before)) >= 3 and not summed(after)
    (equation,) = named(after, gradient_sums.NAME)
    assert {atom.aval.dtype.name for atom in equation.invars} == {dtype}  # what lies in memory is read
    *others, bias, gamma = zip(found, expected, strict=True)
    for one, other in [*others[:2], gamma]:
        one, other = (np.asarray(array, "f4") for array in (one, other))
        tolerance = 2e-5 if dtype == "float32" else 2.0**-7  # a step of bfloat16
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * np.abs(other).max())
    # By definition it is zero; rounding is what is left of it.
    largest = 3e-4 if dtype == "float32" else 1.0
    assert np.abs(np.asarray(bias[0], "f4")).max() < largest and np.abs(np.asarray(bias[1], "f4")).max() < 40 * largest


def test_two_arrays_that_get_the_same_gradient():
    """As in a residual block whose shortcut has a convolution of its own."""
    x, w, bias, gamma, g = operands()

    def both(w, v, gamma, g):
        return jnp.sum(jnp.tanh(normalized(x, w, bias, gamma) + normalized(x, v, bias, 2 * gamma)) * g)

    before, after, expected, found = rewritten(jax.grad(both, (0, 1, 2)), w, w[::-1], gamma, g)
    assert len(named(after, gradient_sums.NAME)) == 2 and len(summed(after)) < len(summed(before))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=3e-5)


def mean_of(x):
    mean, _ = moments.measured(x)
    return mean


def total(x):
    return jnp.sum(x, axis=(0, 1, 2))


UNTOUCHED = {
    "nothing is measured": lambda x, g, s: total(x * g),
    "another array": lambda x, g, s: mean_of(x) + total(g * jnp.sin(x)),
    "fewer axes": lambda x, g, s: mean_of(x) + jnp.sum(g * x, axis=(1, 2))[0],
    "three factors": lambda x, g, s: mean_of(x) + total((g * x) * g),
    "products with numbers per channel": lambda x, g, s: mean_of(x) + total(x * s),
    "another mean": lambda x, g, s: mean_of(x) + total((x - mean_of(g)) * s),
    "no factor per channel": lambda x, g, s: total((x - mean_of(x)) * jnp.flip(g, 0)),
    "a sum that comes later": lambda x, g, s: total(s * g + s * (x - mean_of(x))) + total(g),
    "whole numbers": lambda x, g, s: total(((x - mean_of(x)) * s).astype(jnp.int32)),
    "a number minus the array": lambda x, g, s: mean_of(x) + total((1.0 - x) * s),
    "an unknown sum": lambda x, g, s: total((x - mean_of(x)) * s + jnp.flip(g, 0) * s),
}


@pytest.mark.parametrize("name", UNTOUCHED)
def test_untouched(name):
    x, g = pair((4, 20, 18, 24))
    before, after, expected, found = rewritten(UNTOUCHED[name], x, g, jnp.arange(24.0))
    assert str(before) == str(after) and np.array_equal(expected, found)


SUMS = {
    "distances alone": lambda x, g, s: total((x - mean_of(x)) * s),
    "numbers per channel": lambda x, g, s: total((x - mean_of(x)) * s + s),
    "a known sum": lambda x, g, s: -total(g) + total(s * g + s * (x - mean_of(x))),
    "a known sum, twice": lambda x, g, s: -total(g) + total(s * g + s * (x - mean_of(x)) + g * (s + 1)),
}


@pytest.mark.parametrize("name", SUMS)
def test_sums_that_follow_from_others(name):
    x, g = pair((4, 20, 18, 24))
    s = jnp.arange(24.0)
    before, after, expected, found = rewritten(SUMS[name], x, g, s)
    assert len(summed(after)) == len(summed(before)) - 1
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-4, atol=0.05)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_distances_from_a_mean_that_is_no_number(bad):
    x, g = pair((4, 20, 18, 24))
    for name in SUMS:
        *_, expected, found = rewritten(SUMS[name], x.at[1, 2, 3, 4].set(bad), g, jnp.arange(24.0))
        assert np.array_equal(np.isnan(found[0]), np.arange(24) == 4)
        assert np.array_equal(np.isnan(found[0]), np.isnan(expected[0]))


def test_sums_that_come_before_the_measured_array():
    """A gradient that is there first, as of a target that is passed on by hand."""
    x, g = pair((4, 20, 18, 24))

    def function(x, g):
        early = total(g)
        y = jnp.tanh(x)
        mean, variance = moments.measured(y)
        return early, mean, variance, total(g * y), total(g)

    before, after, expected, found = rewritten(function, x, g)
    assert len(named(after, gradient_sums.NAME)) == 1 and len(summed(after)) == len(summed(before)) - 2
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-3)


def test_products_of_products():
    x, g = pair((4, 20, 18, 24))

    def function(x, g):
        product = g * x
        mean, variance = moments.measured(x)
        return mean, variance, total(g), total(product), total(product * x), total(x * x)

    *_, expected, found = rewritten(function, x, g)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_training_of_a_network(policy):
    """The same steps with and without the rewriting, of layers with and without bias, centre and scale."""

    def weights(is_rewritten, monkeypatch):
        keras.utils.set_random_seed(0)
        layers = keras.layers
        model = keras.Sequential(
            [
                keras.Input((16, 16, 8)),
                layers.Conv2D(32, 3, padding="same"),
                layers.BatchNormalization(),
                layers.ReLU(),
                layers.Conv2D(32, 3, use_bias=False),
                layers.BatchNormalization(center=False, scale=False),
                layers.ReLU(max_value=6),
                layers.GlobalAveragePooling2D(),
                layers.Dense(3, dtype="float32"),
            ]
        )
        model.compile(keras.optimizers.SGD(0.05), "mse")
        rng = np.random.default_rng(0)
        x, y = rng.standard_normal((32, 16, 16, 8), "f4"), rng.standard_normal((32, 3), "f4")
        with monkeypatch.context() as patch:
            if not is_rewritten:
                kept = tuple(one for one in whole_program._REWRITTEN if one is not measured_gradients.fuse)
                patch.setattr(whole_program, "_REWRITTEN", kept)
            model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
        return model.get_weights()

    keras.mixed_precision.set_global_policy(policy)
    try:
        with pytest.MonkeyPatch.context() as patch:
            found, expected = weights(True, patch), weights(False, patch)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    tolerance = 2e-5 if policy == "float32" else 2e-2
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
