"""Scans and maps against Keras; gradients, state and symbolic shapes."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from hornbeam.base.errors import NotSupportedError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import Tensor, from_host
from hornbeam.core.variable import Variable
from hornbeam.ops.control import associative_scan, jvp, map, scan, vectorize, vectorized_map
from tests.ops.test_control import add, compiled, mul

XS = np.arange(1, 7, dtype=np.float32).reshape(3, 2)


def running_product(carry, x):
    return mul(carry, x), add(carry, x)


@pytest.mark.parametrize("options", [{}, {"reverse": True}, {"unroll": 2}, {"unroll": True}, {"length": 3}])
def test_scan_equals_keras(options):
    got = scan(running_product, from_host(np.ones(2, np.float32)), from_host(XS), **options)
    expected = keras.ops.scan(lambda c, x: (c * x, c + x), jnp.ones(2), jnp.asarray(XS), **options)
    for one, other in zip(got, expected, strict=True):
        assert isinstance(one, Tensor)
        np.testing.assert_array_equal(one.numpy(), other)


def test_scan_without_inputs_over_nestings_and_python_starts():
    carry, ys = scan(lambda c, x: ({"a": mul(c["a"], 2.0)}, (c["a"], None)), {"a": 1}, length=4)
    assert x_is_none_safe(ys)
    assert carry["a"].dtype == "float32" and carry["a"].numpy() == 16.0
    np.testing.assert_array_equal(ys[0].numpy(), [1, 2, 4, 8])


def x_is_none_safe(ys):
    return isinstance(ys, tuple) and ys[1] is None


def test_a_python_number_takes_the_wide_dtype_of_the_inputs():
    total, _ = scan(lambda carry, x: (carry + x, x), 0.0, np.arange(4.0))
    assert total.dtype == "float64"
    assert float(total) == 6.0


def test_scan_gradients_reach_everything():
    start, xs, bias, w = (from_host(np.asarray(v, np.float32)) for v in (1.5, XS[:, 0], 0.3, 0.0))
    w = Variable(0.7)
    with GradientTape() as tape:
        tape.watch([start, xs, bias])
        carry, ys = scan(lambda c, x: (add(mul(mul(c, x), w), bias), mul(c, w)), start, xs)
    got = tape.gradient([carry, ys], [start, xs, bias, w])

    def reference(start, xs, bias, w):
        carry, ys = jax.lax.scan(lambda c, x: (c * x * w + bias, c * w), start, xs)
        return carry + ys.sum()

    expected = jax.grad(reference, (0, 1, 2, 3))(1.5, jnp.asarray(XS[:, 0]), 0.3, 0.7)
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-6)


def test_scan_writes_state_eagerly_and_in_programs():
    total = Variable(np.zeros(2, np.float32), trainable=False)

    def run(xs):
        def step(carry, x):
            total.assign_add(x)
            return carry, total.read_value()

        return scan(step, 0.0, xs)[1]

    np.testing.assert_array_equal(run(from_host(XS)).numpy(), np.cumsum(XS, 0))
    np.testing.assert_array_equal(compiled(run, XS).numpy(), XS.sum(0) + np.cumsum(XS, 0))
    np.testing.assert_array_equal(total.numpy(), 2 * XS.sum(0))


def test_scan_inside_scan_with_one_variable():
    w = Variable(2.0)

    def outer(carry, x):
        inner, _ = scan(lambda c, y: (mul(mul(c, y), w), None), carry, x)
        return inner, None

    def run(xs):
        with GradientTape() as tape:
            out, _ = scan(outer, 1.0, xs)
        return out, tape.gradient(out, w)

    for out, gradient in (run(from_host(XS)), compiled(run, XS)):
        assert out.numpy() == np.prod(2 * XS)
        np.testing.assert_allclose(gradient.numpy(), 3 * np.prod(2 * XS), rtol=1e-6)


def test_scan_refuses_what_cannot_be_scanned():
    xs = from_host(XS)
    with pytest.raises(ValueError, match="unroll"):
        scan(running_product, 1.0, xs, unroll=0)
    with pytest.raises(ValueError, match="axis 0"):
        scan(running_product, 1.0, from_host(np.float32(1)))
    with pytest.raises(ValueError, match="length"):
        scan(running_product, 1.0)
    with pytest.raises(ValueError, match="common size"):
        scan(running_product, 1.0, xs, length=4)
    with pytest.raises(TypeError, match="pair"):
        scan(lambda c, x: c, from_host(np.float32(1)), xs)
    with pytest.raises(TypeError, match="dtypes"):
        scan(lambda c, x: (mul(c, 0.5), x), from_host(np.int32(1)), xs)


def test_symbolic_scan_and_maps():
    xs = KerasTensor((None, 4))
    carry, ys = scan(running_product, from_host(np.ones(4, np.float32)), xs)
    assert tuple(carry.shape) == (4,) and tuple(ys.shape) == (None, 4)
    assert tuple(map(lambda x: add(x, 1.0), xs).shape) == (None, 4)
    assert tuple(vectorized_map(lambda x: mul(x, x), xs).shape) == (None, 4)
    assert tuple(associative_scan(add, xs).shape) == (None, 4)


@pytest.mark.parametrize("ours", [map, vectorized_map])
def test_maps_equal_keras_and_carry_gradients(ours):
    theirs = {map: keras.ops.map, vectorized_map: keras.ops.vectorized_map}[ours]
    x, w = from_host(XS), Variable(3.0)
    with GradientTape() as tape:
        tape.watch(x)
        out = ours(lambda pair: {"p": mul(mul(pair[0], pair[1]), w)}, (x, x))
    expected = theirs(lambda pair: pair[0] * pair[1] * 3.0, (jnp.asarray(XS), jnp.asarray(XS)))
    np.testing.assert_allclose(out["p"].numpy(), expected)
    gx, gw = tape.gradient(out["p"], [x, w])
    np.testing.assert_allclose(gx.numpy(), 6 * XS)
    np.testing.assert_allclose(gw.numpy(), (XS**2).sum())


def test_map_keeps_state_in_order_and_vectorized_map_refuses():
    last = Variable(np.zeros(2, np.float32), trainable=False)

    def remember(x):
        last.assign(x)
        return x

    map(remember, from_host(XS))
    np.testing.assert_array_equal(last.numpy(), XS[-1])
    with pytest.raises(NotSupportedError, match="vectorized_map"):
        vectorized_map(remember, from_host(XS))
    count = Variable(0, dtype="int32", trainable=False)
    vectorized_map(lambda x: (count.assign_add(1), x)[1], from_host(XS))
    assert count.numpy() == 1


@pytest.mark.parametrize("options", [{}, {"reverse": True}, {"axis": 1}])
def test_associative_scan_equals_keras(options):
    x, w = from_host(XS), Variable(1.0)
    with GradientTape() as tape:
        tape.watch(x)
        out = associative_scan(lambda a, b: mul(mul(a, b), w), x, **options)
    expected = keras.ops.associative_scan(lambda a, b: a * b, jnp.asarray(XS), **options)
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-6)
    gradient = jax.grad(lambda v: keras.ops.associative_scan(jnp.multiply, v, **options).sum())(jnp.asarray(XS))
    np.testing.assert_allclose(tape.gradient(out, x).numpy(), gradient, rtol=1e-6)


def test_jvp_equals_keras():
    w = Variable(3.0)
    primals, tangents = (from_host(XS), from_host(XS[:, 0])), (from_host(XS + 1), from_host(XS[:, 1]))
    out, slope, aux = jvp(lambda a, b: (mul(mul(a, a), w), b), primals, tangents, has_aux=True)
    expected = keras.ops.jvp(lambda a: a * a * 3.0, (jnp.asarray(XS),), (jnp.asarray(XS + 1),))
    np.testing.assert_allclose(out.numpy(), expected[0])
    np.testing.assert_allclose(slope.numpy(), expected[1])
    np.testing.assert_array_equal(aux.numpy(), XS[:, 0])
    with pytest.raises(TypeError, match="nest alike"):
        jvp(mul, primals, tangents[:1])


def test_raw_arrays_and_jax_transformations():
    out = scan(lambda c, x: (jax.lax.mul(c, x), None), jnp.float32(1), jnp.asarray(XS[:, 0]))[0]
    assert isinstance(out, jax.Array) and out == 15
    gradient = jax.grad(lambda w: scan(lambda c, x: (c * x * w, None), jnp.float32(1), jnp.asarray(XS[:, 0]))[0])(2.0)
    assert gradient == 3 * 15 * 4


def test_vectorize_equals_keras_and_carries_gradients():
    x, w = from_host(XS), Variable(2.0)
    with GradientTape() as tape:
        tape.watch(x)
        out = vectorize(lambda a, b, power: mul(mul(a, b), w), excluded={2})(x, x, "kept")
    expected = keras.ops.vectorize(lambda a, b: a * b * 2.0)(jnp.asarray(XS), jnp.asarray(XS))
    np.testing.assert_array_equal(out.numpy(), expected)
    np.testing.assert_array_equal(tape.gradient(out, x).numpy(), 4 * XS)
    rows = vectorize(lambda row: add(row, row[::-1]), signature="(n)->(n)")
    np.testing.assert_array_equal(rows(jnp.asarray(XS)), XS + XS[:, ::-1])
    assert tuple(vectorize(lambda a: mul(a, a))(KerasTensor((None, 3))).shape) == (None, 3)
