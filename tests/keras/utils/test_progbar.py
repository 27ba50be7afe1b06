import importlib
import re
import time

import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbeam.keras.callbacks.logs import LazyLogs
from hornbeam.keras.utils import progbar, progress_screens, terminal
from hornbeam.keras.utils.progbar import Progbar, fit_line
from tests.keras.utils.streams import CONTROL, AsciiPipe, Clock, Notebook, Pipe, Terminal, redirect, screen_after

oracle = importlib.import_module("keras.src.utils.progbar")


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progbar, "clock", clock)
    monkeypatch.setattr(oracle, "time", clock)
    return clock


@pytest.fixture
def tty(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv(progress_screens.FORCE, raising=False)
    return redirect(monkeypatch, Terminal())


@pytest.fixture
def pipe(monkeypatch):
    monkeypatch.delenv(progress_screens.FORCE, raising=False)
    return redirect(monkeypatch, Pipe())


def plain(text):
    """The oracle's output without colours and motion: its last states, line by line."""
    text = re.sub(r"\x1b\[37m(━*)\x1b\[0m", lambda rest: "─" * len(rest[1]), text)
    text = re.sub(r"\x1b\[\d+m", "", text)
    return [line.rpartition("\r")[2].rstrip() for line in text.split("\n")]


# --- same texts as the oracle --------------------------------------------------------------------
SCRIPTS = {
    "steady": [(n, [("loss", 1.0 / n), ("mae", 0.5e-4 * n)], None, 0.2) for n in range(1, 6)],
    "slow": [(n, [("loss", -float(n))], None, 90.0) for n in range(1, 6)],
    "very slow": [(n, [("loss", 0.0)], None, 4000.0) for n in range(1, 6)],
    "quick": [(n, [("loss", float("nan"))], None, 1e-5) for n in range(1, 6)],
    "jumps": [(2, [("loss", 1.0)], None, 1.0), (4, [("loss", 2.0), ("new", 3)], None, 1.0), (5, [], None, 1.0)],
    "finalize early": [(1, [("loss", 1.0)], None, 1.0), (3, [("loss", 0.25)], True, 1.0)],
    "nothing": [(0, None, None, 0.0), (5, None, True, 0.5)],
    "arrays": [(1, [("v", np.array([1.0, 3.0]))], None, 1.0), (5, [("v", np.array([2.0, 3.0]))], None, 1.0)],
}


def last_line(module, script, clock, stream, target=5, **options):
    clock.now = 1000.0
    bar = module.Progbar(target, **options)
    for current, values, finalize, seconds in script:
        clock.now += seconds
        bar.update(current, values, finalize=finalize)
    text = stream.getvalue()
    stream.truncate(0)
    stream.seek(0)
    return text


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("verbose", [1, 2])
@pytest.mark.parametrize(
    "options", [{}, {"stateful_metrics": ["loss"]}, {"stateless_metrics": ["mae"]}, {"unit_name": "sample"}], ids=str
)
def test_last_line_is_that_of_the_oracle(name, verbose, options, clock, tty):
    options = {**options, "verbose": verbose}
    ours = screen_after(last_line(progbar, SCRIPTS[name], clock, tty, **options))
    assert ours == plain(last_line(oracle, SCRIPTS[name], clock, tty, **options))
    assert len(ours) == 2


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_pipe_gets_the_same_line(name, clock, pipe):
    ours = last_line(progbar, SCRIPTS[name], clock, pipe)
    assert ours.split("\n") == plain(last_line(oracle, SCRIPTS[name], clock, pipe))
    assert not set(ours) & set(CONTROL)


@pytest.mark.parametrize("target", [None, 0])
def test_unknown_target(target, clock, tty):
    script = [(n, [("loss", 1.0)], False, 0.5) for n in range(1, 4)]
    ours = screen_after(last_line(progbar, script, clock, tty, target))
    assert (
        ours == plain(last_line(oracle, script, clock, tty, target)) == ["      3/Unknown 2s 500ms/step - loss: 1.0000"]
    )


def test_live_line_counts_down(clock, tty):
    bar = Progbar(1000, stateless_metrics=())
    for current, seconds, eta in ((1, 1.0, "16:39"), (2, 1.0, "16:38"), (100, 1.0, "18s"), (999, 1.0, "0s")):
        clock.now += seconds
        bar.update(current, {"loss": 0.5})
        line = screen_after(tty.getvalue())[0]
        assert f" {eta} " in line and line.startswith(f"{current:4d}/1000 ")
    assert line.count("━") == 19 and line.count("─") == 1


def test_arguments_are_those_of_the_oracle():
    import inspect

    ours, theirs = (
        [(p.name, p.default) for p in inspect.signature(kind.__init__).parameters.values()]
        for kind in (Progbar, keras.utils.Progbar)
    )
    assert ours == theirs
    for kind in (Progbar, keras.utils.Progbar):
        with pytest.raises(ValueError):
            kind(1, stateful_metrics=["a"], stateless_metrics=["b"])


def test_add(clock, tty):
    bar = Progbar(6, verbose=2)
    for _ in range(3):
        clock.now += 1
        bar.add(2, [("loss", 1.0)])
    assert tty.getvalue() == "6/6 - 3s - 500ms/step - loss: 1.0000\n"


def test_silence(clock, pipe):
    bar = Progbar(2, verbose=0)
    bar.update(1, [("loss", 1.0)])
    bar.update(2, [("loss", 1.0)])
    assert pipe.getvalue() == ""


# --- how often, and at what cost -----------------------------------------------------------------
def test_at_most_ten_redraws_a_second(clock, tty):
    bar = Progbar(2000, interval=0.0, stateless_metrics=())
    for step in range(1, 2001):
        clock.now += 0.005
        bar.update(step, {"loss": 1.0}, finalize=False)
    bar.update(2000, {"loss": 1.0}, finalize=True)
    assert 90 <= tty.getvalue().count("\r") <= 102


class Unreadable(dict):
    """Logs whose values may be looked at only when the clock says so."""

    def __init__(self):
        super().__init__(loss=1.0)
        self.looks = 0

    def items(self):
        self.looks += 1
        return super().items()


@pytest.mark.parametrize("stream", ["tty", "pipe"])
def test_logs_are_read_only_for_drawing(stream, clock, request):
    output = request.getfixturevalue(stream)
    bar = Progbar(1000, stateless_metrics=())
    looks = 0
    for step in range(1, 1000):
        clock.now += 0.001
        logs = Unreadable()
        bar.update(step, logs, finalize=False)
        looks += logs.looks
    drawn = output.getvalue().count("\r")
    assert drawn == (10 if stream == "tty" else 0)
    assert looks <= drawn + 1


def test_lazy_logs_and_device_values(clock, pipe):
    bar = Progbar(2, stateless_metrics=())
    bar.update(1, LazyLogs({"loss": jnp.float32(4.0), "old": 1.0}))
    clock.now += 1
    bar.update(2, LazyLogs({"loss": jnp.float32(2.0)}))
    assert pipe.getvalue().endswith(" 1s 1s/step - loss: 2.0000 - old: 1.0000\n")


def test_averages_of_device_values(clock, pipe):
    bar = Progbar(3)
    bar.update(1, [("loss", jnp.float32(1.0))])
    bar.update(2, [("loss", jnp.float32(3.0))], finalize=False)
    clock.now += 1
    bar.update(3, [], finalize=True)
    assert pipe.getvalue().endswith("- loss: 2.0000\n")


def test_updates_that_draw_nothing_are_cheap(tty):
    bar = Progbar(10**6, stateless_metrics=())
    logs = LazyLogs({"loss": 1.0, "acc": 1.0})
    bar.update(1, logs)
    start = time.perf_counter()
    for step in range(2, 2002):
        bar.update(step, logs, finalize=False)
    # A thousandth of a second per update would already be a hundred times too much.
    assert time.perf_counter() - start < 2


# --- width ---------------------------------------------------------------------------------------
@settings(max_examples=200, deadline=None)
@given(
    names=st.lists(st.text(min_size=1, max_size=60), max_size=8),
    columns=st.integers(1, 160),
    done=st.integers(0, 20),
)
def test_a_line_never_wraps(names, columns, done):
    metrics = [(terminal.escape(name), "0.1234") for name in names]
    line = fit_line("   1/5000", "━" * done + "─" * (20 - done), "10s", "3ms/step", metrics, columns)
    assert terminal.width(line) <= columns and (line.isprintable() or "\u200d" in line)


USUAL = [("accuracy", "0.9876"), ("loss", "0.0432"), ("val_accuracy", "0.9780"), ("val_loss", "0.0812")]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (200, "10/10 ━━━━━━━━━━━━━━━━━━━━ 5s 3ms/step - accuracy: 0.9876 - loss: 0.0432 - val_accuracy: 0.9780"
         " - val_loss: 0.0812"),
        (104, "10/10 ━━━━━━━━━━ 5s 3ms/step - accuracy: 0.9876 - loss: 0.0432 - val_accuracy: 0.9780"
         " - val_loss: 0.0812"),
        (95, "10/10 5s 3ms/step - accuracy: 0.9876 - loss: 0.0432 - val_accuracy: 0.9780 - val_loss: 0.0812"),
        (85, "10/10 5s - accuracy: 0.9876 - loss: 0.0432 - val_accuracy: 0.9780 - val_loss: 0.0812"),
        (79, "10/10 5s - accura…: 0.9876 - loss: 0.0432 - val_ac…: 0.9780 - val_lo…: 0.0812"),
        (75, "10/10 5s - accur…: 0.9876 - loss: 0.0432 - val_a…: 0.9780 - val_l…: 0.0812"),
        (60, "10/10 5s - accur…: 0.9876 - loss: 0.0432 - val_a…: 0.9780 …"),
        (20, "10/10 5s …"),
        (6, "10/10…"),
    ],
)  # fmt: skip
def test_what_gives_way(columns, expected):
    line = fit_line("10/10", "━" * 20, "5s", "3ms/step", USUAL, columns)
    assert line == expected and len(line) <= columns


