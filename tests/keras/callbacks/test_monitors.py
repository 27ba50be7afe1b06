"""Names of metrics are looked up before the first step."""

from __future__ import annotations

import warnings

import pytest

from hornbeam import keras
from tests.keras.trainers.small import X, Y, model

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def net():
    return model(metrics=["mae", "accuracy"])


def fit(net, *callbacks, validation=True, **options):
    data = (X, Y) if validation else None
    net.fit(X, Y, epochs=1, batch_size=25, verbose=0, validation_data=data, callbacks=list(callbacks), **options)


@pytest.mark.parametrize(
    "callback",
    [
        keras.callbacks.EarlyStopping("val_acuracy"),
        keras.callbacks.ReduceLROnPlateau("val_maee"),
        keras.callbacks.ModelCheckpoint("never.keras", "los", save_best_only=True),
    ],
    ids=lambda callback: callback.monitor,
)
@pytest.mark.parametrize("validation", [True, False])
def test_a_wrong_name_is_refused_before_the_first_step(net, callback, validation):
    steps = int(net.optimizer.iterations)
    with pytest.raises(ValueError, match=r"(?s)no metric of that name.*expected: one of"):
        fit(net, callback, validation=validation)
    assert int(net.optimizer.iterations) == steps


@pytest.mark.parametrize("monitor", ["val_acc", "val_accuracy", "mae", "loss", "learning_rate", "lr"])
def test_names_that_will_be_there(net, monitor):
    rate = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01)
    fit(net, rate, keras.callbacks.EarlyStopping(monitor, mode="min"))


def test_a_callback_may_put_names_into_the_logs(net):
    add = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(own=1.0))
    stop = keras.callbacks.EarlyStopping("own", mode="max")
    fit(net, add, stop)
    assert stop.best == 1.0


def test_a_step_of_ones_own():
    class Net(keras.Sequential):
        def train_step(self, data):
            return {"mine": super().train_step(data)["loss"]}

    net = Net([keras.layers.Dense(1)])
    net.compile("sgd", "mse")
    with pytest.raises(ValueError, match="did you mean 'mine'"):
        fit(net, keras.callbacks.EarlyStopping("mime", mode="min"))
    fit(net, keras.callbacks.EarlyStopping("mine", mode="min"))


def test_a_metric_of_the_validation_without_validation_warns_at_the_line_of_the_call(net):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(net, keras.callbacks.EarlyStopping("val_loss"), validation=False)
    (warning,) = [one for one in caught if "val_loss" in str(one.message)]
    assert warning.filename == __file__
