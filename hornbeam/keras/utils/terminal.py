"""Text for people: where it goes (terminal, notebook, file, log), how wide it is, and how it is made harmless."""

from __future__ import annotations

import logging
import shutil
import sys
import unicodedata

from hornbeam.base import settings

_LOGGER = logging.getLogger("hornbeam")

# What stands in for characters that the output's encoding does not have.
_PLAIN = str.maketrans({"━": "=", "─": ".", "…": "~", "└": "`"})


def print_message(message: object, line_break: bool = True) -> None:
    """Write to standard output, or to the log ``hornbeam`` if interactive logging is disabled.

    Args:
        message: what to write.
        line_break: end the line.

    References: Keras ``utils.io_utils.print_msg``.
    """
    text = str(message)
    if not settings.interactive_logging():
        _LOGGER.info("%s", text)
        return
    stream = sys.stdout
    if stream is None:
        # A process without a console (pythonw) has no standard output.
        return
    text = f"{text}\n" if line_break else text
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        stream.write(text.translate(_PLAIN).encode(encoding, errors="replace").decode(encoding))
    stream.flush()


def is_terminal() -> bool:
    """True if standard output is a terminal."""
    isatty = getattr(sys.stdout, "isatty", None)
    try:
        return bool(isatty is not None and isatty())
    except ValueError:  # the stream is closed
        return False


def is_notebook() -> bool:
    """True if standard output goes to the output area of a notebook."""
    return type(sys.stdout).__module__.partition(".")[0] == "ipykernel"


def speaks_unicode() -> bool:
    """True if standard output can show any character."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return encoding.lower().startswith("utf")


def columns() -> int:
    """Width of the terminal in characters; 80 if there is none."""
    return shutil.get_terminal_size().columns


def escape(text: object) -> str:
    """``text`` with control characters spelled out, so that no name can steer a terminal.

    Covers the C0 and C1 controls, line and paragraph separators, and the marks that reorder text.
    """
    text = str(text)
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(char: str) -> str:
    # `isprintable` is False for category C (controls, format marks, surrogates) and Z except the blank.
    if char.isprintable() or char == "\N{ZERO WIDTH JOINER}":
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def width(text: str) -> int:
    """Columns that a text takes up: 2 for wide characters (Chinese, Japanese, ...), 0 for combining marks."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def crop(text: str, limit: int) -> str:
    """The longest beginning of ``text`` that is at most ``limit`` columns wide."""
    if text.isascii():
        return text[: max(limit, 0)]
    taken = 0
    for index, char in enumerate(text):
        taken += _char_width(char)
        if taken > limit:
            return text[:index]
    return text


def shorten(text: str, limit: int) -> str:
    """``text`` if it fits into ``limit`` columns, else its beginning and an ellipsis."""
    if width(text) <= limit:
        return text
    return f"{crop(text, limit - 1)}…" if limit > 0 else ""
