"""Cross-entropies: from probabilities as Keras defines them (clipped to [epsilon, 1 - epsilon]), or from logits."""

from __future__ import annotations

import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import settings
from hornbeam.base.errors import ShapeError, explain
from hornbeam.core.tensor import Tensor
from hornbeam.keras.losses.functional.arrays import Masked, finite, function_op, narrowed, pair, smoothed, working_dtype

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_generalized_cross_entropy",
    "check_labels",
    "sparse_categorical_crossentropy",
]


def same_shape(y_true: Any, y_pred: Any, owner: str) -> None:
    """Raise unless labels and predictions have one shape."""
    if y_true.shape != y_pred.shape:
        raise ShapeError(
            explain(
                f"{owner}: labels and predictions must have the same shape.",
                expected=f"`y_true` of shape {y_pred.shape}, as `y_pred`",
                received=f"y_true of shape {y_true.shape}",
                fix="one-hot labels go with categorical_crossentropy, class numbers with "
                "sparse_categorical_crossentropy",
            )
        )


def check_axis(axis: Any) -> None:
    """Refuse a bool: it is a number to Python, but no axis."""
    if isinstance(axis, bool):
        raise ValueError(f"`axis` takes an int, not a bool. Received: axis={axis}")


def warn_single_class(y_pred: Any, owner: str) -> None:
    """A softmax over one class is always 1: say so."""
    if y_pred.shape[-1] == 1:
        warnings.warn(
            f"{owner} needs one column per class, but y_pred has the shape {y_pred.shape}, a single column. "
            "For two classes use 'binary_crossentropy'.",
            SyntaxWarning,
            stacklevel=2,
        )


def probabilities(y_pred: Any, axis: int) -> Any:
    """Predictions scaled to sum 1 and clipped; a row of zeros stays zeros before the clipping."""
    total = jnp.sum(y_pred, axis=axis, keepdims=True)
    y_pred = y_pred / jnp.where(total == 0, 1, total)
    return jnp.clip(y_pred, settings.epsilon(), 1.0 - settings.epsilon())


def binary_values(y_true: Any, y_pred: Any, from_logits: bool) -> Any:
    """Binary cross-entropy of each element."""
    if from_logits:
        y_pred = finite(y_pred)
        return jnp.maximum(y_pred, 0) - y_pred * y_true + jnp.log1p(jnp.exp(-jnp.abs(y_pred)))
    y_pred = jnp.clip(y_pred, settings.epsilon(), 1.0 - settings.epsilon())
    return -(y_true * jnp.log(y_pred) + (1.0 - y_true) * jnp.log(1.0 - y_pred))


@function_op(static=("from_logits", "label_smoothing", "axis"), adapt=True)
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """Mean of ``-y_true * log(p) - (1 - y_true) * log(1 - p)`` over ``axis``.

    Args:
        y_true: labels in [0, 1].
        y_pred: probabilities in [0, 1], or logits; the shape of ``y_true``.
        from_logits: whether ``y_pred`` are logits.
        label_smoothing: in [0, 1]; share of each label that is replaced by 0.5.
        axis: axis of the outputs over which the mean goes.

    Raises:
        ShapeError: the shapes differ.

    References: Keras ``losses.binary_crossentropy``.
    """
    y_true, y_pred, dtype = pair(y_true, y_pred, align=False, owner="binary_crossentropy")
    same_shape(y_true, y_pred, "binary_crossentropy")
    y_true = smoothed(y_true, label_smoothing, 2)
    return narrowed(jnp.mean(binary_values(y_true, y_pred, from_logits), axis=axis), dtype)


@function_op(static=("from_logits", "label_smoothing", "axis"), adapt=True)
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """``-sum(y_true * log(p))`` over the classes.

    Args:
        y_true: one-hot labels or probabilities, (batch, ..., classes).
        y_pred: probabilities (scaled to sum 1), or logits; the shape of ``y_true``.
        from_logits: whether ``y_pred`` are logits.
        label_smoothing: in [0, 1]; share of each label that is spread evenly over the classes.
        axis: axis of the classes.

    Raises:
        ShapeError: the shapes differ.

    References: Keras ``losses.categorical_crossentropy``.
    """
    check_axis(axis)
    y_true, y_pred, dtype = pair(y_true, y_pred, align=False, owner="categorical_crossentropy")
    same_shape(y_true, y_pred, "categorical_crossentropy")
    warn_single_class(y_pred, "categorical_crossentropy")
    y_true = smoothed(y_true, label_smoothing, y_true.shape[-1])
    if from_logits:
        log_p = jax.nn.log_softmax(finite(y_pred), axis=axis)
    else:
        log_p = jnp.log(probabilities(y_pred, axis))
    return narrowed(-jnp.sum(y_true * log_p, axis=axis), dtype)


def _sparse_labels(y_true: Any, y_pred: Any, axis: int) -> Any:
    """Class numbers as int32, one per prediction row."""
    if y_true.ndim == y_pred.ndim and y_true.shape[axis] == 1:
        y_true = jnp.squeeze(y_true, axis=axis)
    elif y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = y_true[..., 0]
    rows = tuple(np.delete(y_pred.shape, axis).tolist())
    if y_true.shape != rows:
        raise ShapeError(
            explain(
                "sparse_categorical_crossentropy: labels and predictions must have the same shape but for the classes.",
                expected=f"`y_true` of shape {rows}, one class number for each row of `y_pred`",
                received=f"y_true of shape {y_true.shape}, y_pred of shape {y_pred.shape}",
                fix="where the model should give one row of classes per sample, put Flatten or a global pooling layer "
                "before the last Dense layer; one-hot labels go with categorical_crossentropy",
            )
        )
    return y_true.astype(jnp.int32)


