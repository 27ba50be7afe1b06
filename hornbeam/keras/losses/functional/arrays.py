"""What the functional losses share, on arrays: common dtype and rank, safe quotients, unit vectors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import settings, shapes
from hornbeam.base.errors import ShapeError, explain
from hornbeam.core.door import op

__all__ = [
    "Masked",
    "Pair",
    "divide_no_nan",
    "finite",
    "function_op",
    "narrowed",
    "pair",
    "smoothed",
    "squeeze_or_expand_to_same_rank",
    "unit_vectors",
    "working_dtype",
]


class Masked(NamedTuple):
    """Loss values with the mask of those that count."""

    values: Any
    mask: Any


class Pair(NamedTuple):
    """Labels and predictions in the dtype to compute in, and the dtype of the result."""

    y_true: Any
    y_pred: Any
    dtype: Any


def function_op(function: Callable | None = None, **options: Any) -> Any:
    """``op`` for functions that read epsilon or floatx: one op for each value of the two.

    They are read while the function is traced, so a compiled program keeps those of its first call. The function of
    arrays itself is the attribute ``array_form``.

    Args:
        function: function of arrays.
        **options: as for ``op``.
    """
    if function is None:
        return functools.partial(function_op, **options)

    @functools.lru_cache(maxsize=16)
    def made(epsilon: float, floatx: str) -> Callable:
        # A function object of its own: programs are kept by function.
        @functools.wraps(function)
        def own(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return op(own, **options)

    @functools.wraps(function)
    def door(*args: Any, **kwargs: Any) -> Any:
        return made(settings.epsilon(), settings.floatx())(*args, **kwargs)

    door.array_form = function  # type: ignore[attr-defined]
    return door


def working_dtype(dtype: Any) -> np.dtype:
    """Dtype to compute in: float32 for narrower floats and for integers, else the dtype itself.

    Sums and logarithms in 16 bits overflow at 65504 and cannot tell ``1 - 1e-7`` from 1.
    """
    dtype = np.dtype(dtype)
    wide_enough = jnp.issubdtype(dtype, jnp.inexact) and dtype.itemsize >= 4
    return dtype if wide_enough else np.dtype(np.float32)


def pair(y_true: Any, y_pred: Any, *, align: bool = True, owner: str = "loss") -> Pair:
    """Labels in the dtype of the predictions, ranks made equal, shapes checked.

    Args:
        y_true: labels.
        y_pred: predictions; integer predictions round the labels toward zero, as a cast does.
        align: squeeze or expand a last axis of size 1 where the ranks differ by one.
        owner: name for messages.

    Raises:
        ShapeError: the shapes do not broadcast.
    """
    y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
    inexact = jnp.issubdtype(y_pred.dtype, jnp.inexact)
    if not inexact:
        y_true = y_true.astype(y_pred.dtype)
    out = np.dtype(y_pred.dtype) if inexact else np.dtype(np.float32)
    work = working_dtype(out)
    y_true, y_pred = (jax.lax.convert_element_type(array, work) for array in (y_true, y_pred))
    if align:
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    try:
        shapes.broadcast(y_true.shape, y_pred.shape)
    except ShapeError as error:
        raise ShapeError(
            explain(
                f"{owner}: labels and predictions do not fit together.",
                expected="`y_true` and `y_pred` of equal shape",
                received=f"y_true of shape {y_true.shape}, y_pred of shape {y_pred.shape}",
                fix="check the size of the last layer, and the labels' form: one column per output, or class numbers "
                "with a sparse loss",
            )
        ) from error
    return Pair(y_true, y_pred, out)


def squeeze_or_expand_to_same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Make ranks that differ by one equal, where the longer shape ends in 1.

    Args:
        x1: first array.
        x2: second array.
        expand_rank_1: give a vector beside a column the axis of the column, instead of squeezing the column.
    """
    if x1.ndim == x2.ndim + 1 and x1.shape[-1] == 1:
        if x2.ndim == 1 and expand_rank_1:
            return x1, x2[:, None]
        return x1[..., 0], x2
    if x2.ndim == x1.ndim + 1 and x2.shape[-1] == 1:
        if x1.ndim == 1 and expand_rank_1:
            return x1[:, None], x2
        return x1, x2[..., 0]
    return x1, x2


def divide_no_nan(numerator: Any, denominator: Any) -> Any:
    """Quotient, 0 where the denominator is 0; the gradient is finite there too."""
    empty = denominator == 0
    return jnp.where(empty, 0, numerator / jnp.where(empty, 1, denominator))


def unit_vectors(x: Any, axis: Any) -> Any:
    """Vectors along ``axis`` scaled to length 1; those shorter than epsilon are divided by epsilon."""
    epsilon = settings.epsilon()
    square = jnp.sum(jnp.square(x), axis=axis, keepdims=True)
    long = square > epsilon * epsilon
    # The inner `where` keeps the gradient of a zero vector finite.
    return x * jnp.where(long, jax.lax.rsqrt(jnp.where(long, square, 1)), 1 / epsilon)


def finite(logits: Any) -> Any:
    """Infinite logits brought into range, so that ``inf - inf`` and ``0 * inf`` cannot arise."""
    limit = jnp.finfo(logits.dtype).max / 8
    return jnp.clip(logits, -limit, limit)


def narrowed(values: Any, dtype: Any) -> Any:
    """Values in the dtype of the result; those too large for 16 bits become its largest number instead of infinity."""
    if np.dtype(dtype) == np.float16:
        values = jnp.minimum(values, float(np.finfo(np.float16).max))
    return values.astype(dtype)


def smoothed(y_true: Any, label_smoothing: float, classes: int) -> Any:
    """Labels moved toward the uniform distribution over ``classes`` classes."""
    return y_true * (1.0 - label_smoothing) + label_smoothing / classes if label_smoothing else y_true
