"""Arithmetic, comparison, logic, rounding and elementary functions, elementwise."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam import ops
from hornbeam.base.errors import ShapeError
from hornbeam.core.door import op
from hornbeam.ops.promotion import promote
from hornbeam.tensors.face import dtype_of, face, tensor, tensors, unwatched

__all__ = [
    "abs",
    "accumulate_n",
    "acos",
    "acosh",
    "add",
    "add_n",
    "angle",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "ceil",
    "clip_by_value",
    "conj",
    "cos",
    "cosh",
    "divide",
    "divide_no_nan",
    "equal",
    "exp",
    "expm1",
    "floor",
    "floordiv",
    "floormod",
    "greater",
    "greater_equal",
    "imag",
    "is_finite",
    "is_inf",
    "is_nan",
    "less",
    "less_equal",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "multiply_no_nan",
    "negative",
    "nextafter",
    "not_equal",
    "pow",
    "real",
    "reciprocal",
    "reciprocal_no_nan",
    "rint",
    "round",
    "rsqrt",
    "scalar_mul",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "squared_difference",
    "subtract",
    "tan",
    "tanh",
    "truediv",
    "truncatediv",
    "truncatemod",
]

_NARROW = frozenset({"int8", "uint8", "int16", "uint16", "bool"})


# --- two operands --------------------------------------------------------------------------------
@face
def add(x: Any, y: Any, name: str | None = None) -> Any:
    """Sum."""
    return ops.add(x, y)


@face
def subtract(x: Any, y: Any, name: str | None = None) -> Any:
    """Difference."""
    return ops.subtract(x, y)


@face
def multiply(x: Any, y: Any, name: str | None = None) -> Any:
    """Product."""
    return ops.multiply(x, y)


@face
def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """Product of a number and a tensor."""
    return ops.multiply(x, scalar)


@face
def truediv(x: Any, y: Any, name: str | None = None) -> Any:
    """True quotient; of 8 and 16 bit integers float32, of wider ones float64."""
    x, y = tensors(x, y)
    if all(kind.is_integer or kind.is_bool for kind in (x.dtype, y.dtype)):
        wide = not {x.dtype, y.dtype} <= _NARROW
        x, y = (ops.cast(item, "float64" if wide else "float32") for item in (x, y))
    return ops.divide(x, y)


divide = truediv


@face
def divide_no_nan(x: Any, y: Any, name: str | None = None) -> Any:
    """True quotient, and 0 where the divisor is 0."""
    return ops.divide_no_nan(x, y)


@face
def multiply_no_nan(x: Any, y: Any, name: str | None = None) -> Any:
    """Product, and 0 where ``y`` is 0, even if ``x`` is infinite or nan."""
    x, y = tensors(x, y)
    return ops.where(ops.equal(y, 0), ops.zeros_like(ops.multiply(x, y)), ops.multiply(x, y))


@face
def floordiv(x: Any, y: Any, name: str | None = None) -> Any:
    """Largest integer not above the quotient."""
    return ops.floor_divide(x, y)


@face
def floormod(x: Any, y: Any, name: str | None = None) -> Any:
    """Remainder with the sign of the divisor."""
    return ops.mod(x, y)


mod = floormod


@op(adapt=True)
def _truncatediv(x: Any, y: Any) -> Any:
    x, y = promote(x, y)
    return jax.lax.div(*jnp.broadcast_arrays(x, y)) if x.dtype.kind in "iu" else jnp.trunc(x / y)


@face
def truncatediv(x: Any, y: Any, name: str | None = None) -> Any:
    """Quotient cut off towards zero."""
    return _truncatediv(x, y)


@face
def truncatemod(x: Any, y: Any, name: str | None = None) -> Any:
    """Remainder with the sign of ``x``."""
    return ops.fmod(x, y)


@face
def pow(x: Any, y: Any, name: str | None = None) -> Any:
    """``x`` raised to the power ``y``."""
    return ops.power(x, y)


@face
def maximum(x: Any, y: Any, name: str | None = None) -> Any:
    """Larger operand."""
    return ops.maximum(x, y)


@face
def minimum(x: Any, y: Any, name: str | None = None) -> Any:
    """Smaller operand."""
    return ops.minimum(x, y)


@face
def squared_difference(x: Any, y: Any, name: str | None = None) -> Any:
    """``(x - y)**2``; of complex numbers the squared distance."""
    difference = ops.subtract(x, y)
    return ops.multiply(ops.conj(difference), difference) if difference.dtype.is_complex else ops.square(difference)


@face
def atan2(y: Any, x: Any, name: str | None = None) -> Any:
    """Angle of the point ``(x, y)``, in radians from -pi to pi."""
    return ops.arctan2(y, x)


@face
def nextafter(x1: Any, x2: Any, name: str | None = None) -> Any:
    """Neighbour of ``x1`` among the numbers of its dtype, on the side of ``x2``."""
    return ops.nextafter(x1, x2)


@face
def add_n(inputs: Any, name: str | None = None) -> Any:
    """Sum of a list of tensors of one shape."""
    parts = tensors(*inputs) if isinstance(inputs, (list, tuple)) else [tensor(inputs)]
    if not parts:
        raise ValueError("tf.add_n: the list of inputs must not be empty.")
    if len({tuple(part.shape) for part in parts}) > 1:
        raise ShapeError(f"tf.add_n: inputs must have one shape, received {[tuple(part.shape) for part in parts]}.")
    return functools.reduce(ops.add, parts)


def accumulate_n(inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Any:
    """``add_n``; ``shape`` and ``tensor_dtype`` are checked.

    Raises:
        ValueError: the inputs have another shape or dtype.
    """
    total = add_n(inputs)
    if (shape is not None and tuple(shape) != tuple(total.shape)) or (
        tensor_dtype is not None and total.dtype != tensor_dtype
    ):
        raise ValueError(f"tf.math.accumulate_n: inputs are of shape {tuple(total.shape)} and dtype {total.dtype.name}.")
    return total


@face
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """Values limited to an interval, in their own dtype."""
    t = tensor(t)
    return ops.clip(t, *(tensor(bound, t.dtype) for bound in (clip_value_min, clip_value_max)))


# --- comparison and logic ------------------------------------------------------------------------
@face(strings=("x", "y"), decode=False)
def equal(x: Any, y: Any, name: str | None = None) -> Any:
    """Whether operands are equal."""
    return ops.equal(x, y)


@face(strings=("x", "y"), decode=False)
def not_equal(x: Any, y: Any, name: str | None = None) -> Any:
    """Whether operands differ."""
    return ops.not_equal(x, y)


@face
def less(x: Any, y: Any, name: str | None = None) -> Any:
    """Whether ``x < y``."""
    return ops.less(x, y)


@face
def less_equal(x: Any, y: Any, name: str | None = None) -> Any:
    """Whether ``x <= y``."""
    return ops.less_equal(x, y)


@face
def greater(x: Any, y: Any, name: str | None = None) -> Any:
    """Whether ``x > y``."""
    return ops.greater(x, y)


@face
def greater_equal(x: Any, y: Any, name: str | None = None) -> Any:
    """Whether ``x >= y``."""
    return ops.greater_equal(x, y)


@face
def logical_and(x: Any, y: Any, name: str | None = None) -> Any:
    """Whether both are true."""
    return ops.logical_and(x, y)


@face
def logical_or(x: Any, y: Any, name: str | None = None) -> Any:
    """Whether at least one is true."""
    return ops.logical_or(x, y)


@face
def logical_xor(x: Any, y: Any, name: str | None = "LogicalXor") -> Any:
    """Whether exactly one is true."""
    return ops.logical_xor(x, y)


@face
def logical_not(x: Any, name: str | None = None) -> Any:
    """Whether it is false."""
    return ops.logical_not(x)


@face
def is_nan(x: Any, name: str | None = None) -> Any:
    """Whether it is nan."""
    return ops.isnan(x)


@face
def is_inf(x: Any, name: str | None = None) -> Any:
    """Whether it is infinite."""
    return ops.isinf(x)


@face
def is_finite(x: Any, name: str | None = None) -> Any:
    """Whether it is neither infinite nor nan."""
    return ops.isfinite(x)


# --- one operand ---------------------------------------------------------------------------------
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
