"""Statistics of convolutions with bias, taken of the convolutions themselves."""

import jax
import jax.extend.core
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.engine import biased_statistics, conv, gradient_sums, moments, onednn
from hornbeam.engine.flat_program import flatten, written_as

pytestmark = pytest.mark.numeric
AVAILABLE, WHY = onednn.status()
needs_kernels = pytest.mark.skipif(not AVAILABLE, reason=f"oneDNN's kernels are not in use: {WHY}")


def operands(dtype="float32"):
    rng = np.random.default_rng(0)
    shapes = (4, 20, 18, 5), (3, 3, 5, 24), (24,), (4, 20, 18, 24)
    return [jnp.asarray(rng.standard_normal(shape), dtype) for shape in shapes]


def convolved(x, w):
    return conv.conv(x, w, (1, 1), ((1, 1), (1, 1)), (1, 1))


def measured(y):
    return moments.measured(y)


def rewritten(function, *args):
    """The program before and after, and results of both."""
    before = flatten(jax.make_jaxpr(function)(*args))
    after = biased_statistics.unbias(before)
    results = [jax.jit(jax.extend.core.jaxpr_as_fun(one))(*args) for one in (before, after)]
    return before.jaxpr, after.jaxpr, *results


def source_of_moments(jaxpr):
    """The operation whose result is measured."""
    (equation,) = (one for one in jaxpr.eqns if one.primitive.name == moments.NAME)
    (maker,) = (one for one in jaxpr.eqns if equation.invars[0] in one.outvars)
    return maker.primitive.name


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)


BIASED = {
    "vector": lambda x, w, b, g: measured(convolved(x, w) + b),
    "bias first": lambda x, w, b, g: measured(b + convolved(x, w)),
    "spread": lambda x, w, b, g: measured(convolved(x, w) + jnp.broadcast_to(b, (4, 20, 18, 24))),
    "four axes": lambda x, w, b, g: measured(convolved(x, w) + b.reshape(1, 1, 1, 24)),
    "and the sum": lambda x, w, b, g: [*measured(y := convolved(x, w) + b), y * 2],
}


@needs_kernels
@pytest.mark.parametrize("name", BIASED)
def test_measured_without_bias(name):
    before, after, expected, found = rewritten(BIASED[name], *operands())
    assert source_of_moments(before) == "add" and source_of_moments(after) == conv.CANONICAL
    assert_same(found, expected)


@needs_kernels
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_products_with_gradients(dtype):
    def function(x, w, b, g):
        y = convolved(x, w) + b
        return *measured(y), *gradient_sums.gradient_sums(g, y)

    _, after, expected, found = rewritten(function, *operands(dtype))
    (equation,) = (one for one in after.eqns if one.primitive.name == gradient_sums.NAME)
    (maker,) = (one for one in after.eqns if equation.invars[1] in one.outvars)
    assert maker.primitive.name == conv.CANONICAL
    if dtype == "float32":
        assert_same(found, expected)
    else:  # of the sum as it would be without rounding it
        b, g = (np.asarray(one, np.float64) for one in operands(dtype)[2:])
        y = np.asarray(convolved(*operands(dtype)[:2]), np.float64) + b
        exact = y.mean((0, 1, 2)), y.var((0, 1, 2)), g.sum((0, 1, 2)), (y * g).sum((0, 1, 2))
        for one, other in zip(found, exact, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-3)


@needs_kernels
def test_whole_gradient():
    def loss(x, w, b, g):
        y = convolved(x, w) + b
        mean, variance = moments.moments(y, y)
        return jnp.sum((y - mean) * jax.lax.rsqrt(variance + 1e-3) * g)

    _, after, expected, found = rewritten(jax.grad(loss, (0, 1, 2)), *operands())
    assert source_of_moments(after) == conv.CANONICAL
    assert_same(found, expected)


def by_row(x, w, b, g):
    rows = jax.lax.broadcast_in_dim(jnp.arange(700.0), (700, 700), (0,))
    return measured(g.reshape(-1, 24)[:700] @ jnp.ones((24, 700)) + rows)


UNTOUCHED = {
    "an array is added": lambda x, w, b, g: measured(convolved(x, w) + g),
    "numbers per column": lambda x, w, b, g: measured(convolved(x, w) + b[:18].reshape(1, 1, 18, 1)),
    "no convolution": lambda x, w, b, g: measured(jnp.sin(g) + b),
    "numbers per row, as many as channels": by_row,
    "one number": lambda x, w, b, g: measured(convolved(x, w) + b[0]),
    "nothing is measured": lambda x, w, b, g: jnp.sum((convolved(x, w) + b) * g, axis=(0, 1, 2)),
    "a difference": lambda x, w, b, g: measured(b - convolved(x, w)),
}


@needs_kernels
@pytest.mark.parametrize("name", UNTOUCHED)
def test_untouched(name):
    before, after, expected, found = rewritten(UNTOUCHED[name], *operands())
    assert str(before) == str(after)
    for one, other in zip(found, expected, strict=True) if isinstance(found, list) else ():
        assert np.array_equal(one, other)


@needs_kernels
def test_half_precision_is_measured_before_it_is_rounded():
    x, w, b, g = operands("bfloat16")
    b = b + 1000  # between two numbers of this size lies more than all of the convolution
    _, after, _, found = rewritten(BIASED["vector"], x, w, b, g)
    assert source_of_moments(after) == conv.CANONICAL
    y = np.asarray(convolved(x, w), np.float64)
    np.testing.assert_allclose(found[0], y.mean((0, 1, 2)) + np.asarray(b, np.float64), rtol=1e-6)
    np.testing.assert_allclose(found[1], y.var((0, 1, 2)), rtol=1e-5)


def test_functions_written_into_programs():
    def function(a, b):
        return jnp.where(a > b, a, b) * 2, a - b

    program = jax.make_jaxpr(lambda a, b: (a + b, a * b))(1.0, 2.0)
    equations = written_as(function, program.jaxpr.outvars, program.jaxpr.invars)
    names = [equation.primitive.name for equation in equations]
    assert "jit" not in names and "pjit" not in names and names[-1] == "sub"
    assert equations[-1].outvars == [program.jaxpr.invars[1]] and equations[-1].invars == list(program.jaxpr.outvars)
