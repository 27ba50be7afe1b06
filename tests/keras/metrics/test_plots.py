"""Pictures of an evaluation show the numbers of scikit-learn."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
import sklearn.metrics

from hornbeam.keras.metrics import plots

mpl.use("Agg")
LABELS = np.array([0, 0, 1, 1, 0, 1, 0, 1])
A = np.array([0.1, 0.4, 0.35, 0.8, 0.2, 0.9, 0.45, 0.6])
B = A[::-1].copy()


@pytest.fixture(autouse=True)
def closed():
    from matplotlib import pyplot

    yield
    pyplot.close("all")


def legend(figure):
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_roc_of_two_models():
    figure = plots.plot_roc(LABELS, {"Model A": A, "Model B": B})
    areas = [sklearn.metrics.roc_auc_score(LABELS, scores) for scores in (A, B)]
    assert legend(figure) == [f"Model A (AUC = {areas[0]:.2f})", f"Model B (AUC = {areas[1]:.2f})", "chance"]
    fpr, tpr, _ = sklearn.metrics.roc_curve(LABELS, A)
    line = figure.axes[0].lines[0]
    np.testing.assert_allclose(line.get_xdata(), fpr)
    np.testing.assert_allclose(line.get_ydata(), tpr)


def test_precision_and_recall_on_given_axes():
    from matplotlib import pyplot

    own, axes = pyplot.subplots()
    figure = plots.plot_precision_recall(LABELS, A, ax=axes)
    assert figure is own
    assert legend(figure) == [f"AP = {sklearn.metrics.average_precision_score(LABELS, A):.2f}"]
    precision, recall, _ = sklearn.metrics.precision_recall_curve(LABELS, A)
    np.testing.assert_allclose(axes.lines[0].get_xdata(), recall)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), precision)


@pytest.mark.parametrize("normalize", [False, True])
def test_confusion_matrix(normalize):
    truth, found = np.array([0, 1, 2, 2, 1, 0, 2]), np.array([0, 2, 2, 1, 1, 0, 2])
    expected = sklearn.metrics.confusion_matrix(truth, found)
    np.testing.assert_array_equal(plots.confusion_matrix(np.eye(3)[truth], np.eye(3)[found] * 0.7), expected)
    figure = plots.plot_confusion_matrix(truth, found, ["cat", "dog", "horse"], normalize)
    axes = figure.axes[0]
    shares = expected / expected.sum(1, keepdims=True)
    texts = [f"{value:.2f}" for value in shares.flat] if normalize else [str(value) for value in expected.flat]
    assert [text.get_text() for text in axes.texts] == texts
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["cat", "dog", "horse"]


def test_what_cannot_be_drawn():
    with pytest.raises(ValueError, match="as many predictions as labels"):
        plots.confusion_matrix([0, 1], [0])
    with pytest.raises(ValueError, match=r"> 0\.5"):
        plots.confusion_matrix([0, 1], [0.2, 0.9])
    with pytest.raises(ValueError, match=r"\[0, 2\)"):
        plots.confusion_matrix([0, 2], [0, 1], num_classes=2)
