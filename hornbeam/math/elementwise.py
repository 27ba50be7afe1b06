"""Rounding, elementary functions and parts of numbers, elementwise."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.tensors.face import dtype_of, face, tensor, unwatched

__all__ = [
    "abs",
    "acos",
    "acosh",
    "angle",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "ceil",
    "conj",
    "cos",
    "cosh",
    "exp",
    "expm1",
    "floor",
    "imag",
    "log",
    "log1p",
    "negative",
    "real",
    "reciprocal",
    "reciprocal_no_nan",
    "rint",
    "round",
    "rsqrt",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
]


@face
def abs(x: Any, name: str | None = None) -> Any:
    """Absolute value; real, also of complex numbers."""
    return ops.absolute(x)


@face
def negative(x: Any, name: str | None = None) -> Any:
    """``-x``."""
    return ops.negative(x)


@face
def sign(x: Any, name: str | None = None) -> Any:
    """-1, 0 or 1; of a complex number the number of length 1 in its direction."""
    return ops.sign(x)


@face
def square(x: Any, name: str | None = None) -> Any:
    """``x * x``."""
    return ops.square(x)


@face
def sqrt(x: Any, name: str | None = None) -> Any:
    """Square root."""
    return ops.sqrt(x)


@face
def rsqrt(x: Any, name: str | None = None) -> Any:
    """One over the square root."""
    return ops.rsqrt(x)


@face
def reciprocal(x: Any, name: str | None = None) -> Any:
    """``1 / x``."""
    return ops.reciprocal(x)


@face
def reciprocal_no_nan(x: Any, name: str | None = None) -> Any:
    """``1 / x``, and 0 where ``x`` is 0."""
    x = tensor(x)
    return ops.divide_no_nan(ops.ones_like(x), x)


@face
def exp(x: Any, name: str | None = None) -> Any:
    """Exponential function."""
    return ops.exp(x)


@face
def expm1(x: Any, name: str | None = None) -> Any:
    """``exp(x) - 1``, accurate near 0."""
    return ops.expm1(x)


@face
def log(x: Any, name: str | None = None) -> Any:
    """Natural logarithm."""
    return ops.log(x)


@face
def log1p(x: Any, name: str | None = None) -> Any:
    """``log(1 + x)``, accurate near 0."""
    return ops.log1p(x)


@face
def sin(x: Any, name: str | None = None) -> Any:
    """Sine."""
    return ops.sin(x)


@face
def cos(x: Any, name: str | None = None) -> Any:
    """Cosine."""
    return ops.cos(x)


@face
def tan(x: Any, name: str | None = None) -> Any:
    """Tangent."""
    return ops.tan(x)


@face
def asin(x: Any, name: str | None = None) -> Any:
    """Inverse sine."""
    return ops.arcsin(x)


@face
def acos(x: Any, name: str | None = None) -> Any:
    """Inverse cosine."""
    return ops.arccos(x)


@face
def atan(x: Any, name: str | None = None) -> Any:
    """Inverse tangent."""
    return ops.arctan(x)


@face
def sinh(x: Any, name: str | None = None) -> Any:
    """Hyperbolic sine."""
    return ops.sinh(x)


@face
def cosh(x: Any, name: str | None = None) -> Any:
    """Hyperbolic cosine."""
    return ops.cosh(x)


@face
def tanh(x: Any, name: str | None = None) -> Any:
    """Hyperbolic tangent."""
    return ops.tanh(x)


@face
def asinh(x: Any, name: str | None = None) -> Any:
    """Inverse hyperbolic sine."""
    return ops.arcsinh(x)


@face
def acosh(x: Any, name: str | None = None) -> Any:
    """Inverse hyperbolic cosine."""
    return ops.arccosh(x)


@face
def atanh(x: Any, name: str | None = None) -> Any:
    """Inverse hyperbolic tangent."""
    return ops.arctanh(x)


@face
def ceil(x: Any, name: str | None = None) -> Any:
    """Smallest integer not below ``x``, in its dtype."""
    return _rounded(ops.ceil, x)


@face
def floor(x: Any, name: str | None = None) -> Any:
    """Largest integer not above ``x``, in its dtype."""
    return _rounded(ops.floor, x)


@face
def round(x: Any, name: str | None = None) -> Any:
    """Nearest integer in the dtype of ``x``; halves go to the even neighbour."""
    return _rounded(ops.round, x)


@face
def rint(x: Any, name: str | None = None) -> Any:
    """Nearest integer in the dtype of ``x``; halves go to the even neighbour."""
    return _rounded(ops.round, x)


def _rounded(function: Any, x: Any) -> Any:
    x = tensor(x)
    return ops.copy(x) if x.dtype.is_integer else unwatched(function, x)


@face
def real(input: Any, name: str | None = None) -> Any:
    """Real part."""
    return ops.real(input)


@face
def imag(input: Any, name: str | None = None) -> Any:
    """Imaginary part; 0 for real numbers."""
    return ops.imag(input)


@face
def conj(x: Any, name: str | None = None) -> Any:
    """Complex conjugate; real numbers stay as they are."""
    return ops.conj(x) if dtype_of(x).is_complex else ops.copy(tensor(x))


@face
def angle(input: Any, name: str | None = None) -> Any:
    """Angle of complex numbers in radians; of real ones 0 or pi."""
    return ops.angle(input)
