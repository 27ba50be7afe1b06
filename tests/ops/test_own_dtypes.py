"""NumPy operands: their own dtypes count in ``keras.ops``, the tensor's in ``tf`` functions and operators."""

import keras
import numpy as np
import pytest

import hornbeam as tf

ops = tf.keras.ops


@pytest.mark.parametrize("given", ["bool", "uint8", "int32", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("kind", ["int8", "float16"])
def test_result_dtypes_are_those_of_keras(given: str, kind: str) -> None:
    array = np.array([1, 0]).astype(given)
    ours, theirs = ops.ones((2,), kind), keras.ops.ones((2,), kind)
    assert str(ops.multiply(array, ours).dtype) == str(keras.ops.multiply(array, theirs).dtype)
    assert str(ops.concatenate([ours, array]).dtype) == str(keras.ops.concatenate([theirs, array]).dtype)
    chosen = ops.where(np.array([True, False]), array, ours)
    assert str(chosen.dtype) == str(keras.ops.where(np.array([True, False]), array, theirs).dtype)


def test_products_do_not_wrap() -> None:
    array, narrow = np.array([-37, 100], np.int64), ops.convert_to_tensor(np.array([4, 100], np.int8))
    np.testing.assert_array_equal(ops.multiply(array, narrow), [-148, 10000])
    np.testing.assert_array_equal(keras.ops.numpy.multiply(array, np.asarray(narrow)), [-148, 10000])
    np.testing.assert_array_equal(ops.numpy.multiply([-37, 100], narrow), [-148, 10000])
    assert ops.add(np.array([2**40]), narrow).numpy().tolist() == [2**40 + 4, 2**40 + 100]


def test_elsewhere_arrays_take_the_dtype_of_the_tensor() -> None:
    half = tf.constant([0.5, 2.0], tf.float16)
    array = np.array([2.0, 0.25], np.float32)
    assert tf.multiply(half, array).dtype == (half * array).dtype == tf.float16
    assert ops.multiply(half, array).dtype == tf.float32
    # A function called within a keras op has the rule of its own.
    assert ops.vectorized_map(lambda x: x * np.float32(2), half).dtype == tf.float16


def test_symbolic_tensors_and_gradients_follow_the_same_rule() -> None:
    symbol = tf.keras.Input((2,), dtype="float16")
    weights = np.array([2.0, 3.0], np.float32)
    model = tf.keras.Model(symbol, ops.multiply(symbol, weights))
    assert model.output.dtype == "float32"
    found = model(np.array([[1.0, 0.5]], np.float16))
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, [[2.0, 1.5]])
    x = tf.Variable([1.0, 2.0], dtype="float16")
    with tf.GradientTape() as tape:
        y = ops.multiply(weights, x)
    assert y.dtype == "float32"
    slope = tape.gradient(y, x)
    assert slope.dtype == "float16"
    np.testing.assert_array_equal(slope, weights)
