"""Functions with their own gradient: eager, under tapes, inside programs and under jax.grad."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.base.errors import NotSupportedError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tape import GradientTape
from hornbeam.core.variable import Variable
from hornbeam.ops.control import custom_gradient, scan
from tests.ops.test_control import add, compiled, mul, tensor


@custom_gradient
def square_with_slope_seven(x):
    return mul(x, x), lambda upstream: mul(upstream, 7.0)


def gradient_of(function, *values):
    with GradientTape() as tape:
        tape.watch(list(values))
        out = function(*values)
    return tape.gradient(out, list(values))


def test_the_given_gradient_is_used_everywhere():
    assert square_with_slope_seven(tensor(3.0)).numpy() == 9.0
    assert gradient_of(lambda x: mul(square_with_slope_seven(x), 2.0), tensor(3.0))[0].numpy() == 14.0
    assert compiled(lambda x: gradient_of(square_with_slope_seven, x)[0], np.float32(3)).numpy() == 7.0
    assert jax.grad(lambda x: square_with_slope_seven(x))(jnp.float32(3)) == 7.0
    assert jax.jit(jax.grad(lambda x: square_with_slope_seven(x)))(jnp.float32(3)) == 7.0
    assert tuple(square_with_slope_seven(KerasTensor((None, 2))).shape) == (None, 2)


def test_residuals_several_arguments_and_keywords():
    @custom_gradient
    def product(x, y, *, factor):
        saved = mul(x, factor)
        return mul(saved, y), lambda up: (mul(up, y), mul(up, saved))

    got = gradient_of(lambda x, y: product(x, y, factor=2.0), tensor(3.0), tensor(5.0))
    assert [g.numpy() for g in got] == [5.0, 6.0]


def test_several_outputs_and_no_gradient():
    @custom_gradient
    def both(x, unused):
        return (mul(x, 2.0), mul(x, 3.0)), lambda a, b: (add(mul(a, 10.0), b), None)

    x, y = tensor(1.0), tensor(1.0)
    with GradientTape() as tape:
        tape.watch([x, y])
        first, second = both(x, y)
        out = add(first, mul(second, 100.0))
    gradients = tape.gradient(out, [x, y], unconnected_gradients="zero")
    assert [g.numpy() for g in gradients] == [110.0, 0.0]


def test_keras_style_upstream_argument():
    @custom_gradient
    def log1pexp(x):
        def grad(*args, upstream=None):
            if upstream is None:
                (upstream,) = args
            return mul(upstream, 0.5)

        return add(x, 1.0), grad

    assert gradient_of(log1pexp, tensor(100.0))[0].numpy() == 0.5


def test_variables_read_inside():
    w = Variable(2.0)

    @custom_gradient
    def scaled(x):
        def grad(up, variables=None):
            assert variables[0] is w
            return mul(up, w), [mul(up, 11.0)]

        return mul(x, w), grad

    def run(x):
        with GradientTape() as tape:
            tape.watch(x)
            out = scaled(x)
        return tape.gradient(out, [x, w])

    assert [g.numpy() for g in run(tensor(3.0))] == [2.0, 11.0]
    w.assign(4.0)
    assert [g.numpy() for g in compiled(run, np.float32(3))] == [4.0, 11.0]


def test_a_variable_read_only_by_the_gradient_inside_a_loop():
    w = Variable(5.0)

    @custom_gradient
    def identity(x):
        return mul(x, 1.0), lambda up: mul(up, w)

    def run(x):
        return gradient_of(lambda x: scan(lambda c, _: (identity(c), None), x, length=2)[0], x)[0]

    assert run(tensor(1.0)).numpy() == 25.0
    assert compiled(lambda x: add(run(x), w), np.float32(1)).numpy() == 30.0


def test_second_derivative_is_that_of_the_given_gradient():
    @custom_gradient
    def cube(x):
        return mul(x, mul(x, x)), lambda up: mul(up, mul(x, x))

    x = tensor(3.0)
    with GradientTape() as outer:
        outer.watch(x)
        first = gradient_of_watched(cube, x)
    assert first.numpy() == 9.0 and outer.gradient(first, x).numpy() == 6.0


def gradient_of_watched(function, x):
    with GradientTape() as inner:
        inner.watch(x)
        out = function(x)
    return inner.gradient(out, x)


def test_wrong_functions_raise():
    state = Variable(0.0)
    with pytest.raises(NotSupportedError, match="assign"):
        gradient_of(custom_gradient(lambda x: (state.assign(x).read_value(), lambda up: up)), tensor(1.0))
    with pytest.raises(TypeError, match="pair"):
        gradient_of(custom_gradient(lambda x: x), tensor(1.0))
    with pytest.raises(ValueError, match="gradients"):
        gradient_of(custom_gradient(lambda x, y: (mul(x, y), lambda up: (up, up, up))), tensor(1.0), tensor(1.0))
