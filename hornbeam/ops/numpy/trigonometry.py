"""Trigonometric and hyperbolic functions of one array; angles are in radians.

Floating and complex dtypes are kept, integers and bools become float32.
Every function matches the Keras ``ops`` function of its name.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from hornbeam.core.door import op
from hornbeam.ops.promotion import as_float

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "cos",
    "cosh",
    "deg2rad",
    "rad2deg",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
]


@op
def sin(x: Array) -> Array:
    """Sine."""
    return jnp.sin(as_float(x))


@op
def cos(x: Array) -> Array:
    """Cosine."""
    return jnp.cos(as_float(x))


@op
def tan(x: Array) -> Array:
    """Tangent."""
    return jnp.tan(as_float(x))


@op
def arcsin(x: Array) -> Array:
    """Inverse sine, from -pi/2 to pi/2; nan outside [-1, 1]."""
    return jnp.arcsin(as_float(x))


@op
def arccos(x: Array) -> Array:
    """Inverse cosine, from 0 to pi; nan outside [-1, 1]."""
    return jnp.arccos(as_float(x))


@op
def arctan(x: Array) -> Array:
    """Inverse tangent, from -pi/2 to pi/2."""
    return jnp.arctan(as_float(x))


@op
def sinh(x: Array) -> Array:
    """Hyperbolic sine."""
    return jnp.sinh(as_float(x))


@op
def cosh(x: Array) -> Array:
    """Hyperbolic cosine."""
    return jnp.cosh(as_float(x))


@op
def tanh(x: Array) -> Array:
    """Hyperbolic tangent."""
    return jnp.tanh(as_float(x))


@op
def arcsinh(x: Array) -> Array:
    """Inverse hyperbolic sine."""
    return jnp.arcsinh(as_float(x))


@op
def arccosh(x: Array) -> Array:
    """Inverse hyperbolic cosine, not negative; nan below 1."""
    return jnp.arccosh(as_float(x))


@op
def arctanh(x: Array) -> Array:
    """Inverse hyperbolic tangent; nan outside [-1, 1]."""
    return jnp.arctanh(as_float(x))


@op
def sinc(x: Array) -> Array:
    """``sin(pi x) / (pi x)``, and 1 at 0."""
    return jnp.sinc(as_float(x))


@op
def deg2rad(x: Array) -> Array:
    """Degrees turned into radians."""
    return jnp.deg2rad(as_float(x))


@op
def rad2deg(x: Array) -> Array:
    """Radians turned into degrees."""
    return jnp.rad2deg(as_float(x))
