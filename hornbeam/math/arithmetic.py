"""Arithmetic, comparison and logic of two operands, elementwise."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam import ops
from hornbeam.base.errors import ShapeError
from hornbeam.core.door import op
from hornbeam.ops.promotion import promote
from hornbeam.tensors.face import face, tensor, tensors

__all__ = [
    "accumulate_n",
    "add",
    "add_n",
    "atan2",
    "clip_by_value",
    "divide",
    "divide_no_nan",
    "equal",
    "floordiv",
    "floormod",
    "greater",
    "greater_equal",
    "is_finite",
    "is_inf",
    "is_nan",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "multiply_no_nan",
    "nextafter",
    "not_equal",
    "pow",
    "scalar_mul",
    "squared_difference",
    "subtract",
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
        raise ValueError(
            f"tf.math.accumulate_n: inputs are of shape {tuple(total.shape)} and dtype {total.dtype.name}."
        )
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
