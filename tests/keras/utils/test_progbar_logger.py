import importlib
import re

import keras
import pytest

from hornbeam.keras import callbacks as ours
from hornbeam.keras.utils import progbar, progress_screens
from tests.keras.callbacks.fakes import FakeModel
from tests.keras.utils.streams import CONTROL, Clock, Notebook, Pipe, Terminal, redirect, screen_after
from tests.keras.utils.test_progbar import plain

oracle = importlib.import_module("keras.src.utils.progbar")


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progbar, "clock", clock)
    monkeypatch.setattr(oracle, "time", clock)
    # The oracle calls its callbacks in threads, which would see a clock that has gone on.
    monkeypatch.setattr(importlib.import_module("keras.src.backend"), "IS_THREAD_SAFE", False)
    monkeypatch.delenv(progress_screens.FORCE, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    return clock


def train(module, clock, *, epochs=2, steps=5, verbose="auto", known=True, validate=True, fail_at=None, seconds=0.04):
    clock.now = 1000.0
    run = module.CallbackList(
        None, True, True, FakeModel(), verbose=verbose, epochs=epochs, steps=steps if known else None
    )
    run.on_train_begin()
    for epoch in range(epochs):
        run.on_epoch_begin(epoch)
        for step in range(steps):
            run.on_train_batch_begin(step)
            clock.now += seconds
            if (epoch, step) == fail_at:
                run.on_train_end()
                return
            run.on_train_batch_end(step, {"loss": 1.0 / (step + 1), "accuracy": 0.25})
        logs = {"loss": 0.2, "accuracy": 0.25}
        if validate:
            run.on_test_begin()
            run.on_test_batch_end(0, {"loss": 3.0})
            run.on_test_end({"loss": 3.0})
            logs["val_loss"] = 3.0
        run.on_epoch_end(epoch, logs)
    run.on_train_end(logs)


def output(monkeypatch, stream, function, *args, **kwargs):
    redirect(monkeypatch, stream)
    function(*args, **kwargs)
    return stream.getvalue()


@pytest.mark.parametrize("verbose", [0, "auto", 2])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("epochs", [1, 3])
def test_training_as_the_oracle(monkeypatch, clock, verbose, known, epochs):
    options = {"verbose": verbose, "known": known, "epochs": epochs}
    expected = plain(output(monkeypatch, Terminal(), train, keras.callbacks, clock, **options))
    live = output(monkeypatch, Terminal(), train, ours, clock, **options)
    assert screen_after(live) == expected
    piped = output(monkeypatch, Pipe(), train, ours, clock, **options)
    assert piped.split("\n") == expected
    assert not set(piped) & set(CONTROL)
    assert piped.count("\n") == (0 if not verbose else 1 if epochs == 1 else 2 * epochs)


def evaluate(module, clock, mode):
    clock.now = 1000.0
    run = module.CallbackList(None, add_progbar=True, model=FakeModel(), verbose="auto", epochs=1, steps=3)
    getattr(run, f"on_{mode}_begin")()
    for step in range(3):
        clock.now += 0.5
        getattr(run, f"on_{mode}_batch_end")(step, {"loss": 1.0} if mode == "test" else {"outputs": [1, 2, 3]})
    getattr(run, f"on_{mode}_end")({"loss": 0.5} if mode == "test" else None)


@pytest.mark.parametrize("mode", ["test", "predict"])
def test_evaluation_and_prediction_as_the_oracle(monkeypatch, clock, mode):
    expected = plain(output(monkeypatch, Terminal(), evaluate, keras.callbacks, clock, mode))
    assert screen_after(output(monkeypatch, Terminal(), evaluate, ours, clock, mode)) == expected
    assert output(monkeypatch, Pipe(), evaluate, ours, clock, mode).split("\n") == expected


def test_messages_of_other_callbacks_stand_between_the_lines(monkeypatch, clock):
    def run(module):
        clock.now = 1000.0
        stop = module.ReduceLROnPlateau("loss", patience=0, verbose=1)
        run = module.CallbackList([stop], True, True, FakeModel(), verbose=1, epochs=2, steps=1)
        run.on_train_begin()
        for epoch in range(2):
            run.on_epoch_begin(epoch)
            clock.now += 1
            run.on_train_batch_end(0, {"loss": 1.0})
            run.on_epoch_end(epoch, {"loss": 1.0})
        run.on_train_end()

    expected = plain(output(monkeypatch, Terminal(), run, keras.callbacks))
    assert screen_after(output(monkeypatch, Terminal(), run, ours)) == expected


def test_an_open_line_is_ended_when_training_breaks_off(monkeypatch, clock):
    text = output(monkeypatch, Terminal(), train, ours, clock, fail_at=(0, 3), seconds=0.2)
    assert re.fullmatch(r"Epoch 1/2\n\r1/5 [^\n]*\r2/5 [^\n]*\r3/5 [^\n]*\n", text)
    assert output(monkeypatch, Pipe(), train, ours, clock, fail_at=(0, 3)) == "Epoch 1/2\n"


def test_an_express_wish_for_the_bar_holds_everywhere(monkeypatch, clock):
    text = output(monkeypatch, Pipe(), train, ours, clock, verbose=1)
    assert text.count("\r") > 2 and "ETA: " in text
    expected = plain(output(monkeypatch, Terminal(), train, keras.callbacks, clock, verbose=1))
    assert screen_after(text) == expected


def test_set_params_without_some_keys():
    logger = ours.ProgbarLogger()
    logger.set_params({"verbose": "auto"})
    assert (logger.verbose, logger.epochs, logger.target) == (1, 1, None)


def test_notebook_of_fifty_epochs_is_small(monkeypatch, clock):
    notebook = Notebook(monkeypatch)
    train(ours, clock, epochs=50, steps=1000, seconds=0.001, validate=True)
    assert len(notebook.outputs) == 1 and notebook.stream.getvalue() == ""
    text = notebook.outputs[0]["text/plain"]
    assert len(text.encode()) < 64 * 1024
    lines = text.split("\n")
    assert lines[0] == "Epoch 1/50" and lines[-2] == "Epoch 50/50" and lines[-1].startswith("1000/1000 ━")
    assert len(lines) == 100 and "val_loss: 3.0000" in lines[-1]
    # At most ten redraws a second, and two for the beginning and the end of each epoch.
    assert notebook.updates < 50 * 10 + 50 * 3


def test_notebook_of_many_epochs_drops_the_first_ones(monkeypatch, clock):
    notebook = Notebook(monkeypatch)
    train(ours, clock, epochs=500, steps=1, validate=False)
    lines = notebook.outputs[0]["text/plain"].split("\n")
    assert len(lines) == 201 and lines[0] == "... (800 lines before)"


def test_two_runs_in_a_notebook_have_two_displays(monkeypatch, clock):
    notebook = Notebook(monkeypatch)
    for _ in range(2):
        train(ours, clock, epochs=1)
    assert len(notebook.outputs) == 2
