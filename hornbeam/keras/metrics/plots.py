"""Pictures of an evaluation: ROC curves, precision over recall, confusion matrices. Needs the extra ``plot``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hornbeam.base.errors import ArgumentError, explain
from hornbeam.keras.metrics import curves

__all__ = ["confusion_matrix", "plot_confusion_matrix", "plot_precision_recall", "plot_roc"]


def plot_roc(y_true: Any, y_score: Any, sample_weight: Any = None, ax: Any = None) -> Any:
    """Draw the true over the false positive rate, with the area in the legend.

    Args:
        y_true: labels 0 and 1, (samples,).
        y_score: scores of that shape, higher for class 1; or a dict from a model's name to its scores.
        sample_weight: weights of the samples.
        ax: ``matplotlib`` axes to draw on; default a new figure.

    Returns:
        The ``matplotlib`` figure.

    Raises:
        ImportError: matplotlib is not there.
        ValueError: sizes differ, or labels are not 0 and 1.

    Example:
        >>> figure = plot_roc([0, 0, 1, 1], {"A": [0.1, 0.4, 0.35, 0.8]})
        >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        ['A (AUC = 0.75)', 'chance']
    """
    axes = _axes("plot_roc", ax)
    for name, scores in _by_name(y_score).items():
        fpr, tpr, _ = curves.roc_curve(y_true, scores, sample_weight)
        axes.plot(fpr, tpr, label=_label(name, "AUC", curves.area(fpr, tpr)))
    axes.plot([0, 1], [0, 1], linestyle="--", color="gray", label="chance")
    return _finished(axes, "ROC", "false positive rate", "true positive rate", "lower right")


def plot_precision_recall(y_true: Any, y_score: Any, sample_weight: Any = None, ax: Any = None) -> Any:
    """Draw the precision over the recall, with the average precision in the legend.

    Args:
        y_true: labels 0 and 1, (samples,).
        y_score: scores of that shape, higher for class 1; or a dict from a model's name to its scores.
        sample_weight: weights of the samples.
        ax: ``matplotlib`` axes to draw on; default a new figure.

    Returns:
        The ``matplotlib`` figure.

    Raises:
        ImportError: matplotlib is not there.
        ValueError: sizes differ, or labels are not 0 and 1.
    """
    axes = _axes("plot_precision_recall", ax)
    for name, scores in _by_name(y_score).items():
        precision, recall, _ = curves.precision_recall_curve(y_true, scores, sample_weight)
        mean = curves.average_precision(y_true, scores, sample_weight)
        # The precision holds from one recall to the next, so it is a staircase.
        axes.step(recall, precision, where="post", label=_label(name, "AP", mean))
    return _finished(axes, "precision and recall", "recall", "precision", "lower left")


def confusion_matrix(y_true: Any, y_pred: Any, num_classes: int | None = None) -> np.ndarray:
    """How often class ``i`` was called ``j``.

    Args:
        y_true: class numbers (samples,), or one-hot rows (samples, classes).
        y_pred: class numbers, or scores (samples, classes) of which the highest counts.
        num_classes: rows and columns; default as many as the numbers ask for.

    Returns:
        Counts (true class, predicted class), int64.

    Raises:
        ValueError: the sizes differ, or a number is no class.
    """
    truth, found = _classes(y_true), _classes(y_pred)
    if truth.shape != found.shape or not truth.size:
        raise ArgumentError(
            explain(
                "Labels and predictions do not fit.",
                expected="as many predictions as labels, at least one",
                received=f"{truth.size} labels, {found.size} predictions",
            )
        )
    wide = max((np.shape(item)[-1] for item in (y_true, y_pred) if np.ndim(item) == 2), default=0)
    count = max(int(truth.max()) + 1, int(found.max()) + 1, wide) if num_classes is None else num_classes
    if min(truth.min(), found.min()) < 0 or max(truth.max(), found.max()) >= count:
        raise ArgumentError(f"confusion_matrix(): class numbers must lie in [0, {count}).")
    return np.bincount(truth * count + found, minlength=count * count).reshape(count, count)


def plot_confusion_matrix(
    y_true: Any, y_pred: Any, class_names: Sequence[str] | None = None, normalize: bool = False, ax: Any = None
) -> Any:
    """Draw how often each class was called what, true classes from top to bottom.

    Args:
        y_true: class numbers (samples,), or one-hot rows (samples, classes).
        y_pred: class numbers, or scores (samples, classes) of which the highest counts.
        class_names: a name for each class; default their numbers.
        normalize: shares of each true class instead of counts.
        ax: ``matplotlib`` axes to draw on; default a new figure.

    Returns:
        The ``matplotlib`` figure.

    Raises:
        ImportError: matplotlib is not there.
        ValueError: the sizes differ.
    """
    counts = confusion_matrix(y_true, y_pred, None if class_names is None else len(class_names))
    shown = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) if normalize else counts
    axes = _axes("plot_confusion_matrix", ax)
    picture = axes.imshow(shown, cmap="Blues", vmin=0)
    axes.figure.colorbar(picture, ax=axes)
    names = list(map(str, class_names or range(len(counts))))
    axes.set_xticks(range(len(names)), names, rotation=45 if max(map(len, names)) > 3 else 0)
    axes.set_yticks(range(len(names)), names)
    half = shown.max() / 2
    for (row, column), value in np.ndenumerate(shown):
        text = f"{value:.2f}" if normalize else str(value)
        axes.text(column, row, text, ha="center", va="center", color="white" if value > half else "black")
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    return axes.figure


def _classes(values: Any) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] > 1:
        return array.argmax(axis=1)
    array = array.reshape(-1)
    if array.dtype.kind == "f" and not (array == np.floor(array)).all():
        raise ArgumentError(
            "Class numbers are whole. For probabilities of two classes pass `(y_pred > 0.5).astype(int)`."
        )
    return array.astype(np.int64)


def _by_name(scores: Any) -> Mapping[str, Any]:
    return scores if isinstance(scores, Mapping) else {"": scores}


def _label(name: str, what: str, value: float) -> str:
    return f"{name} ({what} = {value:0.2f})" if name else f"{what} = {value:0.2f}"


def _axes(owner: str, ax: Any) -> Any:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(f"{owner}() needs matplotlib: pip install hornbeam[plot]") from error
    return pyplot.subplots(layout="constrained")[1]


def _finished(axes: Any, title: str, x: str, y: str, place: str) -> Any:
    axes.set(title=title, xlabel=x, ylabel=y, xlim=(-0.02, 1.02), ylim=(-0.02, 1.05))
    axes.legend(loc=place)
    return axes.figure
