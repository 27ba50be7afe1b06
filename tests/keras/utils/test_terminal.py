import io

import pytest
import rich.cells
from hypothesis import given
from hypothesis import strategies as st

from hornbeam.keras.utils import terminal
from tests.keras.utils.streams import redirect


@given(st.text())
def test_escaped_text_steers_nothing(text):
    escaped = terminal.escape(text)
    assert all(char.isprintable() or char == "\u200d" for char in escaped)
    if text.isprintable():
        assert escaped == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc\r\b", r"a\x0ab\x09c\x0d\x08"),
        ("\x9b2J", r"\x9b2J"),
        ("user\u202egnp.exe", r"user\u202egnp.exe"),
        ("größe 数", "größe 数"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_escape(text, expected):
    assert terminal.escape(text) == expected


@given(st.text(alphabet="abc äöü数据\uff46한e\u0301━└", max_size=30), st.integers(0, 20))
def test_widths(text, limit):
    assert terminal.width(text) == rich.cells.cell_len(text)
    assert terminal.width(terminal.crop(text, limit)) <= limit
    assert terminal.width(terminal.shorten(text, limit)) <= limit
    assert text.startswith(terminal.crop(text, limit))


def test_shorten():
    assert terminal.shorten("abcdef", 6) == "abcdef"
    assert terminal.shorten("abcdef", 5) == "abcd…"
    assert terminal.shorten("数据数据", 5) == "数据…"
    assert terminal.shorten("abcdef", 0) == ""


def test_a_closed_stream_is_no_terminal(monkeypatch):
    stream = io.StringIO()
    stream.close()
    redirect(monkeypatch, stream)
    assert terminal.is_terminal() is False
    assert terminal.is_notebook() is False
