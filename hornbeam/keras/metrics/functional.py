"""Functions of labels and predictions that only metrics use: accuracies and correlations, each one op."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import dtypes, settings
from hornbeam.keras.losses.functional.arrays import (
    function_op,
    pair,
    squeeze_or_expand_to_same_rank,
    unit_vectors,
    working_dtype,
)

__all__ = [
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "concordance_correlation",
    "cosine",
    "pearson_correlation",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]


def _ones_and_zeros(matches: Any) -> Any:
    return matches.astype(np.dtype(dtypes.as_dtype(settings.floatx()).as_numpy_dtype))


def _whole_labels(y_true: Any) -> Any:
    """Class numbers in a dtype that holds them exactly beside an ``argmax``."""
    y_true = jnp.asarray(y_true)
    if jnp.issubdtype(y_true.dtype, jnp.inexact):
        return y_true.astype(working_dtype(y_true.dtype))
    return y_true.astype(jnp.int32)


@function_op(adapt=True)
def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where labels and predictions are equal, 0 elsewhere.

    Args:
        y_true: labels.
        y_pred: predictions of that shape.
    """
    y_pred = jnp.asarray(y_pred)
    y_true, y_pred = squeeze_or_expand_to_same_rank(jnp.asarray(y_true).astype(y_pred.dtype), y_pred)
    return _ones_and_zeros(y_true == y_pred)


@function_op(static=("threshold",))
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where a prediction lies on its label's side of the threshold.

    Args:
        y_true: labels 0 and 1.
        y_pred: predictions.
        threshold: predictions above it count as 1.

    References: Keras ``metrics.binary_accuracy``.
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(jnp.asarray(y_true), jnp.asarray(y_pred))
    positive = y_pred.astype(working_dtype(y_pred.dtype)) > threshold
    return _ones_and_zeros(y_true == positive.astype(y_true.dtype))


@function_op
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction stands at the label's class.

    Args:
        y_true: one-hot labels, (batch, ..., classes).
        y_pred: predictions of that shape.

    References: Keras ``metrics.categorical_accuracy``.
    """
    labels, y_pred = jnp.argmax(jnp.asarray(y_true), axis=-1).astype(jnp.int32), jnp.asarray(y_pred)
    shape = labels.shape
    if labels.ndim == y_pred.ndim:
        labels = jnp.squeeze(labels, -1)
    matches = _ones_and_zeros(labels == jnp.argmax(y_pred, axis=-1).astype(jnp.int32))
    return matches.reshape(shape) if len(shape) == y_pred.ndim else matches


@function_op
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction stands at the label's class.

    Args:
        y_true: class numbers, (batch, ...) or (batch, ..., 1).
        y_pred: predictions, (batch, ..., classes).

    References: Keras ``metrics.sparse_categorical_accuracy``.
    """
    labels, y_pred = _whole_labels(y_true), jnp.asarray(y_pred)
    shape = labels.shape
    column = labels.ndim == y_pred.ndim and shape[-1] == 1
    if column:
        labels = labels[..., 0]
    matches = _ones_and_zeros(labels == jnp.argmax(y_pred, axis=-1).astype(labels.dtype))
    if column:
        matches = matches.reshape(shape)
    return matches[..., 0] if matches.ndim > 1 and matches.shape[-1] == 1 else matches


def _in_top_k(labels: Any, y_pred: Any, k: int) -> Any:
    """True where fewer than ``k`` predictions are above that of the label; an unknown class is never among them."""
    labels = labels.astype(jnp.int32)[:, None]
    classes = y_pred.shape[-1]
    known = (labels >= 0) & (labels < classes)
    own = jnp.take_along_axis(y_pred, jnp.where(known, labels, 0), axis=-1)
    rank = 1 + jnp.sum(y_pred > own, axis=-1, dtype=jnp.int32)
    return (rank <= k) & known[:, 0] & ~jnp.isnan(own[:, 0])


@function_op(static=("k",))
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the label's class is among the ``k`` largest predictions.

    Args:
        y_true: one-hot labels, (batch, ..., classes).
        y_pred: predictions of that shape.
        k: how many count.

    References: Keras ``metrics.top_k_categorical_accuracy``.
    """
    labels, y_pred = jnp.argmax(jnp.asarray(y_true), axis=-1), jnp.asarray(y_pred)
    matches = _in_top_k(labels.reshape(-1), y_pred.reshape(-1, y_pred.shape[-1]), k)
    return _ones_and_zeros(matches).reshape(labels.shape)


@function_op(static=("k", "from_sorted_ids"))
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """1 where the label's class is among the ``k`` largest predictions.

    Args:
        y_true: class numbers, (batch, ...).
        y_pred: predictions, (batch, ..., classes); or with ``from_sorted_ids`` class numbers, the likeliest first.
        k: how many count.
        from_sorted_ids: whether ``y_pred`` are class numbers.

    References: Keras ``metrics.sparse_top_k_categorical_accuracy``.
    """
    labels, y_pred = _whole_labels(y_true), jnp.asarray(y_pred)
    shape = labels.shape
    flat, rows = labels.reshape(-1), y_pred.reshape(-1, y_pred.shape[-1])
    if from_sorted_ids:
        matches = jnp.any(flat.astype(rows.dtype)[:, None] == rows[:, :k], axis=1)
    else:
        matches = _in_top_k(flat, rows, k)
    return _ones_and_zeros(matches).reshape(shape)


@function_op(static=("axis",), adapt=True)
def cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Cosine of the angle between labels and predictions.

    Args:
        y_true: labels.
        y_pred: predictions of that shape.
        axis: axis of the vectors' components.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, owner="cosine_similarity")
    return jnp.sum(unit_vectors(y_true, axis) * unit_vectors(y_pred, axis), axis=axis).astype(dtype)


@function_op(static=("axis",), adapt=True)
def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Pearson's correlation coefficient along ``axis``; NaN where one side is constant.

    Args:
        y_true: labels.
        y_pred: predictions of that shape.
        axis: axis of the observations.

    References: Keras ``metrics.pearson_correlation``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, owner="pearson_correlation")
    parts = [array - jnp.mean(array, axis=axis, keepdims=True) for array in (y_true, y_pred)]
    a, b = (part / jnp.std(part, axis=axis, keepdims=True) for part in parts)
    return jnp.mean(a * b, axis=axis).astype(dtype)


@function_op(static=("axis",), adapt=True)
def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Lin's concordance: ``2 * covariance / (var(y_true) + var(y_pred) + (difference of means)**2)``.

    Args:
        y_true: labels.
        y_pred: predictions of that shape.
        axis: axis of the observations.

    References: Keras ``metrics.concordance_correlation``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, owner="concordance_correlation")
    mean_true, mean_pred = (jnp.mean(array, axis=axis, keepdims=True) for array in (y_true, y_pred))
    spread = jnp.var(y_true, axis=axis, keepdims=True) + jnp.var(y_pred, axis=axis, keepdims=True)
    # Keras subtracts the mean of the predictions from both sides; the mean product is the covariance all the same.
    covariance = (y_true - mean_pred) * (y_pred - mean_pred)
    spread = spread + jax.lax.integer_pow(mean_true - mean_pred, 2)
    return jnp.mean(2.0 * covariance / (spread + settings.epsilon()), axis=axis).astype(dtype)
