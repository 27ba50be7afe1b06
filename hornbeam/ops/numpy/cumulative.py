"""Running sums and products, differences, and the trapezoidal rule.

Every function matches the Keras ``ops`` function of its name.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from hornbeam.base import dtypes
from hornbeam.core.door import op
from hornbeam.ops.promotion import promote

__all__ = ["cumprod", "cumsum", "diff", "nancumprod", "nancumsum", "trapezoid"]


def _running_dtype(x: Array, dtype: Any) -> Any:
    """NumPy dtype of a running sum: the one asked for, int32 for bools, None for that of ``x``."""
    if dtype is None:
        return jnp.int32 if x.dtype == bool else None
    return dtypes.as_dtype(dtype).as_numpy_dtype


@op(static=("axis", "dtype"))
def cumsum(x: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """Running sum.

    Args:
        x: numbers.
        axis: axis to run along; None for the flattened array.
        dtype: dtype of the result; default that of ``x``, int32 for bools.
    """
    return jnp.cumsum(*promote(x), axis=axis, dtype=_running_dtype(x, dtype))


@op(static=("axis", "dtype"))
def cumprod(x: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """Running product.

    Args:
        x: numbers.
        axis: axis to run along; None for the flattened array.
        dtype: dtype of the result; default that of ``x``, int32 for bools.
    """
    return jnp.cumprod(*promote(x), axis=axis, dtype=_running_dtype(x, dtype))


@op(static=("axis", "dtype"))
def nancumsum(x: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """Running sum in which nan counts as 0; the arguments are those of ``cumsum``."""
    return jnp.nancumsum(*promote(x), axis=axis, dtype=_running_dtype(x, dtype))


@op(static=("axis", "dtype"))
def nancumprod(x: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """Running product in which nan counts as 1; the arguments are those of ``cumprod``."""
    return jnp.nancumprod(*promote(x), axis=axis, dtype=_running_dtype(x, dtype))


@op(static=("n", "axis"))
def diff(a: Array, n: int = 1, axis: int = -1) -> Array:
    """Differences of neighbours, ``a[i + 1] - a[i]``, taken ``n`` times; of bools whether they differ.

    Args:
        a: values.
        n: how often; each time shortens the axis by one.
        axis: axis along which neighbours lie.
    """
    return jnp.diff(*promote(a), n=n, axis=axis)


@op(static=("axis",), adapt=True)
def trapezoid(y: Array, x: Array | None = None, dx: Array | float = 1.0, axis: int = -1) -> Array:
    """Integral of sampled values by the trapezoidal rule.

    Args:
        y: values.
        x: where they were taken: of the shape of ``y``, or one per position of ``axis``.
        dx: distance of the samples, if ``x`` is None.
        axis: axis to integrate along.
    """
    if x is None:
        y, dx = promote(y, dx, at_least=float)
        return jnp.trapezoid(y, dx=dx, axis=axis)
    y, x = promote(y, x, at_least=float)
    return jnp.trapezoid(y, x, axis=axis)
