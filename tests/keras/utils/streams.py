"""Standard outputs to test with: a terminal, a pipe, a notebook, and a clock that is turned by hand."""

from __future__ import annotations

import importlib
import io
import sys
import types

from hornbeam.keras.utils import terminal

CONTROL = "\x08\r\x1b"


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


class Pipe(io.StringIO):
    encoding = "utf-8"


class AsciiPipe(io.TextIOWrapper):
    def __init__(self):
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding="ascii")

    def getvalue(self):
        self.flush()
        return self.bytes.getvalue().decode("ascii")


class NotebookStream(io.StringIO):
    encoding = "utf-8"


NotebookStream.__module__ = "ipykernel.iostream"


class Notebook:
    """A notebook's output area: displays with their contents, as a saved notebook would hold them."""

    def __init__(self, monkeypatch):
        self.outputs = []
        self.updates = 0
        display = types.ModuleType("IPython.display")
        display.display = self.display
        package = types.ModuleType("IPython")
        package.display = display
        monkeypatch.setitem(sys.modules, "IPython", package)
        monkeypatch.setitem(sys.modules, "IPython.display", display)
        self.stream = NotebookStream()
        redirect(monkeypatch, self.stream)

    def display(self, content, raw=False, display_id=False):
        assert raw
        self.outputs.append(content)
        place = len(self.outputs) - 1

        def update(content, raw=False):
            assert raw
            self.updates += 1
            self.outputs[place] = content

        return types.SimpleNamespace(update=update) if display_id else None


def redirect(monkeypatch, stream):
    """Send what Hornbeam and the oracle print to a stream; `sys.stdout` itself changes between fixture and test."""
    oracle = importlib.import_module("keras.src.utils.io_utils")
    for module in (terminal, oracle):
        monkeypatch.setattr(module, "sys", types.SimpleNamespace(stdout=stream))
    return stream


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def time(self):
        return self.now


def screen_after(text):
    """Lines that a terminal shows after a text with carriage returns."""
    lines, line, place = [], [], 0
    for char in text:
        if char == "\r":
            place = 0
        elif char == "\n":
            lines.append("".join(line).rstrip())
            line, place = [], 0
        else:
            line[place : place + 1] = [char]
            place += 1
    return [*lines, "".join(line).rstrip()]
