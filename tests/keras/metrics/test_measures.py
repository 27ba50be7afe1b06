"""Measures of evaluation: rates, curves and their areas, maps of classes; the reference is scikit-learn."""

import threading

import numpy as np
import pytest
import sklearn.metrics as sk

import hornbeam.keras as keras
from hornbeam.keras.metrics import curves

RNG = np.random.default_rng(3)
LABELS = RNG.integers(0, 2, 300)
# Rounded, so that there are ties.
SCORES = np.round(np.clip(LABELS * 0.3 + RNG.random(300) * 0.7, 0, 1), 2).astype("float32")
WEIGHTS = RNG.integers(0, 4, 300).astype("float32")
TRUE_MAP = RNG.integers(0, 4, (3, 8, 8))
FOUND_MAP = np.where(RNG.random((3, 8, 8)) < 0.6, TRUE_MAP, RNG.integers(0, 4, (3, 8, 8)))


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("drop", [True, False])
def test_curves_are_those_of_sklearn(weights, drop):
    got = curves.roc_curve(LABELS, SCORES, weights, drop_intermediate=drop)
    want = sk.roc_curve(LABELS, SCORES, sample_weight=weights, drop_intermediate=drop)
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    for one, other in zip(
        curves.precision_recall_curve(LABELS, SCORES, weights),
        sk.precision_recall_curve(LABELS, SCORES, sample_weight=weights),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_areas_are_those_of_sklearn(weights):
    np.testing.assert_allclose(
        curves.roc_auc(LABELS, SCORES, weights), sk.roc_auc_score(LABELS, SCORES, sample_weight=weights)
    )
    expected = sk.average_precision_score(LABELS, SCORES, sample_weight=weights)
    np.testing.assert_allclose(curves.average_precision(LABELS, SCORES, weights), expected)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_rates_at_a_threshold(threshold):
    found = np.float32(threshold) < SCORES
    got = curves.confusion_rates(LABELS, SCORES, np.float32(threshold))
    assert [got[name] for name in ("tn", "fp", "fn", "tp")] == sk.confusion_matrix(LABELS, found).ravel().tolist()
    np.testing.assert_allclose(got["sensitivity"], sk.recall_score(LABELS, found))
    np.testing.assert_allclose(got["specificity"], sk.recall_score(1 - LABELS, ~found))
    np.testing.assert_allclose(got["precision"], sk.precision_score(LABELS, found))
    np.testing.assert_allclose(got["accuracy"], sk.accuracy_score(LABELS, found))


@pytest.mark.parametrize(
    ("labels", "scores", "words"),
    [([0, 1], [0.5], "as many scores"), ([0, 2], [0.1, 0.2], "also \\[2\\]"), ([0, 1], [0.1, np.nan], "NaN")],
)
def test_curves_refuse_what_they_cannot_rank(labels, scores, words):
    with pytest.raises(ValueError, match=words):
        curves.roc_curve(labels, scores)


def test_an_area_needs_a_sorted_axis():
    with pytest.raises(ValueError, match="only rise or only fall"):
        curves.area([0, 1, 0.5], [0, 1, 2])


def _streamed(metric, labels, found, weights=None):
    for start in range(0, len(labels), 100):
        part = slice(start, start + 100)
        metric.update_state(labels[part], found[part], None if weights is None else weights[part])
    return float(metric.result())


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_streaming_rates_are_those_of_sklearn(weights):
    found = SCORES > 0.5
    got = _streamed(keras.metrics.Specificity(), LABELS, SCORES, weights)
    np.testing.assert_allclose(got, sk.recall_score(1 - LABELS, ~found, sample_weight=weights), rtol=1e-6)
    got = _streamed(keras.metrics.Sensitivity(), LABELS, SCORES, weights)
    np.testing.assert_allclose(got, sk.recall_score(LABELS, found, sample_weight=weights), rtol=1e-6)
    got = _streamed(keras.metrics.AveragePrecision(), LABELS, SCORES, weights)
    np.testing.assert_allclose(got, sk.average_precision_score(LABELS, SCORES, sample_weight=weights), rtol=1e-5)


def test_average_precision_of_logits_and_of_one_class():
    logits = np.log(np.clip(SCORES, 0.01, 0.99) / (1 - np.clip(SCORES, 0.01, 0.99)))
    table = np.stack([np.zeros_like(logits), logits], 1)
    metric = keras.metrics.AveragePrecision(from_logits=True, class_id=1)
    metric.update_state(np.stack([1 - LABELS, LABELS], 1), table)
    expected = sk.average_precision_score(LABELS, np.clip(SCORES, 0.01, 0.99))
    np.testing.assert_allclose(float(metric.result()), expected, rtol=1e-5)


@pytest.mark.parametrize("weights", [None, RNG.integers(0, 3, TRUE_MAP.shape)])
def test_maps_of_classes_are_measured_as_by_sklearn(weights):
    flat = None if weights is None else weights.ravel()
    labels, found = TRUE_MAP.ravel(), FOUND_MAP.ravel()
    for kind, expected in (
        (keras.metrics.PixelAccuracy, sk.accuracy_score(labels, found, sample_weight=flat)),
        (keras.metrics.MeanClassAccuracy, sk.balanced_accuracy_score(labels, found, sample_weight=flat)),
        (keras.metrics.MeanIoU, sk.jaccard_score(labels, found, average="macro", sample_weight=flat)),
        (keras.metrics.FrequencyWeightedIoU, sk.jaccard_score(labels, found, average="weighted", sample_weight=flat)),
    ):
        metric = kind(num_classes=4)
        for number in range(len(TRUE_MAP)):
            metric.update_state(TRUE_MAP[number], FOUND_MAP[number], None if weights is None else weights[number])
        np.testing.assert_allclose(float(metric.result()), expected, rtol=1e-5, err_msg=kind.__name__)


def test_measures_of_a_compiled_model():
    model = keras.Sequential([keras.Input((4, 4, 2)), keras.layers.Conv2D(3, 1, activation="softmax")])
    own = [
        keras.metrics.PixelAccuracy(num_classes=3, sparse_y_pred=False, name="pixels"),
        keras.metrics.MeanClassAccuracy(num_classes=3, sparse_y_pred=False, name="classes"),
        keras.metrics.FrequencyWeightedIoU(num_classes=3, sparse_y_pred=False, name="overlap"),
    ]
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy", *own])
    x, y = RNG.random((5, 4, 4, 2), dtype="float32"), RNG.integers(0, 3, (5, 4, 4))
    got = model.evaluate(x, y, batch_size=2, verbose=0, return_dict=True)
    found = model.predict(x, verbose=0).argmax(-1).ravel()
    np.testing.assert_allclose(got["pixels"], got["accuracy"], rtol=1e-6)
    np.testing.assert_allclose(got["classes"], sk.balanced_accuracy_score(y.ravel(), found), rtol=1e-5)
    expected = sk.jaccard_score(y.ravel(), found, average="weighted")
    np.testing.assert_allclose(got["overlap"], expected, rtol=1e-5)


def test_measures_by_name_and_config():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["sensitivity", "specificity", "average_precision"])
    got = model.evaluate(RNG.random((20, 2)), RNG.integers(0, 2, (20, 1)), verbose=0, return_dict=True)
    assert set(got) == {"loss", "sensitivity", "specificity", "average_precision"}
    again = keras.metrics.deserialize(keras.metrics.serialize(keras.metrics.Specificity(thresholds=0.3, name="s")))
    assert type(again) is keras.metrics.Specificity and (again.thresholds, again.name) == ([0.3], "s")


def test_threads_that_share_a_metric_lose_nothing():
    metric = keras.metrics.Mean()
    metric.update_state(1.0)

    def work():
        for _ in range(100):
            metric.update_state([1.0, 3.0])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert float(metric.count) == 801.0 and float(metric.total) == 1601.0