def test_very_long_names_give_way_before_the_bar():
    metrics = [("a_very_long_name_of_a_metric_number_one", "0.1234"), ("loss", "1.0000")]
    line = fit_line("1/5", "━" * 4 + "─" * 16, "0s", "1ms/step", metrics, 79)
    assert line == "1/5 ━━━────────────── 0s 1ms/step - a_very_long_name_of…: 0.1234 - loss: 1.0000"
    assert len(line) == 79
    assert fit_line("1/5", "━" * 20, "0s", "1ms/step", metrics, None).endswith("number_one: 0.1234 - loss: 1.0000")


def test_long_names_on_a_terminal(clock, tty, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    bar = Progbar(3, stateless_metrics=())
    for step in range(1, 4):
        clock.now += 1
        bar.update(step, {"x" * (90 * step): 1.0, "\x1b[31mred": 1.0, "loss": 0.5 if step == 3 else 0.0001})
    for part in re.split("[\r\n]", tty.getvalue()):
        assert len(part) <= 79
    assert tty.getvalue().count("\n") == 1 and "\x1b" not in tty.getvalue()
    assert len(screen_after(tty.getvalue())) == 2


def test_a_shorter_line_wipes_out_a_longer_one(clock, tty):
    bar = Progbar(3, stateless_metrics=())
    for step, value in ((1, 123456.0), (2, 1.0)):
        clock.now += 1
        bar.update(step, {"loss": value})
    assert screen_after(tty.getvalue()) == ["2/3 ━━━━━━━━━━━━━─────── 1s 1s/step - loss: 1.0000"]


# --- other outputs -------------------------------------------------------------------------------
def test_ascii_output(clock, monkeypatch):
    stream = redirect(monkeypatch, AsciiPipe())
    Progbar(1).update(1, [("größe", 1.0)])
    assert stream.getvalue() == "1/1 ==================== 0s 0s/step - gr??e: 1.0000\n"


@pytest.mark.parametrize(("value", "expected"), [("bar", True), ("plain", False), ("auto", False), ("", False)])
def test_environment_variable(value, expected, clock, pipe, monkeypatch):
    monkeypatch.setenv(progress_screens.FORCE, value)
    bar = Progbar(2)
    bar.update(1, [])
    clock.now += 1
    bar.update(2, [])
    assert ("\r" in pipe.getvalue()) is expected
    assert pipe.getvalue().endswith("2/2 ━━━━━━━━━━━━━━━━━━━━ 1s 1s/step\n")


def test_environment_variable_must_be_known(monkeypatch):
    monkeypatch.setenv(progress_screens.FORCE, "fancy")
    with pytest.raises(ValueError, match="must be 'auto', 'bar' or 'plain'"):
        Progbar(2).update(1)


def test_plain_is_possible_on_a_terminal(clock, tty, monkeypatch):
    monkeypatch.setenv(progress_screens.FORCE, "plain")
    Progbar(1).update(1)
    assert tty.getvalue().count("\n") == 1 and not set(tty.getvalue()) & set(CONTROL)


def test_no_standard_output(monkeypatch):
    redirect(monkeypatch, None)
    bar = Progbar(1)
    bar.update(1, [("loss", 1.0)])
    assert bar.screen.live is False


def test_to_the_log(clock, tty, caplog):
    keras_config = importlib.import_module("hornbeam.keras.config")
    keras_config.disable_interactive_logging()
    try:
        with caplog.at_level("INFO", logger="hornbeam"):
            bar = Progbar(2)
            bar.update(1, [("loss", 1.0)])
            clock.now += 1
            bar.update(2, [("loss", 1.0)])
    finally:
        keras_config.enable_interactive_logging()
    assert tty.getvalue() == ""
    assert [record.getMessage() for record in caplog.records] == ["2/2 ━━━━━━━━━━━━━━━━━━━━ 1s 1s/step - loss: 1.0000"]


def test_notebook_has_one_display(clock, monkeypatch):
    notebook = Notebook(monkeypatch)
    bar = Progbar(100, stateless_metrics=())
    for step in range(1, 101):
        clock.now += 0.05
        bar.update(step, {"loss": 1.0})
    assert [list(output) for output in notebook.outputs] == [["text/plain"]]
    assert notebook.outputs[0]["text/plain"].startswith("100/100 ━")
    assert 30 <= notebook.updates <= 60 and notebook.stream.getvalue() == ""
