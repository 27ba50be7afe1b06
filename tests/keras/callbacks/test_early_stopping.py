import warnings

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbeam.keras import callbacks as ours
from hornbeam.keras import metrics
from hornbeam.keras.callbacks.monitor_callback import direction_of
from tests.keras.callbacks.fakes import FakeModel, drive

# A few values that tie, and that differ by about a `min_delta`.
VALUES = st.lists(st.sampled_from([0.1, 0.2, 0.2001, 0.3, 0.30001, 0.5, 0.7, float("nan")]), min_size=1, max_size=8)


def state(module, values, **options):
    callback = module.EarlyStopping(monitor="val_loss", **options)
    model = FakeModel()
    values = [float(np.float32(value)) for value in values]
    drive(module.CallbackList, [callback], [{"val_loss": value, "loss": 1.0} for value in values], model)
    best_weights = None if callback.best_weights is None else float(callback.best_weights[0][0])
    best = None if callback.best is None else float(callback.best)
    return {
        "epochs": len(model.history.epoch),
        "stopped": callback.stopped_epoch,
        "wait": callback.wait,
        "best": str(best),
        "best_epoch": callback.best_epoch,
        "weights": best_weights,
        "restored": [float(weights[0][0]) for weights in model.restored],
    }


@settings(max_examples=60, deadline=None)
@given(
    values=VALUES,
    patience=st.integers(0, 3),
    mode=st.sampled_from(["auto", "min", "max"]),
    min_delta=st.sampled_from([0, 1e-4, -0.1]),
    baseline=st.sampled_from([None, 0.3]),
    restore=st.booleans(),
    start=st.integers(0, 2),
)
def test_same_as_the_oracle(values, patience, mode, min_delta, baseline, restore, start):
    options = {
        "patience": patience,
        "mode": mode,
        "min_delta": min_delta,
        "baseline": baseline,
        "restore_best_weights": restore,
        "start_from_epoch": start,
    }
    assert state(ours, values, **options) == state(keras.callbacks, values, **options)


def test_printed_texts(capsys):
    texts = []
    for module in (ours, keras.callbacks):
        state(module, [0.5, 0.3, 0.4, 0.6], patience=2, verbose=1, restore_best_weights=True)
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert "Epoch 4: early stopping\nRestoring model weights from the end of the best epoch: 2." in texts[0]


def test_can_be_used_again():
    callback = ours.EarlyStopping("loss", patience=1)
    for _ in range(2):
        model = drive(ours.CallbackList, [callback], [{"loss": value} for value in (1.0, 0.5, 0.6, 0.7)])
        assert len(model.history.epoch) == 3


def test_unknown_mode_warns():
    with pytest.warns(UserWarning, match="knows no mode 'other'"):
        assert ours.EarlyStopping(mode="other").mode == "auto"


# --- names ---------------------------------------------------------------------------------------
def run_one(logs, **options):
    callback = ours.EarlyStopping(**options)
    drive(ours.CallbackList, [callback], [logs])
    return callback


@pytest.mark.parametrize(
    ("monitor", "logs"),
    [
        ("val_acc", {"val_accuracy": 0.5}),
        ("val_accuracy", {"val_acc": 0.5}),
        ("acc", {"accuracy": 0.5}),
        ("lr", {"learning_rate": 0.5}),
    ],
)
def test_two_names_of_one_metric(monitor, logs):
    assert run_one(logs, monitor=monitor, mode="max").best == 0.5


@pytest.mark.parametrize(
    ("monitor", "logs", "closest"),
    [
        ("val_acuracy", {"loss": 1, "accuracy": 1, "val_loss": 1, "val_accuracy": 1}, "val_accuracy"),
        ("los", {"loss": 1}, "loss"),
    ],
)
@pytest.mark.parametrize("mode", ["auto", "min"])
def test_a_wrong_name_is_an_error(monitor, logs, closest, mode):
    with pytest.raises(ValueError, match=f"did you mean '{closest}'") as caught:
        run_one(logs, monitor=monitor, mode=mode)
    assert all(name in str(caught.value) for name in logs)


def test_validation_that_is_not_due_warns_only():
    callback = ours.EarlyStopping("val_loss", patience=5)
    epochs = [{"loss": 1.0}, {"loss": 1.0, "val_loss": 0.5}, {"loss": 1.0}]
    with pytest.warns(UserWarning, match="finds no metric `val_loss`"):
        drive(ours.CallbackList, [callback], epochs)
    assert callback.best == 0.5


def test_a_name_that_was_there_once_warns_only():
    with pytest.warns(UserWarning, match="There are: loss"):
        drive(ours.CallbackList, [ours.EarlyStopping("f1", mode="max")], [{"loss": 1, "f1": 1}, {"loss": 1}])


def test_a_missing_metric_is_warned_about_as_by_the_oracle():
    counts = []
    for module in (ours, keras.callbacks):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            drive(module.CallbackList, [module.EarlyStopping()], [{"loss": 1.0, "acc": 1.0}])
        texts = [str(one.message) for one in caught if "val_loss" in str(one.message)]
        counts.append(len(texts))
        assert all("acc" in text and "loss" in text for text in texts)
    assert counts == [1, 1]


# --- direction -----------------------------------------------------------------------------------
class Named:
    def __init__(self, name, direction=None):
        self.name = name
        if direction:
            self._direction = direction


@pytest.mark.parametrize(
    ("monitor", "metric", "expected"),
    [
        ("val_loss", None, np.less),
        ("val_accuracy", Named("accuracy", "up"), np.greater),
        ("val_acc", Named("accuracy"), np.greater),
        ("mae", Named("mae", "down"), np.less),
        ("val_head_mae", Named("mae", "down"), np.less),
        ("val_head_loss", None, np.less),
        ("val_head_accuracy", Named("accuracy", "up"), np.greater),
    ],
)
def test_direction_by_the_metric(monitor, metric, expected):
    callback = ours.EarlyStopping(monitor)
    model = FakeModel(metrics=[metric] if metric else [])
    drive(ours.CallbackList, [callback], [{monitor: 0.5}], model)
    assert callback.monitor_op is expected


def test_direction_that_nothing_tells_is_an_error():
    with pytest.raises(ValueError, match="Pass `mode='max'`"):
        run_one({"score": 1.0}, monitor="score")
    with pytest.raises(ValueError):
        drive(keras.callbacks.CallbackList, [keras.callbacks.EarlyStopping("score")], [{"score": 1.0}])


@pytest.mark.parametrize(
    "name",
    """Accuracy BinaryAccuracy CategoricalAccuracy SparseCategoricalAccuracy TopKCategoricalAccuracy Precision Recall
    AUC F1Score MeanIoU CosineSimilarity R2Score MeanSquaredError RootMeanSquaredError MeanAbsoluteError Hinge
    KLDivergence Poisson BinaryCrossentropy CategoricalCrossentropy SparseCategoricalCrossentropy LogCoshError Mean
    FalsePositives""".split(),  # noqa: SIM905 - a table of names
)
def test_directions_of_metrics_are_those_of_the_oracle(name):
    if not hasattr(metrics, name):
        pytest.skip(f"metrics.{name} is not there yet")
    options = {"num_classes": 2} if name == "MeanIoU" else {}
    theirs = getattr(getattr(keras.metrics, name)(**options), "_direction", None)
    assert direction_of(getattr(metrics, name)(**options)) == theirs
