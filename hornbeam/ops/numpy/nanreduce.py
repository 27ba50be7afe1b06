"""Reductions that leave out nan. Dtypes, ``axis`` and ``keepdims`` are those of ``reduce``.

Every function matches the Keras ``ops`` function of its name.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from hornbeam.core.door import op
from hornbeam.ops.numpy.reduce import Axis, float_dtype, summed_dtype, wide_float
from hornbeam.ops.promotion import promote, to_dtype

__all__ = ["nanargmax", "nanargmin", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum", "nanvar"]


@op(static=("axis", "keepdims"))
def nansum(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Sum of the elements that are not nan."""
    return jnp.nansum(*promote(x), axis=axis, keepdims=keepdims, dtype=summed_dtype(x))


@op(static=("axis", "keepdims"))
def nanprod(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Product of the elements that are not nan."""
    return jnp.nanprod(*promote(x), axis=axis, keepdims=keepdims, dtype=summed_dtype(x))


@op(static=("axis", "keepdims"))
def nanmean(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Mean of the elements that are not nan; nan where all are."""
    return to_dtype(jnp.nanmean(wide_float(x), axis=axis, keepdims=keepdims), float_dtype(x))


@op(static=("axis", "keepdims"))
def nanvar(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Variance of the elements that are not nan; nan where all are. Real, also for complex numbers."""
    return to_dtype(jnp.nanvar(wide_float(x), axis=axis, keepdims=keepdims), float_dtype(x).real_dtype)


@op(static=("axis", "keepdims"))
def nanstd(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Standard deviation of the elements that are not nan; nan where all are. Real, also for complex numbers."""
    return to_dtype(jnp.nanstd(wide_float(x), axis=axis, keepdims=keepdims), float_dtype(x).real_dtype)


@op(static=("axis", "keepdims"))
def nanmax(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Largest element that is not nan; nan where all are."""
    return jnp.nanmax(*promote(x), axis=axis, keepdims=keepdims)


@op(static=("axis", "keepdims"))
def nanmin(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Smallest element that is not nan; nan where all are."""
    return jnp.nanmin(*promote(x), axis=axis, keepdims=keepdims)


@op(static=("axis", "keepdims"))
def nanargmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """Position of the largest element that is not nan, int32; -1 where all are nan."""
    return jnp.nanargmax(x, axis=axis, keepdims=keepdims).astype(jnp.int32)


@op(static=("axis", "keepdims"))
def nanargmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """Position of the smallest element that is not nan, int32; -1 where all are nan."""
    return jnp.nanargmin(x, axis=axis, keepdims=keepdims).astype(jnp.int32)
