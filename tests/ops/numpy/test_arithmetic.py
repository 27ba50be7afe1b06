"""Functions of two arrays: promotion, values, NumPy and Python operands, 64-bit results, gradients, symbolic shapes."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam.core.tensor import from_host
from hornbeam.ops.numpy import arithmetic as a
from hornbeam.ops.numpy import bitwise as b
from hornbeam.ops.numpy import comparison as c
from tests.ops.numpy.oracle import (
    DTYPES,
    check,
    check_dtypes,
    check_gradients,
    check_keras,
    check_numpy,
    check_symbolic,
    numbers,
    struct,
)

ANY = (a.add, a.subtract, a.multiply, a.maximum, a.minimum, a.fmax, a.fmin, a.power)
DIVISIONS = (a.divide, a.divide_no_nan, a.floor_divide, a.mod, a.fmod)
REAL = (a.arctan2, a.hypot, a.heaviside, a.logaddexp, a.logaddexp2, a.nextafter)
WHOLE = (a.gcd, a.lcm, b.bitwise_and, b.bitwise_or, b.bitwise_xor, b.bitwise_left_shift, b.bitwise_right_shift)
COMPARISONS = (c.equal, c.not_equal, c.greater, c.greater_equal, c.less, c.less_equal, c.isclose)
LOGIC = (c.logical_and, c.logical_or, c.logical_xor)
ALL = (*ANY, *DIVISIONS, *REAL, *WHOLE, *COMPARISONS, *LOGIC, c.allclose, a.ldexp)
PAIRS = [(one, one) for one in DTYPES] + [
    ("bool", "uint8"),
    ("int32", "float16"),
    ("float16", "bfloat16"),
    ("uint8", "int8"),
    ("uint32", "int32"),
    ("uint32", "int8"),
    ("float32", "int32"),
    ("float16", "float32"),
    ("int32", "bool"),
]
# Keras takes Python floats for float32 in these three, though not in its own symbolic form of them.
STRICT_FLOATS = (a.arctan2, a.logaddexp, a.logaddexp2)
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 2.5, np.inf, -np.inf, np.nan], "float32")


def name_of(value) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_dtypes_are_those_of_keras(function):
    for one, other in PAIRS:
        check_dtypes(function, struct(one), struct(other))
    for dtype in DTYPES:
        for scalar in (True, 2, 0.5):
            if function in STRICT_FLOATS and scalar == 0.5 and dtype in ("float16", "bfloat16"):
                assert function(from_host(numbers(dtype)), scalar).dtype == dtype
                continue
            check_dtypes(function, struct(dtype), scalar)
            if function not in (a.ldexp, b.bitwise_left_shift, b.bitwise_right_shift):
                check_dtypes(function, scalar, struct(dtype))


@pytest.mark.parametrize("function", [*ANY, *DIVISIONS, *REAL, *COMPARISONS, *LOGIC], ids=name_of)
def test_float_values_are_those_of_keras(function):
    grid = np.meshgrid(SPECIAL, SPECIAL)
    check_keras(function, grid[0].ravel(), grid[1].ravel())
    low = 0.1 if function is a.power else -3
    check_keras(function, numbers("float32", (4, 1, 3), low), numbers("float32", (5, 1), seed=1))
    # A NumPy operand takes the dtype of the tensor beside it, as it does in Keras for float32.
    check_keras(function, numbers("float32", (3,), low), np.array([1.5, 2.0, -1.0]), mixed=True)
    check_dtypes(function, struct("float32", (0, 3)), struct("float32", (3,)))


@pytest.mark.parametrize("function", [*ANY, *DIVISIONS, *WHOLE, *COMPARISONS, *LOGIC], ids=name_of)
def test_integer_values_are_those_of_keras(function):
    low = 0 if function in (a.power, b.bitwise_left_shift, b.bitwise_right_shift) else -9
    check_keras(function, numbers("int32", (20,), -9, 9), numbers("int32", (20,), low, 9, seed=1))
    if function not in (*COMPARISONS, *LOGIC):
        check_keras(function, numbers("uint8", (2, 1), 0, 9), np.array([3, 2, 1], "int8"))


@pytest.mark.parametrize("function", [a.add, a.multiply, a.divide, a.divide_no_nan, a.power, c.equal], ids=name_of)
def test_complex_values_are_those_of_keras(function):
    check_keras(function, numbers("complex64", (6,)), numbers("complex64", (6,), seed=1), tolerance=1e-5)
    check_keras(function, numbers("complex64", (6,)), 0.5, tolerance=1e-5)


@pytest.mark.parametrize("function", [*ANY, *DIVISIONS, *REAL, *COMPARISONS, *LOGIC], ids=name_of)
def test_float64_is_kept_and_equals_numpy(function):
    x, y = numbers("float64", (32,), 0.1), numbers("float64", (32,), 0.5, seed=1)
    reference = np.divide if function is a.divide_no_nan else None
    check_numpy(function, x, y, reference=reference, tolerance=1e-12 if function in (a.mod, a.fmod) else None)
    assert function(from_host(x), 0.5).dtype == function(from_host(x), from_host(x)).dtype


@pytest.mark.parametrize("function", [*ANY, *DIVISIONS[2:], *WHOLE, *COMPARISONS[:-1], *LOGIC], ids=name_of)
def test_int64_is_kept_and_equals_numpy(function):
    references = {"bitwise_left_shift": np.left_shift, "bitwise_right_shift": np.right_shift}
    x, y = np.array([2**40 + 1, -7, 12, 2**33]), np.array([1, 2, 5, 1])
    check_numpy(function, x, y, reference=references.get(function.__name__))


def test_nothing_becomes_64_bit_by_itself():
    """uint32 with int32 would be int64 in NumPy; here as in Keras it is int32."""
    out = a.add(from_host(np.array([1], "uint32")), from_host(np.array([-3], "int32")))
    check("add", "keras", out, np.array([-2], "int32"))
    assert a.divide(from_host(np.array([1, 2])), from_host(np.array([2, 2]))).dtype == "float32"


@pytest.mark.parametrize("function", [*ANY, *DIVISIONS, *REAL[:-1]], ids=name_of)
def test_gradients_are_those_of_keras(function):
    x, y = numbers("float32", (4, 3), 0.2), numbers("float32", (3,), 0.3, seed=1)
    check_gradients(function, x, y, tolerance=2e-5)


@pytest.mark.parametrize(
    "function", [a.maximum, a.minimum, a.divide_no_nan, a.power, a.logaddexp, a.arctan2], ids=name_of
)
def test_gradients_at_zeros_and_ties_are_those_of_keras(function):
    check_gradients(function, np.array([0.0, 1.0, 2.0], "float32"), np.array([0.0, 1.0, 0.0], "float32"))


def test_divide_no_nan_has_finite_gradients_at_zero():
    x = np.array([0.0, 3.0, 1.0], "float32")
    check_gradients(a.divide_no_nan, x, np.array([0.0, 0.0, 2.0], "float32"))
    check_gradients(a.divide_no_nan, x, 0)


def test_power_with_python_and_integer_exponents():
    x = np.array([-2.0, -0.5, 0.0, 1.5], "float32")
    for exponent in (0, 1, 2, 3, -1, -2, 0.5, np.array([2, 3, 0, 1])):
        check_keras(a.power, x, exponent, mixed=True)
    for exponent in (0, 1, 2, 3):
        check_gradients(a.power, x, exponent)
    check_keras(a.power, np.array([2, -3, 5], "int32"), 3)


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_symbolic_shape_is_the_eager_one(function):
    dtype = "int32" if function in WHOLE else "float32"
    exponents = numbers("int32", (2, 1, 3), 1, 3) if function is a.ldexp else numbers(dtype, (2, 1, 3), 1, 3)
    check_symbolic(function, numbers(dtype, (2, 4, 1), 1, 3), exponents)
    if function is not c.allclose:
        check_symbolic(function, numbers(dtype, (2, 3), 1, 3), 2)


# --- functions with more arguments -----------------------------------------------------------------
@pytest.mark.parametrize(
    "bounds",
    [(0, 1), (0.5, 1.5), (None, 1), (-1.0, None), (2, 1), (np.float32([0, 1, 2]), np.float32([1, 1, 5]))],
    ids=str,
)
def test_clip(bounds):
    for dtype in ("float32", "int32", "bool"):
        check_keras(a.clip, numbers(dtype, (4, 3)), *bounds)
    if not isinstance(bounds[0], np.ndarray):  # those take the dtype of the tensor
        for dtype in DTYPES:
            check_dtypes(a.clip, struct(dtype, (4, 3)), *bounds)


def test_clip_of_special_values_64_bit_and_gradient():
    check_keras(a.clip, SPECIAL, -1.0, 2.0)
    check_numpy(a.clip, np.array([2**40, 5]), 6, 2**41)
    check_numpy(a.clip, numbers("float64", (9,)), -1.0, 0.3)
    check_gradients(a.clip, np.array([-2.0, -1.0, 0.3, 1.0, 4.0], "float32"), -1.0, 1.0)
    check_symbolic(a.clip, numbers("float32", (2, 3)), 0.0, 1.0)


def test_ldexp():
    check_keras(a.ldexp, SPECIAL[:6], np.array([3, -2, 0, 5, 127, 1], "int32"))
    check_keras(a.ldexp, numbers("int32", (4,)), 3)
    check_keras(a.ldexp, numbers("float16", (4, 1)), np.array([1, -1], "int8"))
    check_numpy(a.ldexp, numbers("float64", (4,)), np.array([-40, 1, 2, 3], "int32"))
    check_gradients(a.ldexp, numbers("float32", (4,)), np.array([1, -1, 0, 2], "int32"))
    with pytest.raises(TypeError, match="integer"):
        a.ldexp(from_host(np.ones(2, "float32")), 0.5)


@pytest.mark.parametrize("function", [c.isclose, c.allclose], ids=name_of)
def test_closeness_with_tolerances(function):
    x = np.array([1.0, 1.001, np.nan, np.inf, -np.inf, 0.0], "float32")
    y = np.array([1.0, 1.0, np.nan, np.inf, np.inf, 1e-9], "float32")
    for options in ({}, {"equal_nan": True}, {"rtol": 1e-2}, {"atol": 1e-2, "rtol": 0.0}, {"atol": 0.0, "rtol": 0}):
        check_keras(function, x, y, **options)
        check_keras(function, x[:2], y[:2], **options)
    check_keras(function, np.array([1, 2, 100000], "int32"), np.array([1, 3, 100001], "int32"))


def test_truth_of_nan_and_of_numbers_rounded_to_zero():
    check_keras(c.logical_and, np.ones(2, "float16"), 1e-10)  # the common dtype is float16
    check_keras(c.logical_or, np.array([np.nan, 0.0], "float32"), np.array([0, 0], "int32"))


@pytest.mark.parametrize(
    "function", [a.add, a.floor_divide, a.power, a.maximum, b.bitwise_left_shift, c.less], ids=name_of
)
def test_small_and_mixed_operands(function):
    check_keras(function, np.array([True, False, True]), 2)
    check_keras(function, numbers("bfloat16" if function in (a.add, c.less) else "uint8", (4,), 0, 9), 2)
    check_keras(function, numbers("int32", (3,), 0, 9), np.array([3, 2, 1]), mixed=True)


def test_lists_are_arrays():
    out = a.add([1, 2], from_host(np.array([0.5, 0.5], "float32")))
    check("add", "closed form", out, np.array([1.5, 2.5], "float32"))


def test_aliases_are_the_same_function():
    assert a.true_divide is a.divide
    assert b.left_shift is b.bitwise_left_shift
    assert b.right_shift is b.bitwise_right_shift
    assert b.bitwise_not is b.bitwise_invert
