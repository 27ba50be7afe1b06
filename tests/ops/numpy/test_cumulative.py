"""Running sums and products, differences, the trapezoidal rule."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam.core.tensor import from_host
from hornbeam.ops.numpy import cumulative as c
from tests.ops.numpy.oracle import (
    DTYPES,
    check_dtypes,
    check_gradients,
    check_keras,
    check_numpy,
    check_symbolic,
    numbers,
    struct,
)

RUNNING = (c.cumsum, c.cumprod, c.nancumsum, c.nancumprod)


def name_of(value) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize("function", RUNNING, ids=name_of)
def test_running_sums_and_products(function):
    for dtype in DTYPES:
        check_dtypes(function, struct(dtype))
        check_dtypes(function, struct(dtype), 1, "float16")
    check_dtypes(function, struct("complex64"))
    check_dtypes(function, 2.0)
    check_keras(function, numbers("float32", (4, 3)))
    check_keras(function, numbers("int32", (4, 3)), axis=-1)
    check_keras(function, numbers("int32", (4, 3)), axis=0, dtype="float32")
    check_keras(function, np.array([1.0, np.nan, 2.0, -3.0], "float32"))
    check_keras(function, numbers("float32", (0, 3)), axis=0)
    check_numpy(function, numbers("float64", (6, 2)), axis=0)
    check_numpy(function, np.array([2**20, 2**15, 4]))
    assert function(from_host(np.ones(2, "int32")), dtype="int64").dtype == "int64"
    check_gradients(function, numbers("float32", (4, 3), 0.2), axis=0)
    check_symbolic(function, numbers("float32", (2, 3)), 0)
    check_symbolic(function, numbers("float32", (2, 3)))


def test_diff():
    for dtype in (*DTYPES, "complex64"):
        check_dtypes(c.diff, struct(dtype))
        check_dtypes(c.diff, struct(dtype), 2, 0)
    check_keras(c.diff, numbers("float32", (4, 5)), n=2)
    check_keras(c.diff, numbers("float32", (4, 5)), n=0)
    check_keras(c.diff, numbers("uint8", (4, 5), 0, 200), axis=0)
    check_keras(c.diff, np.array([True, True, False]))
    check_numpy(c.diff, numbers("float64", (6,)))
    check_numpy(c.diff, np.array([2**40, 1, 5]))
    check_gradients(c.diff, numbers("float32", (4, 3)), n=1, axis=0)
    check_symbolic(c.diff, numbers("float32", (4, 3)), 1, -1)


def test_trapezoid():
    y, x = numbers("float32", (4, 3)), np.sort(numbers("float32", (3,), seed=1))
    for dtype in (*DTYPES, "complex64"):
        check_dtypes(c.trapezoid, struct(dtype))
        check_dtypes(c.trapezoid, struct(dtype), struct("float32"), axis=0)
    check_keras(c.trapezoid, y)
    check_keras(c.trapezoid, y, dx=0.5, axis=0)
    check_keras(c.trapezoid, y, x)
    check_keras(c.trapezoid, y, np.array([0.0, 1.5, 2.0]), mixed=True)
    check_numpy(c.trapezoid, numbers("float64", (5,)), numbers("float64", (5,), seed=2))
    check_gradients(c.trapezoid, y, x)
    check_symbolic(c.trapezoid, y)
