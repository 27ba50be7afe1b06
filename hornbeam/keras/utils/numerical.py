"""Small helpers on arrays of numbers: one-hot labels, scaling to unit length."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from hornbeam.core.tensor import Tensor
from hornbeam.ops import nn

__all__ = ["normalize", "to_categorical"]


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Class numbers as rows of zeros with a one.

    Args:
        x: class numbers from 0 to ``num_classes - 1``; a last axis of size 1 is dropped.
        num_classes: number of classes; by default the largest number and one more.

    Returns:
        A float64 NumPy array with a new last axis; for a tensor, a tensor.

    Raises:
        ValueError: a tensor without ``num_classes``.
        IndexError: a class number that is out of range.

    References: Keras ``keras.utils.to_categorical``.
    """
    if isinstance(x, (Tensor, jax.Array)):
        if num_classes is None:
            raise ValueError(
                "to_categorical() of a tensor needs `num_classes`, because the shape of the result depends on it. "
                f"Received: x of shape {tuple(x.shape)}, num_classes=None"
            )
        if len(x.shape) > 1 and x.shape[-1] == 1:
            x = x[..., 0]
        return nn.one_hot(x, num_classes)
    labels = np.array(x, dtype="int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if not num_classes:
        num_classes = int(labels.max()) + 1
    if labels.size and (labels.max() >= num_classes or labels.min() < -num_classes):
        raise IndexError(
            f"to_categorical(): class numbers must lie between 0 and {num_classes - 1} for num_classes={num_classes}. "
            f"Received: numbers from {labels.min()} to {labels.max()}"
        )
    rows = np.zeros((labels.size, num_classes))
    rows[np.arange(labels.size), labels.reshape(-1)] = 1
    return rows.reshape((*labels.shape, num_classes))


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Divide by the norm along an axis; zero vectors stay zero.

    Args:
        x: NumPy array (gives one) or tensor (gives one).
        axis: axis of the vectors.
        order: order of the norm: 2 for the Euclidean one.

    References: Keras ``keras.utils.normalize``.
    """
    if not isinstance(x, np.ndarray):
        return nn.normalize(x, axis=axis, order=order)
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return x / np.expand_dims(norm, -1 if axis is None else axis)
