"""GradientTape against closed forms and ``jax.grad``."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import ops
from hornbeam.core.function import function
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import from_host
from hornbeam.core.variable import Variable


def tensor(*values, dtype="float32"):
    return from_host(np.array(values, dtype))


def test_watched_tensor_and_variable():
    x, v = tensor(1.0, 2.0), Variable([3.0, 4.0])
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(x * x * v)
    dx, dv = tape.gradient(y, [x, v])
    np.testing.assert_allclose(dx.numpy(), [6, 16])
    np.testing.assert_allclose(dv.numpy(), [1, 4])
    assert tape.watched_variables() == (v,)


def test_structures_none_and_zero():
    v, w = Variable(2.0), Variable(1.0)
    with GradientTape(persistent=True) as tape:
        y = v * v
    assert tape.gradient(y, {"a": v, "b": [w]})["b"] == [None]
    assert float(tape.gradient(y, w, unconnected_gradients="zero")) == 0
    assert float(tape.gradient([y, y], v)) == 8
    assert float(tape.gradient(y, v, output_gradients=3.0)) == 12


def test_used_up_tape_says_so():
    v = Variable(2.0)
    with GradientTape() as tape:
        y = v * v
    tape.gradient(y, v)
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(y, v)


def test_stop_recording_reset_and_manual_watching():
    v = Variable(2.0)
    with GradientTape() as tape:
        y = v * v
        with tape.stop_recording():
            z = y * v
    assert float(tape.gradient(y, v)) == 4
    with GradientTape() as tape:
        z = v * v
        tape.reset()
    assert tape.gradient(z, v) is None
    with GradientTape(watch_accessed_variables=False) as tape:
        y = v * v
    assert tape.gradient(y, v) is None
    frozen = Variable(2.0, trainable=False)
    with GradientTape() as tape:
        y = frozen * frozen
    assert tape.gradient(y, frozen) is None


@pytest.mark.parametrize("order", [2, 3])
def test_higher_orders_by_nesting(order):
    x = tensor(1.3)

    def derive(n):
        if n == 0:
            return ops.sum(ops.sin(x) * x)
        with GradientTape() as tape:
            tape.watch(x)
            inner = derive(n - 1)
        return tape.gradient(inner, x)

    expected = lambda t: jnp.sum(jnp.sin(t) * t)  # noqa: E731
    for _ in range(order):
        expected = (lambda f: lambda t: jax.grad(lambda u: f(u).sum())(t))(expected)
    np.testing.assert_allclose(derive(order).numpy(), expected(jnp.array([1.3])), rtol=1e-5)


def test_second_derivative_of_variables_and_of_value_reads():
    v = Variable([1.0, 2.0])
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = ops.sum(v.value * v.read_value() * v)
        g = inner.gradient(y, v)
    np.testing.assert_allclose(g.numpy(), [3, 12])
    np.testing.assert_allclose(outer.gradient(g, v).numpy(), [6, 12])


def test_jacobians():
    x = tensor(1.0, 2.0, 3.0)
    w = np.arange(6, dtype="float32").reshape(3, 2)
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = ops.matmul(ops.square(x), w)
    expected = (2 * x.numpy()[:, None] * w).T
    np.testing.assert_allclose(tape.jacobian(y, x).numpy(), expected)
    np.testing.assert_allclose(tape.jacobian(y, x, experimental_use_pfor=False).numpy(), expected)
    np.testing.assert_allclose(tape.jacobian(y, x, parallel_iterations=1).numpy(), expected)
    batch = from_host(np.random.RandomState(0).rand(4, 3).astype("float32"))
    with GradientTape() as tape:
        tape.watch(batch)
        y = ops.matmul(ops.square(batch), w)
    got = tape.batch_jacobian(y, batch)
    np.testing.assert_allclose(got.numpy(), np.einsum("bi,ij->bji", 2 * batch.numpy(), w), rtol=1e-6)


def test_hessian_by_jacobian_of_gradient():
    v = Variable([1.0, 2.0])
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = ops.sum(v * v * v) * v[0]
        g = inner.gradient(y, v)
    expected = jax.hessian(lambda t: jnp.sum(t**3) * t[0])(jnp.array([1.0, 2.0]))
    np.testing.assert_allclose(outer.jacobian(g, v).numpy(), expected, rtol=1e-5)


def test_integer_and_unused_outputs_do_not_disturb():
    x = tensor(3.0, 1.0, 2.0)
    with GradientTape() as tape:
        tape.watch(x)
        values, indices = ops.top_k(x, 2)
        y = ops.sum(values) + ops.cast(ops.argmax(x), "float32")
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), [1, 0, 1])
    assert indices.numpy().tolist() == [0, 2]


def test_float64_gradients_are_float64():
    x = tensor(1.0, 2.0, dtype="float64")
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(ops.exp(x))
    g = tape.gradient(y, x)
    assert g.dtype == "float64"
    np.testing.assert_allclose(g.numpy(), np.exp([1.0, 2.0]), rtol=1e-15)


def test_tape_inside_a_compiled_function_equals_eager():
    v = Variable(np.random.RandomState(1).rand(3, 2).astype("float32"))

    def step(x):
        with GradientTape() as tape:
            y = ops.mean(ops.tanh(ops.matmul(x, v)) ** 2)
        return y, tape.gradient(y, v)

    x = from_host(np.random.RandomState(2).rand(5, 3).astype("float32"))
    (y1, g1), (y2, g2) = step(x), function(step)(x)
    np.testing.assert_allclose(y1.numpy(), y2.numpy(), rtol=1e-6)
    np.testing.assert_allclose(g1.numpy(), g2.numpy(), rtol=1e-5)


def test_tape_around_a_compiled_function():
    v = Variable(2.0)
    cube = function(lambda x: x * v * v)
    x = tensor(3.0)
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(cube(x))
    gx, gv = tape.gradient(y, [x, v])
    np.testing.assert_allclose(gx.numpy(), [4])
    np.testing.assert_allclose(gv.numpy(), 12)


def test_compiled_functions_pass_gradients_to_tensors_that_they_close_over():
    v, c = Variable(3.0), tensor(2.0, 2.0)
    alone = function(lambda: c * c)
    alone()
    with GradientTape(persistent=True) as tape:
        tape.watch(c)
        made = v * 2.0
        scaled, squares = function(lambda: made * v)(), alone()
    np.testing.assert_allclose(tape.gradient(scaled, v).numpy(), 12)
    np.testing.assert_allclose(tape.gradient(squares, c).numpy(), [4, 4])


def test_equal_shapes_compile_once():
    v = Variable([1.0, 2.0])

    def step():
        with GradientTape() as tape:
            y = ops.sum(v * v)
        return tape.gradient(y, v)

    step()
    from_op = ops.multiply.op
    before = len(from_op._pure)
    for _ in range(5):
        step()
    assert len(from_op._pure) == before


def test_gradients_reach_variables_through_value_and_its_call():
    variable = Variable(np.array([1.0, 2.0], "float32"))
    with GradientTape(persistent=True) as tape:
        results = [ops.sum(read**2) for read in (variable.value, variable.value(), variable.read_value())]
    for result in results:
        np.testing.assert_allclose(tape.gradient(result, variable), [2.0, 4.0])
