"""Where progress is shown: a terminal line that is written over, a notebook display, or plain lines.

A screen has three methods: ``heading`` (a line of its own), ``show`` (the line now, may be called often) and
``finish`` (the line's last form). Plain screens leave ``show`` out, so that log files hold one line per epoch.
"""

from __future__ import annotations

import html
import os
from typing import Any

from hornbeam.base import settings
from hornbeam.keras.utils import terminal

FORCE = "HORNBEAM_PROGRESS"
"""Environment variable: ``bar`` draws the bar wherever the output goes, ``plain`` nowhere, ``auto`` decides."""


def choose(live: bool = False) -> Screen:
    """The screen that fits the standard output of now.

    Args:
        live: a bar was asked for expressly: it is drawn also where the output is no terminal.

    Raises:
        ValueError: the environment variable ``HORNBEAM_PROGRESS`` has an unknown value.
    """
    forced = os.environ.get(FORCE, "auto") or "auto"
    if forced not in ("auto", "bar", "plain"):
        raise ValueError(f"Environment variable {FORCE} must be 'auto', 'bar' or 'plain'. Received: {forced!r}")
    if forced == "plain" or not settings.interactive_logging():
        return Screen()
    if forced == "bar" or terminal.is_terminal():
        return TerminalScreen()
    if terminal.is_notebook():
        return NotebookScreen()
    return CapturedScreen() if live else Screen()


class Screen:
    """Plain lines: for files, pipes and logs."""

    live = False
    """True if ``show`` does something."""
    eta_label = ""
    """What stands before the time that is left."""

    @property
    def limit(self) -> int | None:
        """Largest width of a line; None for any."""
        return None

    def heading(self, text: str) -> None:
        """A line of its own."""
        terminal.print_message(text)

    def show(self, line: str) -> None:
        """Show the state of now; nothing here, as plain lines cannot be taken back."""

    def finish(self, line: str) -> None:
        """Show the last state."""
        terminal.print_message(line)

    def abandon(self) -> None:
        """End a line that will not be finished; nothing here, as none is open."""


class TerminalScreen(Screen):
    """One line of a terminal, written over with a carriage return and nothing else."""

    live = True

    def __init__(self) -> None:
        self._taken = 0

    @property
    def limit(self) -> int | None:
        """One less than the terminal is wide: a full line would wrap on some terminals."""
        return max(terminal.columns() - 1, 1)

    def show(self, line: str) -> None:
        """Write over the line."""
        self._write(line, "")

    def finish(self, line: str) -> None:
        """Write over the line and end it."""
        self._write(line, "\n")
        self._taken = 0

    def abandon(self) -> None:
        """End the line as it is."""
        if self._taken:
            self._taken = 0
            terminal.print_message("")

    def _write(self, line: str, end: str) -> None:
        taken = terminal.width(line)
        # Blanks wipe out the rest of a longer line before; the line may not grow over the edge by them.
        rest = min(self._taken, self.limit or self._taken) - taken
        terminal.print_message(f"\r{line}{' ' * max(rest, 0)}{end}", line_break=False)
        self._taken = taken


class CapturedScreen(TerminalScreen):
    """The bar that ``verbose=1`` asked for where no terminal shows it; programs look for ``ETA`` in its output."""

    eta_label = "ETA: "

    @property
    def limit(self) -> int | None:
        """None: nothing wraps lines there."""
        return None


class NotebookScreen(Screen):
    """One display of a notebook, updated in place: the last lines, and the live one below them."""

    live = True
    kept = 200
    """Lines kept, so that the saved notebook stays small however many epochs there are."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._dropped = 0
        self._handle: Any = None

    def heading(self, text: str) -> None:
        """Add a line."""
        self._add(text)
        self._publish(self._lines)

    def show(self, line: str) -> None:
        """Show a line below the kept ones."""
        self._publish([*self._lines, line])

    def finish(self, line: str) -> None:
        """Add a line."""
        self._add(line)
        self._publish(self._lines)

    def _add(self, line: str) -> None:
        self._lines.append(line)
        if len(self._lines) > self.kept:
            self._dropped += len(self._lines) - self.kept
            del self._lines[: -self.kept]

    def _publish(self, lines: list[str]) -> None:
        import IPython.display

        head = [f"... ({self._dropped} lines before)"] if self._dropped else []
        content = {"text/plain": "\n".join(head + lines)}
        if self._handle is None:
            self._handle = IPython.display.display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


def display_text(text: str) -> None:
    """Show a block of text in a notebook, with its columns kept in line."""
    import IPython.display

    style = "white-space:pre;overflow-x:auto;line-height:normal;font-family:Menlo,'DejaVu Sans Mono',consolas,monospace"
    content = {"text/plain": text, "text/html": f'<pre style="{style}">{html.escape(text)}</pre>'}
    IPython.display.display(content, raw=True)
