"""Assertions and checks."""

from __future__ import annotations

import jax
import pytest

import hornbeam as tf

HOLD = [
    ("assert_equal", (1, 1), (1, 2)),
    ("assert_none_equal", (1, 2), (1, 1)),
    ("assert_less", (1, 2), (2, 2)),
    ("assert_less_equal", (2, 2), (3, 2)),
    ("assert_greater", (3, 2), (2, 2)),
    ("assert_greater_equal", (2, 2), (1, 2)),
    ("assert_near", (1.0, 1.0 + 1e-7), (1.0, 1.1)),
    ("assert_positive", ([1, 2],), ([1, 0],)),
    ("assert_negative", ([-1],), ([0],)),
    ("assert_non_negative", ([0, 1],), ([-1],)),
    ("assert_non_positive", ([0, -1],), ([1],)),
]


@pytest.mark.parametrize(("name", "good", "bad"), HOLD)
def test_assertions_about_values(name, good, bad):
    function = getattr(tf.debugging, name)
    assert function(*good) is None
    with pytest.raises(tf.errors.InvalidArgumentError, match="my words"):
        function(*bad, message="my words")


def test_assertion_of_strings_and_text():
    tf.debugging.assert_equal(["a", "b"], ["a", "b"])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"First 2 elements of x: \[1 2\]"):
        tf.debugging.assert_equal([1, 2, 3], [1, 2, 4], summarize=2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="data is"):
        tf.debugging.Assert(tf.constant(False), ["data is", tf.constant([1, 2])])
    tf.debugging.Assert(True, [1])


def test_assertion_inside_a_function_raises_when_it_runs():
    run = tf.function(lambda x: (tf.debugging.assert_positive(x), x * 2)[1])
    assert run(tf.constant(1.0)).numpy() == 2.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="Condition x > 0 did not hold"):
        run(tf.constant(-1.0)).numpy()
        jax.effects_barrier()


def test_check_numerics():
    assert tf.debugging.check_numerics([1.0], "fine").numpy().tolist() == [1.0]
    for value, word in ((float("nan"), "NaN"), (float("inf"), "Inf")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"loss : Tensor had {word}"):
            tf.debugging.check_numerics([1.0, value], "loss")
    tf.debugging.enable_check_numerics()
    try:
        with pytest.raises(FloatingPointError):
            tf.math.log(tf.constant(-1.0))
    finally:
        tf.debugging.disable_check_numerics()


def test_assertions_about_shapes_and_dtypes():
    x = tf.ones((2, 3))
    tf.debugging.assert_rank(x, 2)
    tf.debugging.assert_rank_at_least(x, 1)
    tf.debugging.assert_rank_in(x, [1, 2])
    tf.debugging.assert_type(x, tf.float32)
    tf.debugging.assert_integer([1])
    tf.debugging.assert_scalar(1.0)
    tf.debugging.assert_proper_iterable([1])
    tf.debugging.assert_shapes([(x, ("N", 3)), (tf.ones((2, 5)), ("N", None)), (tf.ones((7, 2)), (..., "N"))])
    assert tf.debugging.assert_same_float_dtype([x]) == tf.float32
    assert tf.debugging.is_numeric_tensor(x)
    assert not tf.debugging.is_numeric_tensor([1.0])
    for error, call in (
        (ValueError, lambda: tf.debugging.assert_rank(x, 1)),
        (ValueError, lambda: tf.debugging.assert_rank_at_least(x, 3)),
        (ValueError, lambda: tf.debugging.assert_rank_in(x, [3])),
        (TypeError, lambda: tf.debugging.assert_type(x, tf.int32)),
        (TypeError, lambda: tf.debugging.assert_integer(x)),
        (ValueError, lambda: tf.debugging.assert_scalar(x)),
        (TypeError, lambda: tf.debugging.assert_proper_iterable(x)),
        (ValueError, lambda: tf.debugging.assert_shapes([(x, ("N", "N"))])),
        (ValueError, lambda: tf.debugging.assert_shapes([(x, ("N",))])),
        (ValueError, lambda: tf.debugging.assert_same_float_dtype([x, tf.ones(1, tf.float64)])),
    ):
        with pytest.raises(error):
            call()


def test_log_device_placement():
    tf.debugging.set_log_device_placement(True)
    assert tf.debugging.get_log_device_placement()
    tf.debugging.set_log_device_placement(False)
    assert not jax.config.jax_log_compiles
