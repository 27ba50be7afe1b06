"""Measures of maps of classes: pixel accuracy, mean accuracy of the classes, frequency weighted overlap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from hornbeam.keras.losses.functional.arrays import divide_no_nan
from hornbeam.keras.metrics.iou import MeanIoU
from hornbeam.keras.metrics.program import compute

__all__ = ["FrequencyWeightedIoU", "MeanClassAccuracy", "PixelAccuracy"]


def _pixel_accuracy(matrix: Any) -> Any:
    matrix = matrix.astype(jnp.float32)
    return divide_no_nan(jnp.trace(matrix), jnp.sum(matrix))


def _mean_accuracy(matrix: Any) -> Any:
    matrix = matrix.astype(jnp.float32)
    sizes = jnp.sum(matrix, axis=1)
    return divide_no_nan(jnp.sum(divide_no_nan(jnp.diagonal(matrix), sizes)), jnp.sum((sizes > 0).astype(jnp.float32)))


def _frequency_weighted(matrix: Any) -> Any:
    matrix = matrix.astype(jnp.float32)
    sizes, right = jnp.sum(matrix, axis=1), jnp.diagonal(matrix)
    overlap = divide_no_nan(right, sizes + jnp.sum(matrix, axis=0) - right)
    return divide_no_nan(jnp.sum(sizes * overlap), jnp.sum(sizes))


class _OfMatrix(MeanIoU):
    """A number computed from the confusion matrix (rows: labels, columns: predictions)."""

    measure: Callable[..., Any]

    def result(self) -> Any:
        """The number; 0 before any batch."""
        return compute((self.total_cm,), type(self).measure)


class PixelAccuracy(_OfMatrix):
    """Share of the pixels whose class is right.

    Args:
        num_classes: number of classes.
        dtype: dtype of the counts; default int32.
        ignore_class: label whose pixels do not count.
        sparse_y_true: whether labels are class numbers; otherwise one-hot.
        sparse_y_pred: whether predictions are class numbers; otherwise scores, of which the largest counts.
        axis: axis of the classes of what is not sparse.

    References: Long et al. 2015, section 5, "pixel accuracy".
    """

    measure = staticmethod(_pixel_accuracy)


class MeanClassAccuracy(_OfMatrix):
    """Share of right pixels of each class, averaged over the classes that the labels hold.

    Args:
        num_classes: number of classes.
        dtype: dtype of the counts; default int32.
        ignore_class: label whose pixels do not count.
        sparse_y_true: whether labels are class numbers; otherwise one-hot.
        sparse_y_pred: whether predictions are class numbers; otherwise scores, of which the largest counts.
        axis: axis of the classes of what is not sparse.

    References: Long et al. 2015, section 5, "mean accuracy"; scikit-learn ``balanced_accuracy_score``.
    """

    measure = staticmethod(_mean_accuracy)


class FrequencyWeightedIoU(_OfMatrix):
    """Intersection over union of the classes, weighted by their share of the labels.

    Args:
        num_classes: number of classes.
        dtype: dtype of the counts; default int32.
        ignore_class: label whose pixels do not count.
        sparse_y_true: whether labels are class numbers; otherwise one-hot.
        sparse_y_pred: whether predictions are class numbers; otherwise scores, of which the largest counts.
        axis: axis of the classes of what is not sparse.

    References: Long et al. 2015, section 5, "frequency weighted IU"; scikit-learn ``jaccard_score``, "weighted".
    """

    measure = staticmethod(_frequency_weighted)
