"""Metrics beyond the contract: sklearn, user metrics, masks, labels in 16 bits, refusals, lookup."""

from __future__ import annotations

import json

import jax.numpy as jnp
import keras
import numpy as np
import pytest
import sklearn.metrics

from hornbeam.core.tensor import from_host
from hornbeam.core.variable import Variable
from hornbeam.keras import losses, metrics
from tests.keras.losses.cases import data, softmax, to_numpy


def binary(size=400, seed=2):
    rng = np.random.default_rng(seed)
    y_true = rng.integers(0, 2, size)
    return y_true, np.clip(rng.normal(0.35 + 0.3 * y_true, 0.25), 0, 1).astype("float32")


@pytest.mark.numeric
@pytest.mark.parametrize("weighted", [False, True])
def test_against_sklearn(weighted):
    y_true, y_pred = binary()
    weight = np.random.default_rng(1).uniform(size=y_true.size).astype("float32") if weighted else None

    def value(metric):
        for part in np.split(np.arange(y_true.size), 4):
            metric.update_state(y_true[part], y_pred[part], sample_weight=None if weight is None else weight[part])
        return float(metric.result())

    hard = y_pred > 0.5
    expected = {
        metrics.AUC(num_thresholds=2000): sklearn.metrics.roc_auc_score(y_true, y_pred, sample_weight=weight),
        metrics.Precision(): sklearn.metrics.precision_score(y_true, hard, sample_weight=weight),
        metrics.Recall(): sklearn.metrics.recall_score(y_true, hard, sample_weight=weight),
        metrics.BinaryAccuracy(): sklearn.metrics.accuracy_score(y_true, hard, sample_weight=weight),
        metrics.MeanSquaredError(): sklearn.metrics.mean_squared_error(y_true, y_pred, sample_weight=weight),
        metrics.BinaryCrossentropy(): sklearn.metrics.log_loss(
            y_true, np.clip(y_pred, 1e-7, 1 - 1e-7).astype("float64"), sample_weight=weight
        ),
    }
    for metric, reference in expected.items():
        if isinstance(metric, metrics.BinaryCrossentropy | metrics.MeanSquaredError | metrics.BinaryAccuracy):
            for part in np.split(np.arange(y_true.size), 4):
                metric.update_state(
                    y_true[part, None], y_pred[part, None], sample_weight=None if weight is None else weight[part]
                )
            result = float(metric.result())
        else:
            result = value(metric)
        tolerance = 3e-4 if isinstance(metric, metrics.AUC) else 2e-5
        np.testing.assert_allclose(result, reference, rtol=tolerance, err_msg=type(metric).__name__)


@pytest.mark.numeric
def test_many_classes_against_sklearn():
    rng = np.random.default_rng(4)
    y_true, scores = rng.integers(0, 4, 200), softmax(rng.normal(size=(200, 4)).astype("float32"))
    one_hot, best = np.eye(4)[y_true], scores.argmax(-1)
    for average in (None, "micro", "macro", "weighted"):
        metric = metrics.F1Score(average=average)
        metric.update_state(one_hot, scores)
        np.testing.assert_allclose(
            metric.result().numpy(), sklearn.metrics.f1_score(y_true, best, average=average), rtol=1e-5
        )
    matrix = metrics.MeanIoU(4)
    matrix.update_state(y_true, best)
    assert np.array_equal(to_numpy(matrix.total_cm), sklearn.metrics.confusion_matrix(y_true, best))
    np.testing.assert_allclose(
        float(matrix.result()), sklearn.metrics.jaccard_score(y_true, best, average="macro"), rtol=1e-5
    )
    top = metrics.SparseTopKCategoricalAccuracy(k=2)
    top.update_state(y_true, scores)
    np.testing.assert_allclose(
        float(top.result()), sklearn.metrics.top_k_accuracy_score(y_true, scores, k=2), rtol=1e-6
    )
    areas = metrics.AUC(num_thresholds=2000, multi_label=True)
    areas.update_state(one_hot, scores)
    np.testing.assert_allclose(float(areas.result()), sklearn.metrics.roc_auc_score(one_hot, scores), rtol=1e-3)
    r2 = metrics.R2Score(class_aggregation=None)
    y, p = rng.normal(size=(2, 50, 3)).astype("float32")
    r2.update_state(y, p)
    np.testing.assert_allclose(r2.result().numpy(), sklearn.metrics.r2_score(y, p, multioutput="raw_values"), rtol=1e-4)


@pytest.mark.numeric
def test_interpolated_area_of_a_roc_metric():
    y_true, y_pred = binary()
    ours, theirs, plain = metrics.AUC(), keras.metrics.AUC(), metrics.AUC(curve="PR")
    for metric in (ours, theirs, plain):
        metric.update_state(y_true, y_pred)
    np.testing.assert_allclose(float(ours.interpolate_pr_auc()), float(theirs.interpolate_pr_auc()), rtol=1e-6)
    assert float(ours.interpolate_pr_auc()) == float(plain.result()) != float(ours.result())


