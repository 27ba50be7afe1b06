"""Functions of one array: values, dtypes, 64-bit results, gradients, symbolic shapes."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from hornbeam.core.tensor import from_host
from hornbeam.ops.numpy import comparison, elementwise, rounding, trigonometry
from hornbeam.ops.numpy.bitwise import bitwise_invert
from tests.ops.numpy.oracle import (
    COMPUTED,
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

# Function: (low, high) of its float operands.
FLOATING = {
    elementwise.fabs: (-3, 3),
    elementwise.cbrt: (-3, 3),
    elementwise.sqrt: (0.1, 9),
    elementwise.reciprocal: (0.2, 3),
    elementwise.exp: (-3, 3),
    elementwise.exp2: (-3, 3),
    elementwise.expm1: (-2, 2),
    elementwise.log: (0.1, 9),
    elementwise.log1p: (-0.9, 9),
    elementwise.log2: (0.1, 9),
    elementwise.log10: (0.1, 9),
    elementwise.i0: (-4, 4),
    elementwise.angle: (-3, 3),
    trigonometry.sin: (-9, 9),
    trigonometry.cos: (-9, 9),
    trigonometry.tan: (-1.3, 1.3),
    trigonometry.arcsin: (-0.9, 0.9),
    trigonometry.arccos: (-0.9, 0.9),
    trigonometry.arctan: (-9, 9),
    trigonometry.sinh: (-3, 3),
    trigonometry.cosh: (-3, 3),
    trigonometry.tanh: (-3, 3),
    trigonometry.arcsinh: (-9, 9),
    trigonometry.arccosh: (1.1, 9),
    trigonometry.arctanh: (-0.9, 0.9),
    trigonometry.sinc: (-3, 3),
    trigonometry.deg2rad: (-180, 180),
    trigonometry.rad2deg: (-4, 4),
    rounding.floor: (-9, 9),
    rounding.ceil: (-9, 9),
}
KEEPING = {
    elementwise.absolute: (-3, 3),
    elementwise.negative: (-3, 3),
    elementwise.sign: (-3, 3),
    elementwise.square: (-3, 3),
    elementwise.nan_to_num: (-3, 3),
    elementwise.real: (-3, 3),
    elementwise.imag: (-3, 3),
    elementwise.conjugate: (-3, 3),
    rounding.trunc: (-9, 9),
    rounding.round: (-9, 9),
}
TESTS = (
    comparison.isfinite,
    comparison.isinf,
    comparison.isnan,
    comparison.isneginf,
    comparison.isposinf,
    comparison.isreal,
    comparison.signbit,
    comparison.logical_not,
)
COMPLEX = [
    elementwise.absolute,
    elementwise.angle,
    elementwise.conjugate,
    elementwise.exp,
    elementwise.expm1,
    elementwise.imag,
    elementwise.log,
    elementwise.log1p,
    elementwise.negative,
    elementwise.real,
    elementwise.sign,
    elementwise.sqrt,
    elementwise.square,
    elementwise.fabs,
    elementwise.nan_to_num,
    elementwise.reciprocal,
    elementwise.cbrt,
    trigonometry.sin,
    trigonometry.cos,
    trigonometry.tanh,
    trigonometry.arctan,
    trigonometry.arcsinh,
    trigonometry.sinc,
    rounding.floor,
    rounding.round,
    comparison.isnan,
    comparison.isposinf,
]
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.5, -3.5, 1e30], "float32")


def name_of(value) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize("function", [*FLOATING, *KEEPING, *TESTS], ids=name_of)
def test_values_and_dtypes_are_those_of_keras(function):
    low, high = {**FLOATING, **KEEPING}.get(function, (-3, 3))
    for dtype in ("float16", "float32") if function in FLOATING else COMPUTED:
        x = numbers(dtype, (16,), low, high)
        check_keras(function, np.concatenate([x, SPECIAL]) if dtype == "float32" else x)
    for arg in (
        *(struct(dtype) for dtype in DTYPES),
        struct("float32", ()),
        struct("float16", (2, 0, 3)),
        True,
        2,
        0.5,
    ):
        check_dtypes(function, arg)


@pytest.mark.parametrize("function", COMPLEX, ids=name_of)
def test_complex_numbers_are_treated_as_by_keras(function):
    check_keras(function, numbers("complex64", (4, 3)), tolerance=1e-5)


@pytest.mark.parametrize("function", [*FLOATING, *KEEPING], ids=name_of)
def test_float64_is_kept_and_equals_numpy(function):
    low, high = {**FLOATING, **KEEPING}[function]
    x = numbers("float64", (64,), low, high)
    references = {"i0": scipy.special.i0, "round": np.round}
    check_numpy(function, x, reference=references.get(function.__name__))


@pytest.mark.parametrize("function", [*KEEPING, *TESTS], ids=name_of)
def test_int64_is_kept(function):
    check_numpy(function, np.array([2**40 + 1, 3, 0, 2**33]))


@pytest.mark.parametrize("function", FLOATING, ids=name_of)
def test_int64_becomes_float32_in_floating_functions(function):
    dtype = "float64" if function is elementwise.i0 else "float32"
    assert function(from_host(np.array([1, 2]))).dtype == dtype


@pytest.mark.parametrize("function", [*FLOATING, *KEEPING], ids=name_of)
def test_gradients_are_those_of_keras(function):
    low, high = {**FLOATING, **KEEPING}[function]
    check_gradients(function, numbers("float32", (7,), low, high))


@pytest.mark.parametrize("function", [elementwise.sqrt, elementwise.absolute, elementwise.square, trigonometry.sinc])
def test_gradients_at_zero_are_those_of_keras(function):
    check_gradients(function, np.array([0.0, 1.0], "float32"))


@pytest.mark.parametrize("function", [*FLOATING, *KEEPING, *TESTS], ids=name_of)
def test_symbolic_shape_is_the_eager_one(function):
    check_symbolic(function, numbers("float32", (2, 3), 1.1, 1.2))


@pytest.mark.parametrize("decimals", [0, 1, 3])
@pytest.mark.parametrize("dtype", ["int32", "float32", "float16"])
def test_round_with_decimals(decimals, dtype):
    check_keras(rounding.round, (np.arange(-40, 50) * 1.35).astype(dtype), decimals=decimals)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
def test_round_to_tens_and_more_equals_numpy(dtype):
    """Exact, halves to even. (Keras goes through float32, and truncates: 4999 to thousands gives 4999.)"""
    limits = np.iinfo(dtype)
    x = np.array([0, 4, 5, 6, 14, 15, 25, 35, 45, 49, 50, 51, 95, -5, -15, -25, -50, -51, 1234, 2500, 3500, 4999])
    x = x[(x >= limits.min) & (x <= limits.max)].astype(dtype)
    for decimals in (-1, -2, -3, -11):
        check("round", "numpy", rounding.round(from_host(x), decimals), np.round(x, decimals))


def test_round_of_large_integers_is_exact():
    x = np.array([123456785, 123456795, -123456785, 123456789, 2**31 - 1000], "int32")
    expected = np.array([123456780, 123456800, -123456780, 123456790, 2147482650], "int32")
    check("round", "closed form", rounding.round(from_host(x), -1), expected)


def test_nan_to_num_with_other_replacements():
    check_keras(elementwise.nan_to_num, SPECIAL, nan=7.0, posinf=5.0, neginf=-4.0)
    check_keras(elementwise.nan_to_num, SPECIAL[:-1].astype("float16"), nan=1)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int32", "uint32"])
def test_bitwise_invert(dtype):
    check_keras(bitwise_invert, numbers(dtype, (4,), -100, 100))


def test_bitwise_invert_of_int64_and_of_floats():
    check_numpy(bitwise_invert, np.array([2**40, -1]))
    check_keras(bitwise_invert, np.ones(2, "float32"))


def test_aliases_are_the_same_function():
    assert elementwise.abs is elementwise.absolute
    assert elementwise.conj is elementwise.conjugate


def test_raw_arrays_give_raw_arrays():
    out = trigonometry.sin(jnp.ones(3))
    assert isinstance(out, jnp.ndarray)
    assert out.dtype == jnp.float32
