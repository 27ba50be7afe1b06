"""Window functions."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam.base import settings
from hornbeam.core.tensor import from_host
from hornbeam.ops.numpy import windows
from tests.ops.numpy.oracle import check, check_keras

PLAIN = [windows.bartlett, windows.blackman, windows.hamming, windows.hanning]


@pytest.mark.parametrize("function", PLAIN, ids=lambda f: f.__name__)
def test_windows_are_those_of_keras_and_numpy(function):
    for points in (0, 1, 2, 7, 64):
        check_keras(function, points, tolerance=1e-6)
    check_keras(function, np.array(5, "int32"), tolerance=1e-6)
    expected = getattr(np, function.__name__)(33)
    check(function.__name__, "numpy", function(33), expected.astype("float32"), 1e-6)


@pytest.mark.parametrize("beta", [0.0, 2, 8.6])
def test_kaiser(beta):
    for points in (1, 2, 9):
        check_keras(windows.kaiser, points, beta, tolerance=2e-6)
    check("kaiser", "numpy", windows.kaiser(from_host(np.array(30)), beta), np.kaiser(30, beta).astype("float32"), 2e-6)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_windows_have_the_default_float_dtype(dtype):
    before = settings.floatx()
    windows.hamming(8)
    settings.set_floatx(dtype)
    try:
        check("hamming", "numpy", windows.hamming(8), np.hamming(8).astype(dtype))
        check(
            "kaiser",
            "numpy",
            windows.kaiser(8, 3.0),
            np.kaiser(8, 3.0).astype(dtype),
            1e-3 if dtype == "float16" else 1e-7,
        )
    finally:
        settings.set_floatx(before)
    assert windows.hamming(8).dtype == before
