"""Order statistics, bins, correlation."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.base.errors import NotSupportedError, TraceError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import from_host
from hornbeam.ops.numpy import statistics as s
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

MEDIANS = (s.median, s.nanmedian)
QUANTILES = (s.quantile, s.nanquantile, s.percentile, s.nanpercentile)
HOLED = np.array([[1.0, np.nan, -2.0, 3.0], [np.nan, 0.5, 2.5, np.nan], [-1.0, 4.0, 0.0, 7.0]], "float32")


def name_of(value) -> str | None:
    return getattr(value, "__name__", None)


def scale_of(function) -> float:
    return 100.0 if "percent" in function.__name__ else 1.0


# --- order statistics ------------------------------------------------------------------------------
@pytest.mark.parametrize("function", MEDIANS, ids=name_of)
def test_medians(function):
    for dtype in DTYPES:
        check_dtypes(function, struct(dtype))
        check_dtypes(function, struct(dtype), 1, True)
    check_keras(function, numbers("float32", (5, 4)))
    check_keras(function, numbers("int32", (5, 4), -9, 9), axis=0)
    check_keras(function, HOLED, axis=1, keepdims=True)
    check_dtypes(function, struct("float32", (2, 3, 4)), axis=(0, 2), keepdims=True)
    check_dtypes(function, struct("float32"), axis=None, keepdims=True)
    check_numpy(function, numbers("float64", (7, 4)), axis=0)
    check_gradients(function, numbers("float32", (5, 4)), axis=0)
    check_symbolic(function, numbers("float32", (2, 3)), axis=1)


@pytest.mark.parametrize("function", QUANTILES, ids=name_of)
def test_quantiles(function):
    scale = scale_of(function)
    several = np.array([0.0, 0.1, 0.5, 1.0], "float32") * np.float32(scale)
    for dtype in DTYPES:
        check_dtypes(function, struct(dtype), 0.3 * scale)
        check_dtypes(function, struct(dtype), struct("float32", (4,)), 1, "linear", True)
    x = numbers("float32", (6, 5))
    check_keras(function, x, 0.3 * scale, tolerance=1e-5)
    check_keras(function, HOLED, several, axis=1, keepdims=True, tolerance=1e-5)
    check_keras(function, numbers("int32", (6, 5)), 0.25 * scale, axis=(0, 1), keepdims=True, tolerance=1e-5)
    assert function(from_host(x), np.array([0.2, 0.4]) * scale).dtype == "float32"
    check_dtypes(function, struct("float32"), 0.5, axis=None, keepdims=True)
    check_numpy(function, numbers("float64", (6, 5)), 0.3 * scale, axis=0)
    check_gradients(function, x, 0.3 * scale, axis=0)
    check_symbolic(function, numbers("float32", (2, 3)), 0.5, axis=1)


@pytest.mark.parametrize("method", ["lower", "higher", "midpoint", "nearest"])
def test_quantile_methods(method):
    check_keras(s.quantile, numbers("float32", (6, 5)), 0.37, axis=0, method=method)
    check_keras(s.nanpercentile, HOLED, 37.0, axis=1, method=method)


def test_quantile_refuses_an_unknown_method():
    check_keras(s.quantile, numbers("float32", (6,)), 0.37, method="nothing")


# --- bins ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("options", [{}, {"bins": 4}, {"bins": 3, "range": (-1.0, 1.0)}], ids=str)
def test_histogram(options):
    check_keras(s.histogram, numbers("float32", (50,)), **options)
    check_keras(s.histogram, numbers("int32", (50,)), **options)


def test_histogram_dtypes_and_shapes():
    for dtype in DTYPES:
        check_dtypes(s.histogram, struct(dtype, (20,)))
    check_keras(s.histogram, np.full(6, 2.0, "float32"))
    check_keras(s.histogram, numbers("float32", (50,)), range=(0, 0))
    counts, edges = s.histogram(from_host(numbers("float64", (30,))))
    expected = np.histogram(numbers("float64", (30,)))
    check("histogram", "numpy", counts, expected[0].astype("float64"))
    check("histogram", "numpy", edges, expected[1])
    check_symbolic(s.histogram, numbers("float32", (20,)), 4)


def test_histogram_counts_many_float16_numbers():
    counts, _ = s.histogram(from_host(np.repeat(np.float16([0, 1]), 5000)), bins=2)
    assert counts.numpy().tolist() == [5000, 5000]


@pytest.mark.parametrize("options", [{"bins": 1.5}, {"bins": -1}, {"range": (1, 0)}, {"range": (1,)}], ids=str)
def test_histogram_refuses_wrong_arguments(options):
    check_keras(s.histogram, numbers("float32", (5,)), **options)


def test_histogram_refuses_several_axes():
    with pytest.raises(ValueError, match="one axis"):
        s.histogram(from_host(np.ones((2, 2), "float32")))


def test_bincount():
    for dtype in ("int32", "bool"):
        check_keras(s.bincount, numbers(dtype, (20,), 0, 6))
    x = numbers("int32", (3, 8), 0, 5)
    check_keras(s.bincount, x, minlength=7)
    check_keras(s.bincount, x, weights=numbers("float32", (3, 8)), minlength=7)
    check_keras(s.bincount, x[0], weights=numbers("float32", (8,)))
    check_keras(s.bincount, np.zeros(0, "int32"), minlength=3)
    check_keras(s.bincount, numbers("float32", (4,)))  # an error
    assert s.bincount(from_host(np.array([2**33 // 2**31, 1]))).dtype == "int32"
    assert s.bincount([1, 1, 3]).numpy().tolist() == [0, 2, 0, 1]


def test_bincount_weights_have_gradients():
    weights = from_host(np.array([1.0, 2.0, 3.0], "float32"))
    with GradientTape() as tape:
        tape.watch(weights)
        out = s.bincount(from_host(np.array([0, 2, 2], "int32")), weights=weights)
    gradient = tape.gradient(out, weights, output_gradients=from_host(np.array([5.0, 6.0, 7.0], "float32")))
    assert gradient.numpy().tolist() == [5.0, 7.0, 7.0]


def test_bincount_where_its_length_is_not_known():
    assert tuple(s.bincount(KerasTensor((None, 4), "int32")).shape) == (None, None)
    with pytest.raises(TraceError, match="one_hot"):
        jax.jit(s.bincount)(jnp.array([1, 2]))
    with pytest.raises(NotSupportedError, match="sparse=False"):
        s.bincount([1, 2], sparse=True)


@pytest.mark.parametrize("bins", [[0.0, 1.0, 2.5], [2.0, 0.5, -1.0], np.array([0, 1], "int32")], ids=str)
def test_digitize(bins):
    check_keras(s.digitize, np.array([[-1.0, 0.0, 0.5], [2.5, 9.0, np.nan]], "float32"), bins)
    check_keras(s.digitize, numbers("int32", (5,)), bins)


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(side):
    ordered = np.array([0.0, 1.0, 1.0, 2.5], "float32")
    check_keras(s.searchsorted, ordered, np.array([[1.0, -1.0], [3.0, 0.5]], "float32"), side=side)
    check_keras(s.searchsorted, ordered, 1, side=side)
    check_keras(s.searchsorted, np.array([1, 3, 5], "int32"), numbers("float32", (4,)), side=side)
    check_numpy(s.searchsorted, np.array([1, 2**40]), np.array([2**39, 2**41]), side=side, dtype="int32")
    check_numpy(s.digitize, numbers("float64", (5,)), np.array([-1.0, 0.0, 1.0]), dtype="int32")


def test_searchsorted_refuses_several_axes_and_infers_shapes():
    with pytest.raises(ValueError, match="one axis"):
        s.searchsorted(from_host(np.ones((2, 2), "float32")), 1.0)
    symbol = KerasTensor((None, 3), "float32")
    out = s.searchsorted(from_host(np.ones(4, "float32")), symbol)
    assert (tuple(out.shape), out.dtype) == ((None, 3), "int32")
    out = s.digitize(symbol, [0.0, 1.0])
    assert (tuple(out.shape), out.dtype) == ((None, 3), "int32")


# --- correlation -----------------------------------------------------------------------------------
def test_corrcoef():
    for dtype in (*DTYPES, "complex64"):
        check_dtypes(s.corrcoef, struct(dtype))
    check_keras(s.corrcoef, numbers("float32", (4, 9)))
    check_keras(s.corrcoef, numbers("int32", (3, 9), -9, 9))
    check_keras(s.corrcoef, numbers("float32", (9,)))
    check_keras(s.corrcoef, numbers("float32", (2, 3, 4)))  # an error
    check_numpy(s.corrcoef, numbers("float64", (4, 9)))
    check_gradients(s.corrcoef, numbers("float32", (3, 5)), tolerance=2e-5)
    check_symbolic(s.corrcoef, numbers("float32", (3, 5)))


@pytest.mark.parametrize("mode", ["valid", "same", "full"])
def test_correlate(mode):
    x, y = numbers("float32", (9,)), numbers("float32", (4,), seed=1)
    for dtype in (*DTYPES, "complex64"):
        check_dtypes(s.correlate, struct(dtype, (7,)), struct("int32", (3,)), mode=mode)
    check_keras(s.correlate, x, y, mode=mode, tolerance=1e-5)
    check_keras(s.correlate, y, x, mode=mode, tolerance=1e-5)
    check_keras(s.correlate, numbers("int32", (9,)), numbers("int32", (3,)), mode=mode, tolerance=1e-5)
    check_numpy(s.correlate, numbers("float64", (9,)), numbers("float64", (4,), seed=1), mode=mode)
    check_gradients(s.correlate, x, y, mode=mode)
    check_dtypes(s.correlate, struct("float32", (3, 3)), struct("float32", (3,)))  # an error
