"""Order statistics, counts in bins, correlation.

Every function matches the Keras ``ops`` function of its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from hornbeam.base import dtypes
from hornbeam.base.errors import NotSupportedError, TraceError, explain
from hornbeam.core.door import op
from hornbeam.core.symbolic import KerasTensor
from hornbeam.engine.jax_compat import Tracer
from hornbeam.ops.composite import composite
from hornbeam.ops.numpy.reduce import Axis, float_dtype
from hornbeam.ops.promotion import as_float, promote

__all__ = [
    "bincount",
    "corrcoef",
    "correlate",
    "digitize",
    "histogram",
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
    "searchsorted",
]


# --- order statistics ------------------------------------------------------------------------------
@op(static=("axis", "keepdims"))
def median(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Middle element along axes, or the mean of the two middle ones; nan if one is nan."""
    return jnp.median(as_float(x), axis=axis, keepdims=keepdims)


@op(static=("axis", "keepdims"))
def nanmedian(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """``median`` of the elements that are not nan."""
    return jnp.nanmedian(as_float(x), axis=axis, keepdims=keepdims)


@op(static=("axis", "method", "keepdims"), adapt=True)
def quantile(x: Array, q: Array, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Array:
    """Value below which the fraction ``q`` of the elements lies.

    Args:
        x: values.
        q: fractions from 0 to 1, a number or an array with one axis.
        axis: axes to reduce; None for all.
        method: what to take between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: keep reduced axes with size 1.

    Returns:
        Array with the axis of ``q`` (if it has one) in front of those of ``x`` that are left.
    """
    return _quantile(jnp.quantile, x, q, axis, method, keepdims)


@op(static=("axis", "method", "keepdims"), adapt=True)
def nanquantile(x: Array, q: Array, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Array:
    """``quantile`` of the elements that are not nan."""
    return _quantile(jnp.nanquantile, x, q, axis, method, keepdims)


@op(static=("axis", "method", "keepdims"), adapt=True)
def percentile(x: Array, q: Array, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Array:
    """``quantile`` with ``q`` in percent, from 0 to 100."""
    return _quantile(jnp.quantile, x, q, axis, method, keepdims, percent=True)


@op(static=("axis", "method", "keepdims"), adapt=True)
def nanpercentile(x: Array, q: Array, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Array:
    """``percentile`` of the elements that are not nan."""
    return _quantile(jnp.nanquantile, x, q, axis, method, keepdims, percent=True)


def _quantile(
    rule: Callable, x: Array, q: Array, axis: Axis, method: str, keepdims: bool, percent: bool = False
) -> Array:
    x = as_float(x)
    # Fractions become positions along the axis, which float16 could not count: float32 at least.
    (q,) = promote(q, at_least=dtypes.result_type(float_dtype(x), "float32"))
    return rule(x, q / 100 if percent else q, axis=axis, method=method, keepdims=keepdims)


# --- bins ------------------------------------------------------------------------------------------
@op(static=("bins", "range"))
def histogram(x: Array, bins: int = 10, range: tuple[float, float] | None = None) -> tuple[Array, Array]:
    """Numbers of elements in intervals of equal width.

    Args:
        x: values, one axis.
        bins: number of intervals.
        range: where the first interval begins and the last one ends (both included); default smallest and
            largest value. Elements outside are not counted.

    Returns:
        Counts of shape ``(bins,)`` and edges of shape ``(bins + 1,)``, both in the float dtype of ``x``.

    Raises:
        TypeError: ``bins`` is not an integer.
        ValueError: ``bins`` is negative, ``range`` is not an ascending pair, or ``x`` has several axes.
    """
    if not isinstance(bins, int):
        raise TypeError(explain("histogram(): `bins` is wrong.", expected="an integer", received=repr(bins)))
    if bins < 0:
        raise ValueError(explain("histogram(): `bins` is wrong.", expected="0 or more", received=bins))
    if range and (not isinstance(range, tuple) or len(range) != 2 or range[1] < range[0]):
        raise ValueError(explain("histogram(): `range` is wrong.", expected="a tuple (low, high)", received=range))
    if jnp.ndim(x) > 1:
        raise ValueError(explain("histogram(): `x` is wrong.", expected="one axis", received=f"shape {x.shape}"))
    x = as_float(x).reshape(-1)
    edges = jnp.histogram_bin_edges(x, bins=bins, range=range or None)
    place = jnp.where(x == edges[-1], bins, jnp.searchsorted(edges, x, side="right"))
    # Counted as integers: float16 could not count beyond 2048, bfloat16 not beyond 256.
    counts = jnp.zeros(bins + 1, jnp.int32).at[place].add(1, mode="drop")[1:]
    return counts.astype(x.dtype), edges


def _bincount_rule(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    _refuse_sparse(sparse)
    if not isinstance(x, KerasTensor):
        return None
    return KerasTensor((*x.shape[:-1], None), "int32" if weights is None else dtypes.as_dtype(weights))


@composite(rule=_bincount_rule)
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often each of the integers 0, 1, 2 ... occurs.

    Args:
        x: integers that are not negative, (values,) or (rows, values); rows are counted separately.
        weights: what each element counts, of the shape of ``x``; default 1.
        minlength: least length of the result.
        sparse: must be False.

    Returns:
        Counts of shape (length,) or (rows, length), where ``length`` is one more than the largest value;
        int32, or the dtype of ``weights``.

    Raises:
        TraceError: inside a compiled function, where the length of the result cannot be known.
        NotSupportedError: ``sparse`` is True; there are no sparse tensors.
    """
    _refuse_sparse(sparse)
    return _bincount(x, weights, minlength=minlength)


def _refuse_sparse(sparse: bool) -> None:
    if sparse:
        raise NotSupportedError(
            explain("bincount(): `sparse=True` is not offered, there are no sparse tensors.", fix="use sparse=False")
        )


@op(static=("minlength",), compiled=False)
def _bincount(x: Array, weights: Array | None, minlength: int) -> Array:
    if isinstance(x, Tracer):
        raise TraceError(
            explain(
                "bincount() cannot be compiled: the length of its result depends on the values.",
                fix="sum a one-hot encoding: ops.sum(ops.one_hot(x, length), axis=0), or call bincount eagerly",
            )
        )
    x = jnp.asarray(x)
    if x.dtype == bool:
        x = x.astype(jnp.int32)
    weights = jnp.ones(x.shape, jnp.int32) if weights is None else promote(weights)[0]
    length = max(int(x.max()) + 1 if x.size else 0, minlength)

    def count(row: Array, row_weights: Array) -> Array:
        return jnp.bincount(row, weights=row_weights, length=length)

    return jax.vmap(count)(x, weights) if x.ndim == 2 else count(x, weights)


@op(adapt=True)
def digitize(x: Array, bins: Array) -> Array:
    """Number of the bin that each element falls into, int32.

    Args:
        x: values.
        bins: edges, monotonic, one axis. Ascending: the answer ``i`` means ``bins[i - 1] <= x < bins[i]``;
            descending: ``bins[i - 1] > x >= bins[i]``.
    """
    values, edges = promote(x, bins)
    return jnp.digitize(values, edges).astype(jnp.int32)


@op(static=("side",), adapt=True)
def searchsorted(sorted_sequence: Array, values: Array, side: str = "left") -> Array:
    """Where to insert values into a sorted sequence so that it stays sorted, int32.

    Args:
        sorted_sequence: ascending numbers, one axis.
        values: numbers to insert.
        side: "left" or "right" of equal numbers.

    Raises:
        ValueError: ``sorted_sequence`` does not have one axis.
    """
    if sorted_sequence.ndim != 1:
        raise ValueError(
            explain(
                "searchsorted(): `sorted_sequence` is wrong.",
                expected="one axis",
                received=f"shape {sorted_sequence.shape}",
                fix="use keras.ops.vectorized_map to search several sequences",
            )
        )
    return jnp.searchsorted(*promote(sorted_sequence, values), side=side).astype(jnp.int32)


# --- correlation -----------------------------------------------------------------------------------
@op
def corrcoef(x: Array) -> Array:
    """Correlation coefficients of the rows of ``x``, (variables, observations) -> (variables, variables)."""
    return jnp.corrcoef(as_float(x))


@op(static=("mode",), adapt=True)
def correlate(x1: Array, x2: Array, mode: str = "valid") -> Array:
    """Cross-correlation ``c[k] = sum(x1[n + k] * conj(x2[n]))`` of two sequences.

    Args:
        x1: sequence, one axis.
        x2: sequence, one axis.
        mode: "valid" for full overlap only, "same" for the length of the longer one, "full" for any overlap.
    """
    left, right = promote(x1, x2, at_least=float)
    return jnp.correlate(left, right, mode)
