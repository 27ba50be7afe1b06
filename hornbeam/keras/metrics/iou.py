"""Intersection over union of areas, for image segmentation."""

from __future__ import annotations

import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.base import settings
from hornbeam.keras.metrics.base import Metric
from hornbeam.keras.metrics.program import accumulate, compute, narrowed

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class IoU(Metric):
    """Mean over some classes of ``tp / (tp + fp + fn)``, from a confusion matrix.

    Args:
        num_classes: number of classes.
        target_class_ids: classes over which the mean goes.
        dtype: dtype of the counts; default int32.
        ignore_class: label whose elements do not count.
        sparse_y_true: whether labels are class numbers; otherwise one-hot.
        sparse_y_pred: whether predictions are class numbers; otherwise scores, of which the largest counts.
        axis: axis of the classes of what is not sparse.

    Raises:
        ValueError: a target class is not below ``num_classes``.

    References: Keras ``metrics.IoU``.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Any,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype=dtype or "int32")
        self._direction = "up"
        self.num_classes = num_classes
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        if max(target_class_ids) >= num_classes:
            raise ValueError(
                f"{type(self).__name__}: `target_class_ids` are below num_classes={num_classes}. Received: "
                f"target_class_ids={list(target_class_ids)}"
            )
        self.target_class_ids = list(target_class_ids)
        shape = (num_classes, num_classes)
        self.total_cm = self.add_variable(shape, "zeros", dtype=self.dtype, name="total_confusion_matrix")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: labels, any shape.
            y_pred: predictions.
            sample_weight: weights that broadcast against the flat labels; whole numbers if the dtype is an integer one.
        """
        self._count(y_true, y_pred, sample_weight, None)

    def _count(self, y_true: Any, y_pred: Any, sample_weight: Any, threshold: float | None) -> None:
        weights = np.asarray(sample_weight) if isinstance(sample_weight, (list, tuple, float)) else sample_weight
        if "float" in str(getattr(weights, "dtype", "")) and self.dtype.is_integer:
            warnings.warn(
                f"{self.name}: the weights are floats, but the metric counts in {self.dtype.name}, so they are cut to "
                "whole numbers. Give whole weights, or dtype='float32'.",
                stacklevel=3,
            )
        accumulate(
            (self.total_cm,),
            _step,
            (narrowed(y_true), narrowed(y_pred), narrowed(sample_weight)),
            ignore_class=self.ignore_class,
            axes=(None if self.sparse_y_true else self.axis, None if self.sparse_y_pred else self.axis),
            threshold=threshold,
        )

    def result(self) -> Any:
        """The mean; classes that neither labels nor predictions hold do not count."""
        return compute((self.total_cm,), _mean_iou, classes=tuple(int(target) for target in self.target_class_ids))

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        return super().get_config() | {
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }

    def _config_without(self, *names: str) -> dict[str, Any]:
        return {name: value for name, value in IoU.get_config(self).items() if name not in names}


class BinaryIoU(IoU):
    """Mean intersection over union of the two classes of a binary prediction.

    Args:
        target_class_ids: (0,), (1,) or (0, 1).
        threshold: predictions from it on count as class 1.

    References: Keras ``metrics.BinaryIoU``.
    """

    def __init__(
        self, target_class_ids: Any = (0, 1), threshold: float = 0.5, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: labels 0 and 1.
            y_pred: predictions in [0, 1].
            sample_weight: weights that broadcast against the flat labels.
        """
        self._count(y_true, y_pred, sample_weight, self.threshold)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        removed = ("num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return self._config_without(*removed) | {"threshold": self.threshold}


class MeanIoU(IoU):
    """Mean intersection over union of all classes.

    Args:
        num_classes: number of classes.
        dtype: dtype of the counts; default int32.
        ignore_class: label whose elements do not count.
        sparse_y_true: whether labels are class numbers; otherwise one-hot.
        sparse_y_pred: whether predictions are class numbers; otherwise scores, of which the largest counts.
        axis: axis of the classes of what is not sparse.

    Example:
        >>> metric = MeanIoU(num_classes=2)
        >>> metric.update_state([0, 0, 1, 1], [0, 1, 0, 1])
        >>> round(float(metric.result()), 4)
        0.3333

    References: Keras ``metrics.MeanIoU``.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        return self._config_without("target_class_ids")


class OneHotIoU(IoU):
    """``IoU`` for one-hot labels.

    Args:
        num_classes: number of classes.
        target_class_ids: classes over which the mean goes.
        dtype: dtype of the counts; default int32.
        ignore_class: label whose elements do not count.
        sparse_y_pred: whether predictions are class numbers; otherwise scores, of which the largest counts.
        axis: axis of the classes.

    References: Keras ``metrics.OneHotIoU``.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Any,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        return self._config_without("sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """``MeanIoU`` for one-hot labels.

    Args:
        num_classes: number of classes.
        dtype: dtype of the counts; default int32.
        ignore_class: label whose elements do not count.
        sparse_y_pred: whether predictions are class numbers; otherwise scores, of which the largest counts.
        axis: axis of the classes.

    References: Keras ``metrics.OneHotMeanIoU``.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        return self._config_without("target_class_ids", "sparse_y_true")


def _step(
    state: list, y_true: Any, y_pred: Any, weight: Any, *, ignore_class: Any, axes: tuple, threshold: float | None
) -> list:
    (matrix,) = state
    classes = matrix.shape[0]
    labels, found = (
        jnp.asarray(value) if axis is None else jnp.argmax(jnp.asarray(value), axis=axis)
        for value, axis in zip((y_true, y_pred), axes, strict=True)
    )
    if threshold is not None:
        found = found.astype(jnp.float32) >= threshold
    labels, found = labels.astype(jnp.int32).reshape(-1), found.astype(jnp.int32).reshape(-1)
    weight = jnp.ones((), matrix.dtype) if weight is None else jnp.asarray(weight).astype(matrix.dtype)
    weight = jnp.broadcast_to(weight.reshape(-1) if weight.ndim > 1 else weight, labels.shape)
    counted = (labels >= 0) & (labels < classes) & (found >= 0) & (found < classes)
    if ignore_class is not None:
        counted = counted & (labels != int(ignore_class))
    # What does not count is put outside the matrix, where it is dropped.
    row, column = jnp.where(counted, labels, classes), jnp.where(counted, found, classes)
    return [matrix.at[row, column].add(weight, mode="drop")]


def _mean_iou(matrix: Any, *, classes: tuple[int, ...]) -> Any:
    chosen = np.asarray(classes, np.int32)
    right = jnp.diagonal(matrix)
    union = (jnp.sum(matrix, axis=0) + jnp.sum(matrix, axis=1)).astype(matrix.dtype) - right
    right, union = right[chosen].astype(jnp.float32), union[chosen].astype(jnp.float32)
    present = union > 1e-9
    shares = jnp.where(present, right / (union + settings.epsilon()), 0.0)
    return jnp.sum(shares) / (jnp.sum(present.astype(jnp.float32)) + settings.epsilon())
