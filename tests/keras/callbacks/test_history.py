import json
import sys

import jax.numpy as jnp
import keras
import pytest

from hornbeam.keras import callbacks as ours
from tests.keras.callbacks.fakes import FakeModel, drive

EPOCHS = [
    {"loss": 1.0, "acc": 0.1},
    {"loss": 0.5, "acc": 0.2, "val_loss": 0.7, "val_acc": 0.3},
    {"loss": 0.25, "acc": 0.3},
    {"loss": 0.125, "acc": 0.4, "val_loss": 0.6, "val_acc": 0.4},
]


def test_same_as_the_oracle():
    one = drive(ours.CallbackList, None, EPOCHS).history
    other = drive(keras.callbacks.CallbackList, None, EPOCHS).history
    assert one.history == other.history and list(one.history) == list(other.history)
    assert one.epoch == other.epoch == [0, 1, 2, 3]
    assert one.params == other.params == {"verbose": 0, "epochs": 4, "steps": None}


def test_values_are_python_floats():
    history = drive(ours.CallbackList, None, [{"loss": jnp.float32(0.5)}]).history
    assert json.loads(json.dumps(history.history)) == {"loss": [0.5]}
    assert type(history.history["loss"][0]) is float


def test_frame():
    frame = drive(ours.CallbackList, None, EPOCHS).history.to_frame()
    assert list(frame.columns) == ["acc", "loss", "val_acc", "val_loss"]
    assert list(frame.index) == [0, 1, 2, 3] and frame.index.name == "epoch"
    assert frame["loss"].tolist() == [1.0, 0.5, 0.25, 0.125]
    assert frame["val_loss"].isna().tolist() == [True, False, True, False]
    assert frame["val_loss"][3] == 0.6


def test_frame_over_two_runs_and_of_nothing():
    history = ours.History()
    model = FakeModel()
    for _ in range(2):
        drive(ours.CallbackList, [history], EPOCHS[:2], model)
    assert list(history.to_frame().index) == [0, 1, 0, 1]
    assert history.epoch == [0, 1] and len(history.history["loss"]) == 4
    assert ours.History().to_frame().empty


def test_plot():
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    history = drive(ours.CallbackList, None, EPOCHS).history
    figure = history.plot()
    assert [axis.get_title() for axis in figure.axes] == ["acc", "loss"]
    lines = {line.get_label(): line for line in figure.axes[1].lines}
    assert lines["training"].get_ydata().tolist() == [1.0, 0.5, 0.25, 0.125]
    assert lines["validation"].get_xdata().tolist() == [2, 4]
    assert lines["validation"].get_ydata().tolist() == [0.7, 0.6]
    pyplot.close(figure)
    figure = history.plot("loss")
    assert len(figure.axes) == 1
    pyplot.close(figure)
    with pytest.raises(ValueError, match="no metric is called 'mae'"):
        history.plot("mae")
    with pytest.raises(ValueError, match="nothing has been recorded"):
        ours.History().plot()


@pytest.mark.parametrize(
    ("package", "method", "advice"), [("matplotlib", "plot", r"hornbeam\[plot\]"), ("pandas", "to_frame", "pandas")]
)
def test_absent_packages_are_named(monkeypatch, package, method, advice):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=advice):
        getattr(ours.History(), method)()
