"""`tf.experimental.numpy`."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as tf

tnp = tf.experimental.numpy


@pytest.mark.parametrize(
    "name", ["exp", "sqrt", "mean", "cumsum", "argsort", "sort", "max", "transpose", "ravel", "var"]
)
def test_functions_equal_numpy(name):
    x = np.array([[1.0, 4.0], [9.0, 2.0]])
    out = getattr(tnp, name)(x)
    assert isinstance(out, tnp.ndarray)
    np.testing.assert_allclose(out, getattr(np, name)(x), rtol=1e-14)


@pytest.mark.parametrize("name", ["add", "divide", "power", "matmul", "maximum", "less", "dot"])
def test_functions_of_two(name):
    x, y = np.array([[1.0, 4.0], [9.0, 2.0]]), np.array([[2.0, 3.0], [1.0, 5.0]])
    np.testing.assert_allclose(getattr(tnp, name)(x, y), getattr(np, name)(x, y), rtol=1e-14)


def test_python_numbers_are_numpys():
    assert tnp.add(1, 2).dtype == tnp.int64
    assert tnp.sqrt(2.0).dtype == tnp.float64
    assert tnp.divide(1, 2).dtype == tnp.float64
    assert tnp.add(tf.ones(2), 2.5).dtype == tf.float32
    assert tnp.array([[1, 2]], ndmin=3).shape == (1, 1, 2)
    assert tnp.concatenate([[1.0], [2.0]]).dtype == tf.float64
    assert tnp.linspace(0, 1, 3).numpy().tolist() == [0.0, 0.5, 1.0]
    assert tnp.newaxis is None


def test_float32_can_be_preferred():
    tnp.experimental_enable_numpy_behavior(prefer_float32=True)
    try:
        assert tnp.ones(2).dtype == tf.float32
        assert tnp.asarray([1, 2]).dtype == tf.int32
        assert tnp.random.randn(2).dtype == tf.float32
    finally:
        tnp.experimental_enable_numpy_behavior()
    assert tnp.ones(2).dtype == tf.float64
    with pytest.raises(NotImplementedError, match="safe"):
        tnp.experimental_enable_numpy_behavior(dtype_conversion_mode="safe")


def test_random():
    tnp.random.seed(1)
    first = tnp.random.randn(2, 3).numpy()
    tnp.random.seed(1)
    np.testing.assert_array_equal(first, tnp.random.randn(2, 3))
    assert tnp.random.randint(5, size=100).numpy().max() == 4
    assert tnp.random.rand(2).dtype == tf.float64


def test_gradients_reach_through():
    x = tnp.array([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tnp.sum(tnp.square(x))
    assert tape.gradient(y, x).numpy().tolist() == [2.0, 4.0]
