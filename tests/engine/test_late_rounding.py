"""bfloat16 that is rounded after a selection instead of before: every number stays the same."""

import jax
import jax.extend.core
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.engine import conv, late_rounding
from hornbeam.engine.flat_program import flatten

pytestmark = pytest.mark.numeric
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 3.39e38, -3.4e38, 1e-40, -1e-40, 6.0, 6.01, 1.00390625, 1.01171875]


def numbers(seed):
    """float32 of all sizes, also those that lie in the middle of two bfloat16."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(4000) * 10.0 ** rng.integers(-3, 4, 4000)
    middle = (rng.integers(0, 2**15, 300, dtype=np.uint32) << 16 | 0x8000).view(np.float32)
    return jnp.asarray(rng.permutation(np.concatenate([values, middle, SPECIAL])), "float32")


def half(x):
    return x.astype(jnp.bfloat16)


CHANGED = {
    "relu": lambda x, y: jnp.maximum(half(x), 0),
    "relu of a sum": lambda x, y: jnp.maximum(half(x) + half(y), 0),
    "relu of a difference": lambda x, y: jnp.maximum(half(x) - half(y), 0),
    "relu of a product": lambda x, y: jnp.maximum(half(x) * half(y), 0),
    "capped": lambda x, y: jnp.minimum(jnp.maximum(half(x), 0), 6),
    "the larger one": lambda x, y: jnp.maximum(half(x), half(y)),
    "where": lambda x, y: jnp.where(y > 0, half(x), 0),
    "where, of both": lambda x, y: jnp.where(y > 0, half(x), half(y) * half(x)),
    "relu of a sum of three": lambda x, y: jnp.maximum((half(x) + half(y)) + half(jnp.flip(x)), 0),
    "relu of a sum of a product": lambda x, y: jnp.maximum(half(x) * half(y) + half(jnp.flip(x)), 0),
    "where, of sums of sums": lambda x, y: jnp.where(y > 0, half(x) + half(y) - half(jnp.flip(y)), half(x) * half(y)),
    "relu of a sum, turned": lambda x, y: jnp.maximum((half(x) + half(y)).reshape(-1, 1) + half(y).reshape(-1, 1), 0),
    "the larger of a sum and a product": lambda x, y: jnp.maximum((half(x) - half(y)) + half(y), half(x) * half(y)),
    "a constant that is no float32": lambda x, y: jnp.maximum(half(x), jnp.bfloat16(0.1)),
}


def rewritten(function):
    args = numbers(0), numbers(1)
    before = flatten(jax.make_jaxpr(function)(*args))
    after = late_rounding.postpone(before)
    return before, after, *(jax.extend.core.jaxpr_as_fun(one)(*args) for one in (before, after))


@pytest.mark.parametrize("is_compiled", [True, False])
@pytest.mark.parametrize("name", CHANGED)
def test_every_number_is_the_same(name, is_compiled):
    before, after, expected, found = rewritten(CHANGED[name])
    assert str(before) != str(after)
    if is_compiled:  # XLA leaves out roundings that it takes for superfluous
        found = jax.jit(jax.extend.core.jaxpr_as_fun(after))(numbers(0), numbers(1))
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype == jnp.bfloat16
        one, other = (np.asarray(array, np.float32) for array in (one, other))
        assert np.array_equal(one, other, equal_nan=True) and np.array_equal(np.signbit(one), np.signbit(other))
    selections = [equation for equation in after.jaxpr.eqns if equation.primitive.name in ("max", "min", "select_n")]
    assert selections and all(equation.outvars[0].aval.dtype == jnp.float32 for equation in selections)


@pytest.mark.parametrize("size", [3, 32])
def test_sums_with_convolutions(size):
    """Those of a library's kernels are rounded when it ends; those of XLA would lose their rounding."""
    rng = np.random.default_rng(0)
    x, y = (jnp.asarray(rng.standard_normal((2, size, size, 32)), jnp.bfloat16) for _ in range(2))
    w = jnp.asarray(rng.standard_normal((3, 3, 32, 32)) / 17, jnp.bfloat16)

    def function(x, w, y):
        def block(x, w):
            return jnp.maximum(conv.conv(x, w, (1, 1), ((1, 1), (1, 1)), (1, 1)) + y, 0)

        result, pull = jax.vjp(block, x, w)
        return result, jnp.maximum(pull(y)[0] + y, 0)

    before = flatten(jax.make_jaxpr(function)(x, w, y))
    after = late_rounding.postpone(before)
    assert str(before) != str(after)
    expected, found = (jax.jit(jax.extend.core.jaxpr_as_fun(one))(x, w, y) for one in (before, after))
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(np.asarray(one), np.asarray(other))


def twice(x, y):
    rounded = half(x)
    return jnp.maximum(rounded, 0), rounded


UNTOUCHED = {
    "needed as it is": twice,
    "read by two": lambda x, y: (jnp.maximum(rounded := half(x), 0), rounded * 2),
    "float32": lambda x, y: jnp.maximum(x + y, 0),
    "float16": lambda x, y: jnp.maximum(x.astype(jnp.float16), 0),
    "no selection": lambda x, y: half(x) + half(y),
    "of whole numbers": lambda x, y: jnp.maximum(x.astype(jnp.int32).astype(jnp.bfloat16), 0),
    "functions": lambda x, y: jnp.maximum(jnp.tanh(half(x)), 0),
}


@pytest.mark.parametrize("name", UNTOUCHED)
def test_untouched(name):
    before, after, expected, found = rewritten(UNTOUCHED[name])
    assert str(before) == str(after)
    assert all(np.array_equal(*map(np.asarray, pair), equal_nan=True) for pair in zip(found, expected, strict=True))
