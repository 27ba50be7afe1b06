"""Reductions along axes: sums, products, extremes, their positions, moments, truth.

``axis`` is an axis, a tuple of axes, or None for all of them; ``keepdims`` keeps reduced axes with size 1.

Dtypes: sums and products of bools and small signed integers are int32, of small unsigned ones uint32; means and
deviations of integers are float32; extremes keep the dtype; positions and counts are int32. Moments of float16
and bfloat16 are computed in float32 and rounded once, at the end.

Every function matches the Keras ``ops`` function of its name.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from hornbeam.base import dtypes
from hornbeam.core.door import op
from hornbeam.ops.promotion import as_float, kind_of, promote, result_dtype, to_dtype

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "average",
    "count_nonzero",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "ptp",
    "std",
    "sum",
    "var",
]

Axis = int | tuple[int, ...] | None
_SMALL = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}


def summed_dtype(x: Array, dtype: Any = None) -> Any:
    """NumPy dtype in which ``x`` is summed: the one asked for, or small integers widened to 32 bits.

    None for floats, where JAX then accumulates float16 and bfloat16 in float32.
    """
    if dtype is None:
        if jnp.issubdtype(x.dtype, jnp.inexact):
            return None
        dtype = result_dtype(x)
        dtype = _SMALL.get(dtype, dtype)
    return dtypes.as_dtype(dtype).as_numpy_dtype


def wide_float(x: Array) -> Array:
    """``x`` in the dtype its moments are computed in: float32 at least."""
    return promote(x, at_least="float32")[0]


def float_dtype(*operands: Array) -> dtypes.DType:
    """Common dtype of operands, floating at least."""
    return dtypes.result_type(*(kind_of(operand) for operand in operands), float)


# --- sums and products -----------------------------------------------------------------------------
@op(static=("axis", "keepdims"))
def sum(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Sum along axes; 0 where there is nothing to add."""
    return jnp.sum(*promote(x), axis=axis, keepdims=keepdims, dtype=summed_dtype(x))


@op(static=("axis", "keepdims", "dtype"))
def prod(x: Array, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Array:
    """Product along axes; 1 where there is nothing to multiply.

    Args:
        x: factors.
        axis: axes to reduce.
        keepdims: keep reduced axes with size 1.
        dtype: dtype of the result, in which the product is also computed.
    """
    return jnp.prod(*promote(x), axis=axis, keepdims=keepdims, dtype=summed_dtype(x, dtype))


@op(static=("axis", "keepdims"))
def logsumexp(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """``log(sum(exp(x)))`` along axes, without overflow."""
    return jax.scipy.special.logsumexp(as_float(x), axis=axis, keepdims=keepdims)


# --- means and deviations --------------------------------------------------------------------------
@op(static=("axis", "keepdims"))
def mean(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Arithmetic mean along axes; nan of nothing."""
    return to_dtype(jnp.mean(wide_float(x), axis=axis, keepdims=keepdims), float_dtype(x))


@op(static=("axis",), adapt=True)
def average(x: Array, axis: Axis = None, weights: Array | None = None) -> Array:
    """Weighted mean: ``sum(weights * x) / sum(weights)``.

    Args:
        x: values.
        axis: axis to reduce, None for all.
        weights: of the shape of ``x``, or one per position of ``axis``; None for equal weights.
    """
    if weights is None:
        return jnp.average(as_float(x), axis=axis)
    x, weights = promote(x, weights, at_least=float)
    return jnp.average(x, axis=axis, weights=weights)


@op(static=("axis", "keepdims"))
def var(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Mean squared distance from the mean (divided by the count, not by one less)."""
    return to_dtype(jnp.var(wide_float(x), axis=axis, keepdims=keepdims), float_dtype(x))


@op(static=("axis", "keepdims"))
def std(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Square root of ``var``; real, also for complex numbers. Its derivative is nan where all values are equal."""
    return to_dtype(jnp.std(wide_float(x), axis=axis, keepdims=keepdims), float_dtype(x).real_dtype)


# --- extremes --------------------------------------------------------------------------------------
@op(static=("axis", "keepdims", "initial"))
def max(x: Array, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Array:
    """Largest element along axes; nan if one is nan. Equal elements share the gradient.

    Args:
        x: values.
        axis: axes to reduce.
        keepdims: keep reduced axes with size 1.
        initial: the result is at least this number; needed for an array without elements.

    Raises:
        ValueError: no elements and no ``initial``.
    """
    return jnp.max(*promote(x), axis=axis, keepdims=keepdims, initial=initial)


@op(static=("axis", "keepdims", "initial"))
def min(x: Array, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Array:
    """Smallest element along axes; nan if one is nan. Equal elements share the gradient.

    Args:
        x: values.
        axis: axes to reduce.
        keepdims: keep reduced axes with size 1.
        initial: the result is at most this number; needed for an array without elements.

    Raises:
        ValueError: no elements and no ``initial``.
    """
    return jnp.min(*promote(x), axis=axis, keepdims=keepdims, initial=initial)


@op(static=("axis", "keepdims"))
def amax(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Largest element along axes; ``max`` without ``initial``."""
    return jnp.max(*promote(x), axis=axis, keepdims=keepdims)


@op(static=("axis", "keepdims"))
def amin(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Smallest element along axes; ``min`` without ``initial``."""
    return jnp.min(*promote(x), axis=axis, keepdims=keepdims)


@op(static=("axis", "keepdims"))
def ptp(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Largest element minus smallest ("peak to peak")."""
    return jnp.ptp(*promote(x), axis=axis, keepdims=keepdims)


@op(static=("axis", "keepdims"))
def argmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """Position of the largest element, int32: the first one of equals, or the first nan.

    Args:
        x: values.
        axis: axis to search; None for the flattened array.
        keepdims: keep the searched axes with size 1.
    """
    return jnp.argmax(_ordered(x), axis=axis, keepdims=keepdims).astype(jnp.int32)


@op(static=("axis", "keepdims"))
def argmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """Position of the smallest element, int32: the first one of equals, or the first nan.

    Args:
        x: values.
        axis: axis to search; None for the flattened array.
        keepdims: keep the searched axes with size 1.
    """
    return jnp.argmin(_ordered(x), axis=axis, keepdims=keepdims).astype(jnp.int32)


def _ordered(x: Array) -> Array:
    """Floats with negative ones that the processor takes for zero made comparable.

    XLA flushes subnormal numbers to zero on CPU, so that -1e-40 would tie with 0. As in Keras they, and -0.0
    (which cannot be told from them), count as the normal number next to zero (jax-ml/jax#24280).
    """
    if not jnp.issubdtype(x.dtype, jnp.floating) or x.ndim == 0 or jax.default_backend() != "cpu":
        return x
    x = wide_float(x)
    return jnp.where((x == 0) & jnp.signbit(x), -jnp.finfo(x.dtype).tiny, x)


# --- truth -----------------------------------------------------------------------------------------
@op(static=("axis", "keepdims"))
def all(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether all elements along axes are true (not 0); true of nothing."""
    return jnp.all(x, axis=axis, keepdims=keepdims)


@op(static=("axis", "keepdims"))
def any(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether an element along axes is true (not 0); false of nothing."""
    return jnp.any(x, axis=axis, keepdims=keepdims)


@op(static=("axis",))
def count_nonzero(x: Array, axis: Axis = None) -> Array:
    """Number of elements along axes that are not 0, int32."""
    return jnp.sum(x != 0, axis=axis, dtype=jnp.int32)