def sparse_values(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """Array form of ``sparse_categorical_crossentropy``; ``Masked`` if a class is ignored."""
    y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
    if y_pred.ndim < 1:
        raise ShapeError(f"Argument `y_pred` must be at least rank 1. Received: y_pred.shape={y_pred.shape}")
    dtype = y_pred.dtype if jnp.issubdtype(y_pred.dtype, jnp.inexact) else jnp.dtype(jnp.float32)
    y_pred = y_pred.astype(working_dtype(dtype))
    labels = _sparse_labels(y_true, y_pred, axis)
    classes = y_pred.shape[axis]
    # A class number that does not exist has the one-hot row 0, hence the loss 0.
    known = (labels >= 0) & (labels < classes)
    valid = None
    if ignore_class is not None:
        valid = labels != int(ignore_class)
        known = known & valid
    index = jnp.expand_dims(jnp.where(known, labels, 0), axis)
    if from_logits:
        log_p = _picked(jax.nn.log_softmax(finite(y_pred), axis=axis), index, axis)
    else:
        total = jnp.sum(y_pred, axis=axis)
        p = _picked(y_pred, index, axis) / jnp.where(total == 0, 1, total)
        log_p = jnp.log(jnp.clip(p, settings.epsilon(), 1.0 - settings.epsilon()))
    values = narrowed(jnp.where(known, -log_p, 0), dtype)
    return values if valid is None else Masked(values, valid)


def _picked(array: Any, index: Any, axis: int) -> Any:
    return jnp.squeeze(jnp.take_along_axis(array, index, axis=axis), axis=axis)


_sparse = function_op(sparse_values, static=("from_logits", "ignore_class", "axis"))


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """``-log(p[y_true])``, for labels that are class numbers.

    Args:
        y_true: class numbers, (batch, ...) or (batch, ..., 1).
        y_pred: probabilities (scaled to sum 1), or logits, (batch, ..., classes).
        from_logits: whether ``y_pred`` are logits.
        ignore_class: class number whose elements get the loss 0, and are masked out of a mean.
        axis: axis of the classes.

    Returns:
        (batch, ...), in the dtype of ``y_pred``.

    Raises:
        ShapeError: the shapes do not fit.
        ValueError: labels given as NumPy arrays or lists hold a class number that does not exist.

    Example:
        >>> sparse_categorical_crossentropy([1], [[0.05, 0.95, 0.0]]).numpy().round(4).tolist()
        [0.0513]

    References: Keras ``losses.sparse_categorical_crossentropy``.
    """
    y_true = check_labels(y_true, y_pred, ignore_class, axis)
    out = _sparse(y_true, y_pred, from_logits=from_logits, ignore_class=ignore_class, axis=axis)
    return carrying_mask(out)


sparse_categorical_crossentropy.array_form = sparse_values  # type: ignore[attr-defined]


def carrying_mask(out: Any) -> Any:
    """Values of a ``Masked`` pair, the mask attached where the values can carry it."""
    if not isinstance(out, Masked):
        return out
    if not isinstance(out.values, jax.Array):
        out.values._keras_mask = out.mask
    return out.values


def check_labels(y_true: Any, y_pred: Any, ignore_class: int | None = None, axis: int = -1) -> Any:
    """Labels that lie on the host, checked for class numbers that do not exist; others pass unchanged.

    Inside a compiled program, and for labels on the device, a wrong class number cannot be seen without waiting for
    the device; its loss is 0 there.

    Raises:
        ValueError: a label is below 0 or not below the number of classes.
    """
    if isinstance(y_true, Tensor) or not isinstance(y_true, (np.ndarray, list, tuple)):
        return y_true
    try:
        labels = np.asarray(y_true)
    except (ValueError, TypeError):  # a nesting of tensors, or ragged: not for this check
        return y_true
    shape = getattr(y_pred, "shape", None)
    if labels.dtype.kind not in "iuf" or not labels.size:
        return y_true
    classes = (shape or np.shape(y_pred))[axis]
    kept = labels if ignore_class is None else labels[labels != ignore_class]
    if classes is not None and kept.size and (kept.min() < 0 or kept.max() >= classes):
        wrong = kept[(kept < 0) | (kept >= classes)]
        raise ValueError(
            explain(
                "sparse_categorical_crossentropy: a label is not the number of a class.",
                expected=f"class numbers in [0, {classes}), as y_pred has {classes} classes",
                received=f"label {wrong.ravel()[0]}" + (f" and {wrong.size - 1} more" if wrong.size > 1 else ""),
                fix="count classes from 0, give the last layer one unit per class, or set `ignore_class`",
            )
        )
    return labels.astype(np.int32) if labels.dtype.itemsize == 8 else labels


@function_op(static=("q",))
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """``(1 - p[y_true]**q) / q``: robust to wrong labels; cross-entropy for q to 0, mean absolute error for q = 1.

    Args:
        y_true: class numbers, (batch, ...).
        y_pred: probabilities, (batch, ..., classes).
        q: exponent in (0, 1).

    References: Keras ``losses.categorical_generalized_cross_entropy``; Zhang and Sabuncu 2018.
    """
    y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
    dtype = y_pred.dtype if jnp.issubdtype(y_pred.dtype, jnp.inexact) else jnp.dtype(jnp.float32)
    y_pred = y_pred.astype(working_dtype(dtype))
    one_hot = jax.nn.one_hot(y_true.astype(jnp.int32), y_pred.shape[-1], dtype=y_pred.dtype)
    p = jnp.sum(y_pred * one_hot, axis=-1)
    # The slope at p = 0 is infinite: there, the inner `where` makes it 0.
    power = jnp.where(p == 0, 0.0, jnp.power(jnp.where(p == 0, 1.0, p), q))
    return ((1.0 - power) / q).astype(dtype)
