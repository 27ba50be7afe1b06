import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbeam.base.errors import ArgumentError
from hornbeam.core.tensor import wrap
from hornbeam.keras import callbacks as ours
from hornbeam.keras import optimizers
from tests.keras.callbacks.fakes import FakeModel, FakeMultiOptimizer, FakeOptimizer, drive


# --- LearningRateScheduler -----------------------------------------------------------------------
def schedules(module, schedule, capsys=None, optimizer=None, verbose=0):
    model = FakeModel(optimizer or FakeOptimizer(0.1))
    drive(module.CallbackList, [module.LearningRateScheduler(schedule, verbose)], [{"loss": 1.0}] * 3, model)
    return model.history.history, capsys.readouterr().out if capsys else ""


def by_epoch(epoch):
    return 0.1 / (epoch + 1)


def by_rate(epoch, lr):
    return lr * 0.5


@pytest.mark.parametrize("schedule", [by_epoch, by_rate, lambda epoch, lr=1.0: np.float32(lr * 0.9)])
@pytest.mark.parametrize("multi", [False, True])
def test_scheduler_as_the_oracle(schedule, multi, capsys):
    found = []
    for module in (ours, keras.callbacks):
        inner = [FakeOptimizer(0.1, "one"), FakeOptimizer(0.2, "two")]
        optimizer = FakeMultiOptimizer(*inner) if multi else inner[0]
        found.append(schedules(module, schedule, capsys, optimizer, verbose=1))
        found[-1] += ([one.set_to for one in inner],)
    assert found[0] == found[1]
    assert ("learning_rate_two" if multi else "learning_rate") in found[0][0]


def test_scheduler_wants_a_float():
    for module in (ours, keras.callbacks):
        with pytest.raises(ValueError, match=r"should be a float|must return a float"):
            schedules(module, lambda epoch, lr: 1)
    with pytest.raises(ValueError, match="must return a float"):
        schedules(ours, lambda epoch, lr: None)
    with pytest.raises(ValueError, match="must return a float"):
        schedules(ours, lambda epoch, lr: np.ones(2))


def test_scheduler_takes_scalar_tensors():
    history, _ = schedules(ours, lambda epoch, lr: wrap(jnp.float32(0.25)))
    assert history["learning_rate"] == [0.25] * 3


def test_an_error_inside_the_schedule_is_not_hidden():
    def broken(epoch, lr):
        return lr + "text"

    with pytest.raises(TypeError, match="unsupported operand"):
        schedules(ours, broken)


def test_scheduler_with_a_real_optimizer():
    model = FakeModel(optimizers.SGD(0.5))
    drive(ours.CallbackList, [ours.LearningRateScheduler(by_rate)], [{"loss": 1.0}] * 2, model)
    assert float(np.asarray(model.optimizer.learning_rate)) == 0.125
    assert model.history.history["learning_rate"] == [0.25, 0.125]


# --- ReduceLROnPlateau ---------------------------------------------------------------------------
def plateau(module, values, capsys=None, optimizer=None, **options):
    model = FakeModel(optimizer or FakeOptimizer(0.1))
    callback = module.ReduceLROnPlateau("val_loss", **options)
    epochs = [{"val_loss": float(np.float32(value))} for value in values]
    drive(module.CallbackList, [callback], epochs, model)
    return {
        "history": model.history.history["learning_rate"] if optimizer is None else model.history.history,
        "wait": callback.wait,
        "cooldown": callback.cooldown_counter,
        "best": str(None if callback.best is None else float(callback.best)),
        "out": capsys.readouterr().out if capsys else "",
    }


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(
        st.sampled_from([0.1, 0.2, 0.2001, 0.3, 0.30001, 0.3002, 0.5, float("nan")]), min_size=1, max_size=10
    ),
    patience=st.integers(0, 3),
    cooldown=st.integers(0, 2),
    mode=st.sampled_from(["auto", "min", "max"]),
    min_delta=st.sampled_from([1e-4, 0, 0.2]),
    min_lr=st.sampled_from([0.0, 0.02, 0.1]),
    factor=st.sampled_from([0.1, 0.5]),
)
def test_plateau_as_the_oracle(values, **options):
    assert plateau(ours, values, **options) == plateau(keras.callbacks, values, **options)


@pytest.mark.parametrize("multi", [False, True])
def test_plateau_texts(capsys, multi):
    found = []
    for module in (ours, keras.callbacks):
        optimizer = FakeMultiOptimizer(FakeOptimizer(0.1, "one"), FakeOptimizer(1e-9, "two")) if multi else None
        found.append(plateau(module, [1, 1, 1], capsys, optimizer, patience=1, verbose=1, min_lr=1e-5))
    assert found[0] == found[1] and "ReduceLROnPlateau reducing" in found[0]["out"]


def test_plateau_arguments():
    for module in (ours, keras.callbacks):
        with pytest.raises(ValueError, match=r"must be below 1|does not support a factor >= 1.0"):
            module.ReduceLROnPlateau(factor=1.0)
    assert ours.ReduceLROnPlateau(epsilon=0.5).min_delta == 0.5
    with pytest.raises(ArgumentError, match="did you mean 'patience'"):
        ours.ReduceLROnPlateau(patiense=3)


def test_plateau_wrong_name():
    with pytest.raises(ValueError, match="did you mean 'val_loss'"):
        drive(ours.CallbackList, [ours.ReduceLROnPlateau("val_los")], [{"loss": 1, "val_loss": 1}])
    with pytest.warns(UserWarning, match="finds no metric `val_loss`"):
        drive(ours.CallbackList, [ours.ReduceLROnPlateau()], [{"loss": 1}])
