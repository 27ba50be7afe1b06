"""Reductions, with and without nan: values, dtypes, 64-bit results, gradients, symbolic shapes."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

from hornbeam.core.tensor import from_host
from hornbeam.ops.numpy import nanreduce as n
from hornbeam.ops.numpy import reduce as r
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

SUMS = (r.sum, r.prod, r.mean, r.var, r.std, r.logsumexp)
EXTREMES = (r.max, r.min, r.amax, r.amin, r.ptp)
POSITIONS = (r.argmax, r.argmin)
TRUTHS = (r.all, r.any)
NAN = (n.nansum, n.nanprod, n.nanmean, n.nanvar, n.nanstd, n.nanmax, n.nanmin)
NAN_POSITIONS = (n.nanargmax, n.nanargmin)
ALL = (*SUMS, *EXTREMES, *POSITIONS, *TRUTHS, *NAN, *NAN_POSITIONS)
HOLED = np.array([[1.0, np.nan, -2.0, 3.0], [np.nan, 0.5, 2.5, np.nan], [-1.0, 4.0, 0.0, -0.0]], "float32")


def name_of(value) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_dtypes_and_shapes_are_those_of_keras(function):
    for dtype in (*DTYPES, "complex64"):
        check_dtypes(function, struct(dtype, (3, 4)))
        check_dtypes(function, struct(dtype, (3, 4)), 1)
    check_dtypes(function, struct("float32", (3, 4, 2)), -2, True)
    check_dtypes(function, struct("float32", (3, 4, 2)), axis=None, keepdims=True)
    check_dtypes(function, struct("float32", ()))
    check_dtypes(function, struct("float32", (2, 0)), axis=0)
    check_dtypes(function, struct("float32", (2, 0)))  # an error for extremes and positions
    check_dtypes(function, 2.0)
    check_dtypes(function, struct("float32", (3, 4)), axis=2)
    if function not in (*POSITIONS, *NAN_POSITIONS):
        check_dtypes(function, struct("float16", (3, 4, 2)), axis=(0, -1), keepdims=True)


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_values_are_those_of_keras(function):
    x = numbers("float32", (4, 3, 5))
    check_keras(function, x, axis=1, keepdims=True)
    check_keras(function, numbers("int32", (6, 5), -5, 5))
    if function not in SUMS:
        check_keras(function, HOLED, axis=1)


@pytest.mark.parametrize("function", [r.sum, r.mean, r.max, n.nanargmax], ids=name_of)
def test_small_dtypes_have_the_values_of_keras(function):
    for dtype in ("bool", "int8", "bfloat16"):
        check_keras(function, numbers(dtype, (40, 3), -90, 90), axis=0)


@pytest.mark.parametrize("function", [*SUMS, *EXTREMES, *NAN], ids=name_of)
def test_float64_is_kept_and_equals_numpy(function):
    reference = {"logsumexp": scipy.special.logsumexp, "ptp": np.ptp}.get(function.__name__)
    check_numpy(function, numbers("float64", (7, 5)), axis=1, reference=reference)


@pytest.mark.parametrize("function", [r.sum, r.prod, *EXTREMES, n.nansum, n.nanmax], ids=name_of)
def test_int64_is_kept(function):
    check_numpy(function, np.array([[2**33, 3], [5, 2**20]]), axis=0)


@pytest.mark.parametrize("function", [*POSITIONS, *NAN_POSITIONS, *TRUTHS, r.count_nonzero], ids=name_of)
def test_positions_and_counts_are_never_64_bit(function):
    dtype = None if function in TRUTHS else "int32"
    check_numpy(function, numbers("float64", (6, 4)), axis=1, dtype=dtype)
    check_numpy(function, np.array([[2**40, 2**41], [2**42, 0]]), axis=0, dtype=dtype)


@pytest.mark.parametrize("function", [r.mean, r.var, r.std], ids=name_of)
def test_moments_of_int64_are_float32(function):
    assert function(from_host(np.array([1, 2, 5]))).dtype == "float32"


@pytest.mark.parametrize("function", [r.var, r.std, n.nanvar, n.nanmean], ids=name_of)
def test_moments_of_float16_do_not_overflow_inside(function):
    """Squares beyond 65504 would be infinite in float16; the results are not."""
    x = np.array([400.0, -200.0, 100.0, 300.0] * 50, "float16")
    expected = np.asarray(getattr(np, function.__name__)(x.astype("float64"))).astype("float16")
    check(function.__name__, "numpy", function(from_host(x)), expected)


@pytest.mark.parametrize("function", [*SUMS, *EXTREMES, *NAN], ids=name_of)
def test_gradients_are_those_of_keras(function):
    check_gradients(function, numbers("float32", (4, 3), 0.2), axis=1)


def test_gradients_of_extremes_at_ties_and_of_products_with_zeros():
    ties = np.array([[1.0, 2.0, 2.0], [0.0, 0.0, 3.0]], "float32")
    for function in (r.max, r.min, r.prod, r.ptp):
        check_gradients(function, ties, axis=1)
    check_gradients(r.mean, numbers("float32", (2, 3)), keepdims=True)
    check_gradients(r.std, np.array([[1.0, 1.0], [1.0, 3.0]], "float32"), axis=1)


@pytest.mark.parametrize("function", [n.nansum, n.nanmean, n.nanprod], ids=name_of)
def test_gradients_with_nan_are_those_of_keras(function):
    check_gradients(function, HOLED, axis=1)


@pytest.mark.parametrize("function", [*ALL, r.count_nonzero], ids=name_of)
def test_symbolic_shape_is_the_eager_one(function):
    x = numbers("float32", (2, 3, 4))
    check_symbolic(function, x)
    check_symbolic(function, x, axis=0)
    check_symbolic(function, x, axis=-1)


# --- functions with more arguments -----------------------------------------------------------------
@pytest.mark.parametrize("function", [r.max, r.min], ids=name_of)
def test_extremes_with_initial(function):
    check_keras(function, numbers("float32", (4, 3)), axis=0, initial=1.0)
    check_keras(function, numbers("float32", (2, 0)), axis=1, initial=-2.5)
    check_keras(function, numbers("int32", (4,)), initial=1)
    assert function(from_host(np.array([2**40])), initial=3).dtype == "int64"
    assert function(from_host(np.ones(2, "float32")), initial=from_host(np.float32(5))).shape == ()


def test_prod_with_dtype():
    for dtype in ("float32", "int32", "float16"):
        check_keras(r.prod, numbers("int32", (4, 3), 1, 3), axis=0, dtype=dtype)
    assert r.prod(from_host(np.full(15, 1e3, "float32")), dtype="float64").dtype == "float64"
    assert r.prod(from_host(np.full(4, 1000, "int32")), dtype="int64").numpy() == 10**12


def test_average():
    x = numbers("float32", (4, 3))
    check_keras(r.average, x)
    check_keras(r.average, x, axis=1)
    check_keras(r.average, x, axis=1, weights=np.array([1, 2, 3], "int32"))
    check_keras(r.average, x, weights=numbers("float32", (4, 3), 0.1, seed=1))
    check_keras(r.average, x, axis=0, weights=numbers("float32", (5,)))  # an error
    for dtype in (*DTYPES, "complex64"):
        check_dtypes(r.average, struct(dtype))
        check_dtypes(r.average, struct(dtype), 0, struct("float16", (3,)))
    check_numpy(r.average, numbers("float64", (3,)), weights=numbers("float64", (3,), 0.1, seed=1))
    check_symbolic(r.average, x, 1)
    check_gradients(r.average, x, 0)


def test_average_with_weights_has_gradients_of_both():
    x, weights = numbers("float32", (4, 3)), numbers("float32", (4, 3), 0.1, seed=1)
    check_gradients(r.average, x, 0, weights)


def test_count_nonzero():
    for dtype in (*DTYPES, "complex64"):
        check_dtypes(r.count_nonzero, struct(dtype))
        check_dtypes(r.count_nonzero, struct(dtype), 0)
    check_keras(r.count_nonzero, np.array([[0.0, 1.0, np.nan], [-0.0, 2.0, 0.0]], "float32"), axis=1)
    check_keras(r.count_nonzero, numbers("int32", (4, 3, 2), -1, 1), axis=(0, 2))


def test_positions_among_equal_subnormal_and_nan_values():
    tiny = np.float32(-1e-40)
    for values in ([0.0, tiny, 0.0], [tiny, 0.0], [1.0, np.nan, 3.0, np.nan], [2.0, 2.0, 1.0, 1.0], [-0.0, 0.0]):
        for function in POSITIONS:
            check_keras(function, np.array(values, "float32"))


def test_nan_positions_where_all_are_nan():
    x = np.array([[np.nan, np.nan], [1.0, np.nan]], "float32")
    for function in NAN_POSITIONS:
        check_keras(function, x, axis=1)
    for function in (n.nanmean, n.nanmax, n.nansum, n.nanvar):
        check_keras(function, x, axis=1)


def test_axis_as_list_and_numpy_integer():
    x = numbers("float32", (2, 3, 4))
    check("sum", "numpy", r.sum(from_host(x), axis=[0, 2]), x.sum((0, 2)))
    check("max", "numpy", r.max(from_host(x), axis=np.int64(1)), x.max(1))
