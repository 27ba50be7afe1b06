"""Functions of one array: sign and magnitude, powers and roots, exponentials and logarithms, complex parts.

Floating and complex dtypes are kept. Functions whose values are not integers make float32 of integers and
bools (``sqrt``, ``exp``, ``log`` ...); the others keep them (``negative``, ``absolute``, ``sign`` ...).

Every function matches the Keras ``ops`` function of its name.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from hornbeam.core.door import op
from hornbeam.ops.promotion import as_float, kind_of, promote

__all__ = [
    "abs",
    "absolute",
    "angle",
    "cbrt",
    "conj",
    "conjugate",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "i0",
    "imag",
    "log",
    "log1p",
    "log2",
    "log10",
    "nan_to_num",
    "negative",
    "real",
    "reciprocal",
    "sign",
    "sqrt",
    "square",
]


# --- sign and magnitude ----------------------------------------------------------------------------
@op
def absolute(x: Array) -> Array:
    """Distance from zero; of complex numbers the (real) modulus."""
    return jnp.absolute(*promote(x))


abs = absolute


@op
def fabs(x: Array) -> Array:
    """Absolute value as a floating number.

    Raises:
        TypeError: ``x`` is complex.
    """
    return jnp.fabs(as_float(x))


@op
def negative(x: Array) -> Array:
    """``-x``; unsigned integers wrap around.

    Raises:
        TypeError: ``x`` holds bools; use ``logical_not``.
    """
    return jnp.negative(*promote(x))


@op
def sign(x: Array) -> Array:
    """-1, 0 or 1 in the dtype of ``x``; ``x / |x|`` for complex numbers."""
    return jnp.sign(*promote(x))


@op
def nan_to_num(
    x: Array, nan: Array | float = 0.0, posinf: Array | float | None = None, neginf: Array | float | None = None
) -> Array:
    """Put finite numbers in place of nan and infinities.

    Args:
        x: values; integers and bools are returned as they are.
        nan: what replaces nan.
        posinf: what replaces infinity; default the largest finite number of the dtype.
        neginf: what replaces minus infinity; default the smallest finite number of the dtype.
    """
    return jnp.nan_to_num(promote(x)[0], nan=nan, posinf=posinf, neginf=neginf)


# --- powers and roots ------------------------------------------------------------------------------
@op
def square(x: Array) -> Array:
    """``x * x``; bools count as int32."""
    return jnp.square(*promote(x, at_least=int))


@op
def sqrt(x: Array) -> Array:
    """Square root; nan for negative numbers. Its derivative at 0 is infinite."""
    return jnp.sqrt(as_float(x))


@op
def cbrt(x: Array) -> Array:
    """Real cube root, also of negative numbers."""
    return jnp.cbrt(as_float(x))


@op
def reciprocal(x: Array) -> Array:
    """``1 / x``."""
    return jnp.reciprocal(as_float(x))


# --- exponentials and logarithms -------------------------------------------------------------------
@op
def exp(x: Array) -> Array:
    """``e**x``."""
    return jnp.exp(as_float(x))


@op
def exp2(x: Array) -> Array:
    """``2**x``."""
    return jnp.exp2(as_float(x))


@op
def expm1(x: Array) -> Array:
    """``exp(x) - 1``, exact near 0."""
    return jnp.expm1(as_float(x))


@op
def log(x: Array) -> Array:
    """Natural logarithm; minus infinity at 0, nan below."""
    return jnp.log(as_float(x))


@op
def log1p(x: Array) -> Array:
    """``log(1 + x)``, exact near 0."""
    return jnp.log1p(as_float(x))


@op
def log2(x: Array) -> Array:
    """Logarithm to the base 2."""
    return jnp.log2(as_float(x))


@op
def log10(x: Array) -> Array:
    """Logarithm to the base 10."""
    return jnp.log10(as_float(x))


@op
def i0(x: Array) -> Array:
    """The modified Bessel function ``I_0``; int64 becomes float64."""
    return jnp.i0(*promote(x, at_least="float64" if kind_of(x) == "int64" else float))


# --- complex numbers -------------------------------------------------------------------------------
@op
def real(x: Array) -> Array:
    """Real part; real arrays are returned as they are."""
    return jnp.real(*promote(x))


@op
def imag(x: Array) -> Array:
    """Imaginary part; zeros for real arrays."""
    return jnp.imag(*promote(x))


@op
def conjugate(x: Array) -> Array:
    """Complex conjugate; real arrays are returned as they are."""
    return jnp.conjugate(*promote(x))


conj = conjugate


@op
def angle(x: Array) -> Array:
    """Argument of complex numbers in radians, from -pi to pi; 0 or pi for real ones."""
    return jnp.angle(as_float(x))
