"""Tables of text in frames of line characters, with fixed column widths and cells that wrap.

The arithmetic of widths and the places of line breaks are those of the library with which Keras prints its tables
(rich, a ``Table`` with given column widths), so that the same model gives the same text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hornbeam.keras.utils import terminal

_WORD = re.compile(r"\s*\S+\s*")

# Top, header, line under the header, row, line between rows, bottom: left end, fill or blank, divider, right end.
FRAME = ("┏━┳┓", "┃ ┃┃", "┡━╇┩", "│ ││", "├─┼┤", "└─┴┘")
ASCII_FRAME = ("+--+", "| ||", "|-+|", "| ||", "|-+|", "+--+")


def cell_widths(asked: Sequence[int], total: int) -> list[int]:
    """Columns for the text of each cell, in a table that is ``total`` columns wide.

    Args:
        asked: widths wanted for the text.
        total: width of the table with frame and padding.
    """
    widths = [width + 2 for width in asked]
    room = total - len(widths) - 1
    excess = sum(widths) - room
    if excess > 0:
        widths = _reduced(widths, excess)
    elif excess < 0:
        widths = _widened(widths, -excess)
    return [max(width - 2, 0) for width in widths]


def _reduced(widths: list[int], excess: int) -> list[int]:
    """Take ``excess`` columns away, the same from each, rounding as we go."""
    result = []
    for left, width in zip(range(len(widths), 0, -1), widths, strict=True):
        taken = min(width, round(excess / left))
        result.append(width - taken)
        excess -= taken
    return result


def _widened(widths: list[int], room: int) -> list[int]:
    """Give ``room`` columns away in proportion to the widths."""
    result = []
    total = sum(widths)
    for width in widths:
        given = -(-width * room // total) if total else 0
        result.append(width + given)
        total, room = total - width, room - given
    return result


def wrap(text: str, limit: int) -> list[str]:
    """Lines of at most ``limit`` columns, broken between words; a word that is wider is cut with an ellipsis."""
    breaks = []
    used = 0
    for match in _WORD.finditer(text):
        word = match.group()
        size = terminal.width(word.rstrip())
        if size <= limit - used:
            used += terminal.width(word)
        else:
            if match.start() and (used or size > limit):
                breaks.append(match.start())
            used = terminal.width(word)
    lines = [text[start:end] for start, end in zip([0, *breaks], [*breaks, len(text)], strict=True)]
    return [_cut(line, limit) for line in lines]


def _cut(line: str, limit: int) -> str:
    if terminal.width(line) > limit:
        line = line.rstrip()
    if terminal.width(line) <= limit:
        return line
    start = terminal.crop(line, limit - 1)
    # A wide character that is cut in two leaves a blank.
    return start + " " * (limit - 1 - terminal.width(start)) + "…" * (limit > 0)


def _aligned(line: str, limit: int, how: str) -> str:
    if how == "left":
        return line + " " * (limit - terminal.width(line))
    line = line.strip() if how == "center" else line.rstrip()
    room = limit - terminal.width(line)
    before = room // 2 if how == "center" else room
    return " " * before + line + " " * (room - before)


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    alignment: Sequence[str],
    ascii_only: bool = False,
) -> list[str]:
    """Lines of a framed table.

    Args:
        header: names of the columns.
        rows: cells.
        widths: columns for the text of each cell.
        alignment: ``"left"``, ``"right"`` or ``"center"`` for each column.
        ascii_only: draw the frame with ``+``, ``-`` and ``|``.
    """
    top, head, under, body, between, bottom = ASCII_FRAME if ascii_only else FRAME

    def rule(kind: str) -> str:
        return kind[0] + kind[2].join(kind[1] * (width + 2) for width in widths) + kind[3]

    def cells(row: Sequence[str], kind: str, is_header: bool = False) -> list[str]:
        wrapped = [wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
        height = max(map(len, wrapped))
        # Names of columns stand at the bottom of the header, other cells start at the top.
        above = [height - len(lines) if is_header else 0 for lines in wrapped]
        columns = [
            [_aligned(line, width, how) for line in [*[""] * gap, *lines, *[""] * (height - gap - len(lines))]]
            for lines, width, how, gap in zip(wrapped, widths, alignment, above, strict=True)
        ]
        return [kind[0] + kind[2].join(f" {cell} " for cell in line) + kind[3] for line in zip(*columns, strict=True)]

    result = [rule(top), *cells(header, head, is_header=True)]
    for position, row in enumerate(rows):
        result += [rule(between if position else under), *cells(row, body)]
    if not rows:
        result.append(rule(under))
    return [*result, rule(bottom)]