@pytest.mark.numeric
def test_masks_of_predictions():
    y_true, y_pred = data("one_hot", (4, 3))
    mask = np.array([True, False, True, True])
    for name in ("CategoricalAccuracy", "CategoricalCrossentropy"):
        ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
        for weight in (None, np.array([1.0, 2.0, 0.5, 0.0], "float32")):
            mine, its = from_host(y_pred), keras.ops.convert_to_tensor(y_pred)
            mine._keras_mask = from_host(mask)
            keras.src.backend.set_keras_mask(its, jnp.asarray(mask))
            ours.update_state(y_true, mine, weight)
            theirs.update_state(y_true, its, weight)
            np.testing.assert_allclose(float(ours.result()), float(theirs.result()), rtol=1e-6)

    def right(y_true, y_pred):
        return losses.mean_absolute_error(y_true, y_pred)

    wrapped = metrics.MeanMetricWrapper(right)
    masked = from_host(y_pred)
    masked._keras_mask = from_host(mask)
    wrapped.update_state(y_true, masked)
    np.testing.assert_allclose(float(wrapped.result()), np.abs(y_true - y_pred).mean(-1)[mask].mean(), rtol=1e-6)


@pytest.mark.numeric
def test_class_numbers_stay_exact_beside_16_bit_predictions():
    scores = np.zeros((3, 1001), "float32")
    scores[[0, 1, 2], [1000, 999, 257]] = 1.0
    metric = metrics.SparseCategoricalAccuracy()
    metric.update_state(
        np.array([1000, 1000, 257]), losses.inputs.as_tensor(scores, losses.inputs.compute_dtype("bfloat16"))
    )
    np.testing.assert_allclose(float(metric.result()), 2 / 3, rtol=1e-6)


def test_nothing_counted_gives_zero():
    for metric in (
        metrics.Mean(),
        metrics.Accuracy(),
        metrics.Precision(),
        metrics.Recall(),
        metrics.AUC(),
        metrics.Sum(),
    ):
        assert float(metric.result()) == 0.0
    metric = metrics.Mean()
    metric.update_state([1.0, 2.0], sample_weight=[0.0, 0.0])
    assert float(metric.result()) == 0.0


def test_scalars_lists_and_names():
    mean = metrics.Mean(name="loss")
    for value in (1, 2.5, np.float64(3.0), from_host(np.float32(5.5))):
        mean.update_state(value)
    assert float(mean.result()) == 3.0
    assert mean.result().dtype == "float32"
    assert [variable.path for variable in mean.variables] == ["loss/total", "loss/count"]
    accuracy = metrics.Accuracy()
    accuracy.update_state([1, 0, 1], [1, 0, 0])
    np.testing.assert_allclose(float(accuracy.result()), 2 / 3, rtol=1e-6)
    accuracy.reset_states()
    assert float(accuracy.result()) == 0.0


class Outer(metrics.Metric):
    def __init__(self, name="outer", **options):
        super().__init__(name=name, **options)
        self.inner = metrics.Mean(name="inner")
        self.parts = [metrics.Sum(name="part")]
        self.extra = Variable(np.ones(2, "float32"), trainable=False)
        self.own = self.add_weight("own", initializer="ones", dtype="float32")
        self.parts.append(metrics.Sum(name="late"))

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.inner.update_state(losses.mean_squared_error(y_true, y_pred), sample_weight)
        self.parts[0].update_state(y_pred)
        self.own.assign_add(1.0)

    def result(self):
        return {"inner": self.inner.result(), "own": self.own.value}


def test_user_metrics_with_metrics_inside():
    metric = Outer()
    assert [variable.path.split("/")[-1] for variable in metric.variables][1:] == [
        "own",
        "total",
        "count",
        "total",
        "total",
    ]
    assert float(metric.own.value) == 1.0
    result = metric([[1.0]], [[3.0]])
    assert float(result["inner"]) == 4.0
    assert float(result["own"]) == 2.0
    state = metric.stateless_update_state(metric.variables, [[1.0]], [[1.0]])
    assert float(metric.stateless_result(state)["inner"]) == 2.0
    assert float(metric.result()["inner"]) == 4.0
    metric.reset_state()
    assert all(not to_numpy(variable).any() for variable in metric.variables)

    class Forgetful(metrics.Metric):
        def __init__(self):
            self.total = self.add_variable((), "zeros")

    with pytest.raises(RuntimeError, match="super"):
        Forgetful()
    with pytest.raises(NotImplementedError, match="update_state"):
        metrics.Metric()(1.0)


