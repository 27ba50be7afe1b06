import importlib
import sys

import keras
import numpy as np
import pytest

import hornbeam.keras
from hornbeam.base import registry
from hornbeam.keras.utils import summary_table, terminal
from hornbeam.keras.utils.summary_table import count_params, print_summary, readable_memory_size, weight_memory_size
from tests.keras.utils.models_to_show import MODELS, build
from tests.keras.utils.streams import AsciiPipe, Notebook, Pipe, Terminal, redirect

oracle = importlib.import_module("keras.src.utils.summary_utils")


@pytest.fixture(autouse=True)
def _fresh_names():
    """Default names count up over a whole process, in the oracle and here apart."""
    keras.utils.clear_session()
    hornbeam.keras.utils.clear_session()


def text_of(show, model, **options):
    texts = []
    show(model, print_fn=texts.append, **options)
    assert len(texts) == 1
    return texts[0]


OPTIONS = {
    "80 columns": {},
    "all": {"show_trainable": True, "expand_nested": True},
    "narrow": {"line_length": 50},
    "wide": {"line_length": 100, "expand_nested": True},
    "positions": {"positions": [0.3, 0.6, 0.75, 1.0]},
}


# Without ("wide", 80): the oracle cuts off what is wider than the terminal.
WIDTHS = [*((name, 140) for name in OPTIONS), *((name, 80) for name in OPTIONS if name != "wide")]


@pytest.mark.parametrize(("options", "columns"), WIDTHS)
@pytest.mark.parametrize("name", MODELS)
def test_text_is_that_of_the_oracle(name, options, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    ours = text_of(print_summary, build(name, hornbeam.keras), **OPTIONS[options])
    theirs = text_of(oracle.print_summary, build(name, keras), **OPTIONS[options])
    assert ours == theirs
    assert "Total params: " in ours


def test_wider_than_the_terminal_is_not_cut(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = text_of(print_summary, build("branches", hornbeam.keras), line_length=120)
    assert len(text.splitlines()[1]) == 120 and "one[0][0], two[0][0]" in text


@pytest.mark.parametrize(
    "layer_range",
    [("one", "two"), ("two", "one"), ("one", "one"), ("t.*", "shared"), ["start", "o"], ("s", "s")],
    ids=str,
)
def test_layer_range(layer_range):
    ours = text_of(print_summary, build("branches", hornbeam.keras), layer_range=layer_range)
    assert ours == text_of(oracle.print_summary, build("branches", keras), layer_range=layer_range)


@pytest.mark.parametrize("layer_range", [("a",), ("a", 1), ("absent", "one"), "ab"], ids=str)
def test_wrong_layer_range(layer_range):
    for show, module in ((print_summary, hornbeam.keras), (oracle.print_summary, keras)):
        with pytest.raises(ValueError):
            show(build("branches", module), layer_range=layer_range)


def test_too_narrow():
    for show, module in ((print_summary, hornbeam.keras), (oracle.print_summary, keras)):
        with pytest.raises(ValueError, match="Insufficient console width to print summary"):
            show(build("chain", module), line_length=12)


def test_positions_in_characters(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    model = build("chain", hornbeam.keras)
    expected = text_of(print_summary, model, positions=[0.5, 0.75, 1.0], line_length=80)
    assert text_of(print_summary, model, positions=[40, 60, 80], line_length=80) == expected
    with pytest.raises(ValueError, match="must give the ends of 3 columns"):
        print_summary(model, positions=[0.5, 1.0])


def test_memory_sizes():
    for size in (0, 1, 1023, 1024, 5000, 2**20, 3.5 * 2**30, 2**40, 2**50):
        assert readable_memory_size(size) == oracle.readable_memory_size(size)
    for name in ("precision", "compiled"):
        ours, theirs = build(name, hornbeam.keras), build(name, keras)
        assert weight_memory_size(ours.weights) == oracle.weight_memory_size(theirs.weights)
        assert weight_memory_size([*ours.weights, *ours.weights]) == weight_memory_size(ours.weights)
        assert count_params(ours.weights) == oracle.count_params(theirs.weights)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int32", "int64", "float16", "bfloat16"])
def test_memory_sizes_of_dtypes(dtype):
    class Fake:
        shape = (3, 4)

    Fake.dtype = dtype
    assert weight_memory_size([Fake()]) == oracle.weight_memory_size([Fake()])
    Fake.dtype = "float8_e4m3fn"
    assert weight_memory_size([Fake()]) == 12


def test_model_summary_comes_here():
    assert registry.find("keras", "summary") is print_summary
    texts = []
    build("chain", hornbeam.keras).summary(print_fn=texts.append)
    assert "middle (Dense)" in texts[0]


# --- names that would steer a terminal -----------------------------------------------------------
def test_control_characters_are_spelled_out(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    layers = hornbeam.keras.layers
    model = hornbeam.keras.Sequential(
        [layers.Input((4,)), layers.Dense(1, name="\x1b[31mred\r\nx"), layers.Dense(1, name="[bold]b")],
        name="evil\x07\u202e",
    )
    print_summary(model, show_trainable=True)
    text = capsys.readouterr().out
    assert not set(text) & set("\x1b\r\x07\u202e")
    assert r"\x1b[31mred\x0d\x0ax" in text and r'Model: "evil\x07\u202e"' in text and "[bold]b (Dense)" in text


# --- outputs -------------------------------------------------------------------------------------
@pytest.mark.parametrize("stream", [Pipe, Terminal])
def test_pipe_and_terminal_get_the_same_plain_text(stream, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    model = build("branches", hornbeam.keras)
    output = redirect(monkeypatch, stream())
    print_summary(model)
    assert output.getvalue() == text_of(print_summary, model)
    assert max(map(len, output.getvalue().splitlines())) <= 80 and "\x1b" not in output.getvalue()


def test_ascii_output(monkeypatch):
    stream = AsciiPipe()
    monkeypatch.setattr(summary_table, "sys", sys)
    redirect(monkeypatch, stream)
    print_summary(build("nested", hornbeam.keras), expand_nested=True)
    lines = stream.getvalue().splitlines()
    assert set(lines[1]) == {"+", "-"} and lines[2].startswith("| Layer (type)")
    assert not terminal.speaks_unicode()


def test_notebook_gets_html(monkeypatch):
    notebook = Notebook(monkeypatch)
    model = build("chain", hornbeam.keras)
    print_summary(model)
    (content,) = notebook.outputs
    assert content["text/plain"] == text_of(print_summary, model)
    assert content["text/html"].startswith("<pre") and "Model: &quot;chain&quot;" in content["text/html"]
    assert notebook.stream.getvalue() == ""


def test_to_the_log(caplog, capsys):
    config = hornbeam.keras.config
    config.disable_interactive_logging()
    try:
        with caplog.at_level("INFO", logger="hornbeam"):
            print_summary(build("chain", hornbeam.keras))
    finally:
        config.enable_interactive_logging()
    assert capsys.readouterr().out == "" and "middle (Dense)" in caplog.text


def test_variables_of_any_kind_are_counted():
    assert count_params([np.ones((2, 3)), np.ones(())]) == 7
