"""Curves of two rates over all thresholds, and their areas, of arrays on the host: what evaluation plots show."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base.errors import ArgumentError, explain

__all__ = ["area", "average_precision", "confusion_rates", "precision_recall_curve", "roc_auc", "roc_curve"]


def roc_curve(
    y_true: Any, y_score: Any, sample_weight: Any = None, drop_intermediate: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Receiver operating characteristic: true over false positive rate at all thresholds.

    Args:
        y_true: labels 0 and 1 (or booleans), any shape.
        y_score: scores of the same shape, higher for class 1: probabilities or logits.
        sample_weight: weights of the same shape.
        drop_intermediate: leave out points on the straight line between their neighbours.

    Returns:
        False positive rates (1 - specificity), true positive rates (sensitivity), and the thresholds from high to
        low, of which the first is infinite; float64. A rate is NaN if there is nothing that it is a share of.

    Raises:
        ValueError: sizes differ, labels are not 0 and 1, or a score is NaN.

    Example:
        >>> fpr, tpr, thresholds = roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        >>> fpr.tolist(), tpr.tolist()
        ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])

    References: the numbers are those of scikit-learn's ``roc_curve``.
    """
    hits, misses, thresholds = _counts(y_true, y_score, sample_weight)
    if drop_intermediate and len(hits) > 2:
        bent = np.diff(hits, 2).astype(bool) | np.diff(misses, 2).astype(bool)
        kept = np.flatnonzero(np.concatenate([[True], bent, [True]]))
        hits, misses, thresholds = hits[kept], misses[kept], thresholds[kept]
    hits, misses = np.concatenate([[0.0], hits]), np.concatenate([[0.0], misses])
    return _share(misses), _share(hits), np.concatenate([[np.inf], thresholds])


def precision_recall_curve(
    y_true: Any, y_score: Any, sample_weight: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision over recall at all thresholds.

    Args:
        y_true: labels 0 and 1 (or booleans), any shape.
        y_score: scores of the same shape, higher for class 1.
        sample_weight: weights of the same shape.

    Returns:
        Precisions and recalls, which end with the point (1, 0), and thresholds from low to high, one less; float64.

    Raises:
        ValueError: sizes differ, labels are not 0 and 1, or a score is NaN.

    References: the numbers are those of scikit-learn's ``precision_recall_curve``.
    """
    hits, misses, thresholds = _counts(y_true, y_score, sample_weight)
    found = hits + misses
    precision = np.divide(hits, found, out=np.zeros_like(hits), where=found != 0)
    recall = hits / hits[-1] if hits[-1] else np.ones_like(hits)
    return (
        np.concatenate([precision[::-1], [1.0]]),
        np.concatenate([recall[::-1], [0.0]]),
        thresholds[::-1],
    )


def area(x: Any, y: Any) -> float:
    """Area under a curve by the trapezoidal rule; ``x`` must go in one direction.

    Raises:
        ValueError: fewer than two points, or ``x`` goes back and forth.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(x) < 2 or len(x) != len(y):
        raise ArgumentError(f"area(): two arrays of at least 2 points each are needed. Received: {len(x)} and {len(y)}")
    steps = np.diff(x)
    if not (np.all(steps >= 0) or np.all(steps <= 0)):
        raise ArgumentError("area(): `x` must only rise or only fall. Sort both arrays by `x`.")
    return float(abs(np.sum(steps * (y[1:] + y[:-1]) / 2.0)))


def roc_auc(y_true: Any, y_score: Any, sample_weight: Any = None) -> float:
    """Area under ``roc_curve``: the chance that a positive has a higher score than a negative."""
    fpr, tpr, _ = roc_curve(y_true, y_score, sample_weight)
    return area(fpr, tpr)


def average_precision(y_true: Any, y_score: Any, sample_weight: Any = None) -> float:
    """Precision averaged over the steps in recall: the area under the precision-recall curve, without interpolation.

    References: the number is that of scikit-learn's ``average_precision_score``.
    """
    precision, recall, _ = precision_recall_curve(y_true, y_score, sample_weight)
    return float(max(0.0, -np.sum(np.diff(recall) * precision[:-1])))


def confusion_rates(y_true: Any, y_score: Any, threshold: float = 0.5, sample_weight: Any = None) -> dict[str, float]:
    """Accuracy, sensitivity, specificity and precision at one threshold, and the four counts behind them.

    Args:
        y_true: labels 0 and 1.
        y_score: scores of the same shape.
        threshold: scores above it count as class 1.
        sample_weight: weights of the same shape.

    Returns:
        ``accuracy``, ``sensitivity`` (recall), ``specificity``, ``precision``, ``tp``, ``tn``, ``fp``, ``fn``; a rate
        of nothing is 0.
    """
    truth, score, weight = _flat(y_true, y_score, sample_weight)
    found = score > threshold
    tp, fp = weight[truth & found].sum(), weight[~truth & found].sum()
    fn, tn = weight[truth & ~found].sum(), weight[~truth & ~found].sum()

    def rate(part: float, whole: float) -> float:
        return float(part / whole) if whole else 0.0

    return {
        "accuracy": rate(tp + tn, tp + tn + fp + fn),
        "sensitivity": rate(tp, tp + fn),
        "specificity": rate(tn, tn + fp),
        "precision": rate(tp, tp + fp),
        "tp": float(tp),
        "tn": float(tn),
        "fp": float(fp),
        "fn": float(fn),
    }


def _flat(y_true: Any, y_score: Any, sample_weight: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    truth, score = np.asarray(y_true).reshape(-1), np.asarray(y_score).reshape(-1)
    weight = np.ones(truth.shape) if sample_weight is None else np.asarray(sample_weight, np.float64).reshape(-1)
    if not truth.size or not truth.size == score.size == weight.size:
        raise ArgumentError(
            explain(
                "Labels, scores and weights do not fit.",
                expected="as many scores (and weights) as labels, at least one",
                received=f"{truth.size} labels, {score.size} scores, {weight.size} weights",
                fix="for several classes, give the column of one class at a time, with `y_true == number`",
            )
        )
    if not np.isin(truth, (0, 1)).all():
        others = [value for value in np.unique(truth).tolist() if value not in (0, 1)]
        raise ArgumentError(
            explain(
                "The labels of a curve are those of two classes.",
                expected="0 and 1, or booleans",
                received=f"also {others[:3]}",
                fix="pass `y_true == positive_class`",
            )
        )
    if np.isnan(score.astype(np.float64)).any():
        raise ArgumentError("A score is NaN. Look for NaN in the predictions: `model.predict(...)`.")
    return truth.astype(bool), score, weight


def _counts(y_true: Any, y_score: Any, sample_weight: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True and false positives for each threshold that makes a difference, from the highest down."""
    truth, score, weight = _flat(y_true, y_score, sample_weight)
    used = weight != 0
    truth, score, weight = truth[used], score[used], weight[used]
    order = np.argsort(score, kind="mergesort")[::-1]
    truth, score, weight = truth[order], score[order], weight[order]
    last = np.concatenate([np.flatnonzero(np.diff(score)), [len(score) - 1]])
    hits, everything = np.cumsum(truth * weight)[last], np.cumsum(weight)[last]
    return hits, everything - hits, score[last]


def _share(counts: np.ndarray) -> np.ndarray:
    return counts / counts[-1] if counts[-1] else np.full(counts.shape, np.nan)