def test_refusals():
    for call, text in [
        (lambda: metrics.AUC(curve="ROK"), "curve"),
        (lambda: metrics.AUC(summation_method="middle"), "summation_method"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds"),
        (lambda: metrics.AUC(num_labels=2), "num_labels"),
        (lambda: metrics.Precision(thresholds=[0.5, 1.5]), "Threshold values"),
        (lambda: metrics.PrecisionAtRecall(1.5), "recall"),
        (lambda: metrics.SensitivityAtSpecificity(0.5, num_thresholds=0), "num_thresholds"),
        (lambda: metrics.FBetaScore(average="mean"), "average"),
        (lambda: metrics.FBetaScore(beta=1), "beta"),
        (lambda: metrics.FBetaScore(threshold=2.0), "threshold"),
        (lambda: metrics.F1Score().update_state([1.0], [1.0]), r"of shape \(samples, classes\)"),
        (lambda: metrics.R2Score(class_aggregation="median"), "class_aggregation"),
        (lambda: metrics.R2Score(num_regressors=-1), "num_regressors"),
        (lambda: metrics.R2Score().update_state([1.0], [1.0]), "R2Score takes matrices"),
        (lambda: metrics.IoU(2, [2]), "below num_classes=2"),
        (lambda: metrics.AUC(multi_label=True).update_state([1.0], [0.5]), r"of shape \(samples, labels\)"),
        (lambda: metrics.Precision(class_id=1).update_state([1.0], [0.5]), "class_id"),
        (lambda: metrics.Precision().update_state([[1.0, 0.0]], [[0.5, 0.1, 0.2]]), "same shape"),
        (lambda: metrics.get("acuracy"), "did you mean 'accuracy'"),
    ]:
        with pytest.raises(ValueError, match=text):
            call()
    with pytest.raises(TypeError):
        metrics.Mean().update_state([1.0], [1.0], sample_weight=[1.0])


def test_warnings():
    counts = metrics.MeanIoU(2)
    with pytest.warns(UserWarning, match="whole numbers"):
        counts.update_state([0, 1], [0, 1], sample_weight=np.array([0.5, 1.0]))
    for regressors, text in ((5, "more regressors"), (2, "divide by zero")):
        adjusted = metrics.R2Score(num_regressors=regressors)
        adjusted.update_state([[1.0], [2.0], [4.0]], [[1.0], [2.5], [3.0]])
        with pytest.warns(UserWarning, match=text):
            value = float(adjusted.result())
        assert value == pytest.approx(sklearn.metrics.r2_score([1, 2, 4], [1, 2.5, 3]), rel=1e-5)


def test_lookup():
    for name in (
        "mse",
        "MSE",
        "mae",
        "mape",
        "msle",
        "bce",
        "BCE",
        "accuracy",
        "auc",
        "categorical_accuracy",
        "AUC",
        "f1_score",
    ):
        assert type(metrics.get(name)).__name__ == type(keras.metrics.get(name)).__name__
        assert metrics.get(name).name.split("_")[0] == keras.metrics.get(name).name.split("_")[0]
    assert metrics.get(metrics.Mean).name == "mean"
    assert metrics.get(None) is None
    assert metrics.get({"class_name": "Precision", "config": {"top_k": 3}}).top_k == 3
    wrapper = metrics.MeanMetricWrapper(losses.huber, name="h", delta=0.25)
    again = metrics.MeanMetricWrapper.from_config(json.loads(json.dumps(wrapper.get_config())))
    again.update_state([[0.0]], [[1.0]])
    assert float(again.result()) == float(losses.Huber(delta=0.25)([[0.0]], [[1.0]]))
    assert wrapper._direction == "down"
    for name in ("mean_squared_error", "hinge", "binary_crossentropy", "kl_divergence", "log_cosh"):
        assert getattr(metrics, name) is getattr(losses, name)


@pytest.mark.numeric
@pytest.mark.parametrize(
    "name",
    [
        "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy", "top_k_categorical_accuracy",
        "sparse_top_k_categorical_accuracy", "pearson_correlation", "concordance_correlation",
    ],
)  # fmt: skip
def test_functions(name):
    kind = "classes" if "sparse" in name else "one_hot"
    cases = [data(kind, (5, 4)), data(kind, (2, 3, 4))]
    if name == "sparse_categorical_accuracy":
        cases.append((cases[0][0][:, None], cases[0][1]))
    options = {"k": 2} if "top_k" in name else {}
    for y_true, y_pred in cases:
        ours = getattr(metrics, name)(y_true, y_pred, **options)
        theirs = np.asarray(getattr(keras.metrics, name)(y_true, y_pred, **options))
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-5, atol=1e-5)
        assert ours.dtype == "float32"


def test_state_without_a_shape_is_a_number():
    assert metrics.Mean().add_weight(shape=None, initializer="ones", name="seen").shape == ()
