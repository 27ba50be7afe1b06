"""Callbacks in real training runs, beside the oracle: same data, same initial weights, same order of samples."""

import json
import re
import sys

import keras
import numpy as np
import pytest

import hornbeam.keras
from tests.keras.utils.streams import CONTROL

pytestmark = pytest.mark.train
MODULES = [hornbeam.keras, keras]


def data():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(24, 4)).astype("float32")
    return x, (x.sum(axis=1, keepdims=True) > 0).astype("float32")


def fit(module, callbacks=None, *, rate=0.5, epochs=5, use_ema=False, steps_per_execution=1, **options):
    layers = module.layers
    model = module.Sequential(
        [layers.Input((4,)), layers.Dense(3, "tanh", name="a"), layers.Dense(1, "sigmoid", name="b")]
    )
    rng = np.random.default_rng(5)
    model.set_weights([rng.normal(size=weight.shape).astype("float32") for weight in model.get_weights()])
    model.compile(
        module.optimizers.SGD(rate, use_ema=use_ema, ema_momentum=0.5),
        "binary_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
    )
    x, y = data()
    settings = {"epochs": epochs, "batch_size": 8, "shuffle": False, "verbose": 0, **options}
    history = model.fit(x, y, callbacks=callbacks, validation_data=(x[:16], y[:16]), **settings)
    return model, history


def compare(make, **options):
    """Histories of both must agree; returns the pairs of callbacks and models."""
    pairs = []
    for module in MODULES:
        callbacks = make(module.callbacks)
        model, history = fit(module, callbacks, **options)
        pairs.append((callbacks, model, history))
    ours, theirs = (pair[2] for pair in pairs)
    assert list(ours.history) == list(theirs.history) and ours.epoch == theirs.epoch
    for name, values in theirs.history.items():
        np.testing.assert_allclose(ours.history[name], values, rtol=2e-5, atol=2e-6, err_msg=name)
    for one, other in zip(pairs[0][1].get_weights(), pairs[1][1].get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6)
    json.dumps(ours.history)
    return pairs


def test_history():
    pairs = compare(lambda callbacks: None)
    assert sorted(pairs[0][2].params) == sorted(pairs[1][2].params)


def test_early_stopping_and_lower_rates():
    pairs = compare(
        lambda callbacks: [
            callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=1, min_delta=0.05),
            callbacks.EarlyStopping("val_accuracy", patience=2, restore_best_weights=True),
        ],
        epochs=12,
    )
    one, other = (pair[0] for pair in pairs)
    assert (one[1].stopped_epoch, one[1].best_epoch) == (other[1].stopped_epoch, other[1].best_epoch)
    assert one[1].stopped_epoch > 0


def test_schedule():
    compare(lambda callbacks: callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5))


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_averages(swap_on_epoch):
    compare(lambda callbacks: [callbacks.SwapEMAWeights(swap_on_epoch)], use_ema=True)


def test_csv_files_have_the_same_columns(tmp_path):
    for module in MODULES:
        fit(module, [module.callbacks.CSVLogger(tmp_path / module.__name__)])
    ours, theirs = ((tmp_path / module.__name__).read_text().splitlines() for module in MODULES)
    assert ours[0] == theirs[0] == "epoch,accuracy,loss,val_accuracy,val_loss"
    np.testing.assert_allclose(np.loadtxt(ours[1:], delimiter=","), np.loadtxt(theirs[1:], delimiter=","), rtol=2e-5)


def test_a_batch_hook_sees_every_batch():
    seen = {}
    for module in MODULES:
        rows = seen.setdefault(module.__name__, [])
        hook = module.callbacks.LambdaCallback(
            on_train_batch_begin=lambda batch, logs, rows=rows: rows.append((batch, dict(logs))),
            on_train_batch_end=lambda batch, logs, rows=rows: rows.append((batch, dict(logs))),
        )
        fit(module, [hook], epochs=2)
    ours, theirs = seen.values()
    assert [(batch, list(logs)) for batch, logs in ours] == [(batch, list(logs)) for batch, logs in theirs]
    for (_, one), (_, other) in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(list(one.values()), list(other.values()), rtol=2e-5)


def test_checkpoints(tmp_path):
    path = tmp_path / "{epoch}-{val_loss:.3f}.weights.h5"
    model, history = fit(
        hornbeam.keras,
        hornbeam.keras.callbacks.ModelCheckpoint(path, save_weights_only=True, save_best_only=True),
        epochs=3,
    )
    best = np.minimum.accumulate(history.history["val_loss"])
    expected = [
        f"{epoch + 1}-{loss:.3f}.weights.h5"
        for epoch, loss in enumerate(history.history["val_loss"])
        if epoch == 0 or loss < best[epoch - 1]
    ]
    assert sorted(file.name for file in tmp_path.iterdir()) == expected
    before = model.evaluate(*data(), verbose=0)
    model.load_weights(tmp_path / expected[-1])
    if expected[-1].startswith("3"):
        assert model.evaluate(*data(), verbose=0) == before


def test_a_wrong_name_stops_the_first_epoch():
    with pytest.raises(ValueError, match="did you mean 'val_accuracy'"):
        fit(hornbeam.keras, hornbeam.keras.callbacks.EarlyStopping("val_acuracy"))
    callback = hornbeam.keras.callbacks.EarlyStopping("val_acc", patience=9)
    fit(hornbeam.keras, callback, epochs=1)
    assert callback.monitor_op is np.greater and callback.best is not None


def test_log_file_of_a_run(capsys):
    fit(hornbeam.keras, epochs=2, verbose="auto")
    text = capsys.readouterr().out
    assert not set(text) & set(CONTROL) and sys.stdout.isatty() is False
    line = r"3/3 ━{20} \d+s \S+/step - accuracy: \d\.\d{4} - loss: \S+ - val_accuracy: \S+ - val_loss: \S+\n"
    assert re.fullmatch(f"Epoch 1/2\n{line}Epoch 2/2\n{line}", text)
    fit(hornbeam.keras, epochs=1, verbose=2)
    assert re.fullmatch(r"3/3 - \d+s - \S+/step - accuracy: .*\n", capsys.readouterr().out)
