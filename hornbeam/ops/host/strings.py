"""Functions of texts on the host: NumPy object arrays of ``bytes`` in and out, whole arrays at a time."""

from __future__ import annotations

import functools
import itertools
import re
import sys
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.base.errors import NotSupportedError

_SEPARATOR = b"\xff"
"""A byte that no UTF-8 text contains: many texts are worked on as one, joined by it."""


def objects(items: Any, shape: Any) -> np.ndarray:
    """Object array of a list of texts."""
    out = np.empty(len(items), object)
    out[:] = items
    return out.reshape(shape)


def mapped(function: Callable[[bytes], Any], texts: np.ndarray) -> np.ndarray:
    """Apply a function to each text; the results are objects."""
    return objects(list(map(function, texts.reshape(-1).tolist())), texts.shape)


def at_once(function: Callable[[bytes], bytes], texts: np.ndarray) -> np.ndarray:
    """Apply a function that works byte by byte to all texts, joined to one."""
    flat = texts.reshape(-1).tolist()
    if not flat:
        return texts
    joined = _SEPARATOR.join(flat)
    if joined.count(_SEPARATOR) != len(flat) - 1:
        return mapped(function, texts)
    return objects(function(joined).split(_SEPARATOR), texts.shape)


def lower(texts: np.ndarray, encoding: str = "") -> np.ndarray:
    """Lower case: of ASCII letters, or of all with the encoding ``utf-8``."""
    if not encoding:
        return at_once(bytes.lower, texts)
    return mapped(lambda text: decoded(text).lower().encode("utf-8", "surrogateescape"), texts)


def upper(texts: np.ndarray, encoding: str = "") -> np.ndarray:
    """Upper case: of ASCII letters, or of all with the encoding ``utf-8``."""
    if not encoding:
        return at_once(bytes.upper, texts)
    return mapped(lambda text: decoded(text).upper().encode("utf-8", "surrogateescape"), texts)


def without(texts: np.ndarray, dropped: bytes) -> np.ndarray:
    """The texts without any of the given ASCII characters."""
    return at_once(lambda text: text.translate(None, dropped), texts)


def decoded(text: bytes) -> str:
    """Characters of a UTF-8 text; wrong bytes stay what they are when encoded again."""
    return text.decode("utf-8", "surrogateescape")


def encoded(text: str) -> bytes:
    """UTF-8 of characters."""
    return text.encode("utf-8", "surrogateescape")


# --- splitting -----------------------------------------------------------------------------------
def split_all(function: Callable[[bytes], list], texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split each text: all parts one after another, and how many there are of each text."""
    parts = [function(text) for text in texts.reshape(-1).tolist()]
    lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    flat = [part for row in parts for part in row]
    return objects(flat, (len(flat),)), lengths


def split(texts: np.ndarray, sep: bytes = b"", maxsplit: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """Parts between separators; runs of white space if there is none."""
    if maxsplit == 0:
        return split_all(lambda text: [text], texts)
    if sep:
        return split_all(lambda text: text.split(sep, maxsplit), texts)
    return split_all(bytes.split if maxsplit < 0 else lambda text: _words(text, maxsplit), texts)


def _words(text: bytes, limit: int) -> list[bytes]:
    """So many words, and what follows them: also where nothing does."""
    found = text.split(None, limit)
    return [*found, b""] if len(found) == limit else found


def characters(texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The characters of each UTF-8 text."""
    return split_all(lambda text: [encoded(char) for char in text.decode("utf-8", "replace")], texts)


def ngrams(
    flat: list[bytes], splits: np.ndarray, widths: tuple[int, ...], separator: bytes, keep_short: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Runs of neighbouring words of each row, by width, then by place."""
    found: list[bytes] = []
    lengths = np.zeros(len(splits) - 1, np.int64)
    bounds = splits.tolist()
    for row, (start, stop) in enumerate(itertools.pairwise(bounds)):
        words, before = flat[start:stop], len(found)
        for width in widths:
            if width == 1:
                found += words
            else:
                columns = [words[shift : len(words) - width + 1 + shift] for shift in range(width)]
                found += map(separator.join, zip(*columns, strict=True))
        if keep_short and words and len(found) == before:
            found.append(separator.join(words))
        lengths[row] = len(found) - before
    return objects(found, (len(found),)), lengths


# --- regular expressions -------------------------------------------------------------------------
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\\x00-\\x7f",
    "blank": "\\t ",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\t\\n\\v\\f\\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_TOKEN = re.compile(
    r"\\Q(?P<literal>.*?)(?:\\E|$)|\[:(?P<posix>\^?)(?P<name>[a-z]+):\]|\\(?P<which>[pP])(?:\{(?P<long>\^?\w+)\}|"
    r"(?P<short>[A-Z]))|\\z|\\C|\\.|\[\^?\]?|\]|[^\\\[\]]+",
    re.DOTALL,
)


@functools.lru_cache(maxsize=256)
def pattern(text: bytes) -> re.Pattern[str]:
    r"""A RE2 pattern as one of Python: on characters, with ASCII meaning of ``\s``, ``\w``, ``\d``.

    Raises:
        ValueError: no valid pattern.
        NotSupportedError: single bytes (``\C``), which have no counterpart among characters.
    """
    source = decoded(text)
    try:
        return re.compile(_translated(source), re.ASCII)
    except re.error as error:
        raise ValueError(f"Pattern {source!r} is no valid regular expression: {error}.") from error


def _translated(source: str) -> str:
    parts, in_class = [], False
    for token in _TOKEN.finditer(source):
        piece = token.group()
        if token["literal"] is not None:
            piece = re.escape(token["literal"])
        elif token["name"] is not None and in_class:
            if token["name"] not in _CLASSES:
                raise ValueError(f"Pattern {source!r}: there is no character class [:{token['name']}:].")
            piece = _CLASSES[token["name"]] if not token["posix"] else _inverted(_CLASSES[token["name"]])
        elif token["which"] is not None:
            piece = _category(token["which"], token["long"] or token["short"], in_class)
        elif piece == "\\z":
            piece = "\\Z"
        elif piece == "\\C":
            raise NotSupportedError("A pattern with \\C (any byte) is not offered; patterns match characters here.")
        elif piece.startswith("[") and not token["name"]:
            if in_class:
                piece = "\\" + piece
            in_class = True
        elif piece == "]":
            in_class = False
        parts.append(piece)
    return "".join(parts)


def _inverted(ranges: str) -> str:
    inside = re.compile(f"[{ranges}]")
    return _ranges([code for code in range(128) if not inside.match(chr(code))]) + "\\x80-\\U0010ffff"


def _ranges(codes: list[int]) -> str:
    out, start = [], None
    for code, following in zip(codes, [*codes[1:], -1], strict=True):
        start = code if start is None else start
        if following != code + 1:
            out.append(f"\\U{start:08x}" + (f"-\\U{code:08x}" if code > start else ""))
            start = None
    return "".join(out)


@functools.lru_cache(maxsize=64)
def _codes(category: str) -> str:
    codes = [code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)).startswith(category)]
    if not codes:
        raise NotSupportedError(
            f"Character class \\p{{{category}}} is not offered; general categories (L, Lu, Nd) are."
        )
    return _ranges(codes)


def _category(which: str, name: str, in_class: bool) -> str:
    negative = (which == "P") != name.startswith("^")
    ranges = _codes(name.lstrip("^"))
    if not in_class:
        return f"[{'^' if negative else ''}{ranges}]"
    if negative:
        raise NotSupportedError("A negated category (\\P{...}) inside a character class is not offered; write [^...].")
    return ranges


def replace(texts: np.ndarray, expression: bytes, rewrite: bytes, everywhere: bool = True) -> np.ndarray:
    r"""Put ``rewrite`` (``\1`` stands for a group, ``\0`` for the whole) in place of what matches."""
    found = pattern(expression)
    new = re.sub(r"\\(\d|\\)", lambda m: "\\\\" if m[1] == "\\" else f"\\g<{m[1]}>", decoded(rewrite))
    groups = [int(number) for number in re.findall(r"\\g<(\d)>", new)]
    if groups and max(groups) > found.groups:
        raise ValueError(f"Rewrite {rewrite!r} names group {max(groups)}, but the pattern has {found.groups}.")
    count = 0 if everywhere else 1
    return mapped(lambda text: encoded(found.sub(new, decoded(text), count=count)), texts)


def full_match(texts: np.ndarray, expression: bytes) -> np.ndarray:
    """Whether the pattern matches the whole of each text."""
    found = pattern(expression)
    flat = [found.fullmatch(decoded(text)) is not None for text in texts.reshape(-1).tolist()]
    return np.array(flat, bool).reshape(texts.shape)


# --- numbers -------------------------------------------------------------------------------------
def numbers(texts: np.ndarray, kind: np.dtype) -> np.ndarray:
    """The numbers that texts spell.

    Raises:
        ValueError: a text that is no number of that kind; the text is the error's argument.
    """
    flat = texts.reshape(-1).tolist()
    read: Callable[[bytes], Any] = int if kind.kind in "iu" else float
    limits = np.iinfo(kind) if kind.kind in "iu" else None
    out = np.empty(len(flat), kind)
    for place, text in enumerate(flat):
        try:
            value = read(text.strip())
            if b"_" in text or (limits is not None and not limits.min <= value <= limits.max):
                raise ValueError
        except ValueError:
            raise ValueError(text.decode("utf-8", "replace")) from None
        out[place] = value
    return out.reshape(texts.shape)


def spelled(array: np.ndarray, precision: int, scientific: bool, shortest: bool, width: int, fill: str) -> np.ndarray:
    """Numbers as texts, with C's ``%d``, ``%f``, ``%e`` and ``%g``."""
    flat = array.reshape(-1).tolist()
    kind = array.dtype.kind
    if kind == "b":
        return objects([b"true" if value else b"false" for value in flat], array.shape)
    lead = "%" + (fill if width >= 0 else "") + (str(width) if width >= 0 else "")
    if kind in "iu":
        form = lead + "d"
        return objects(
            [str(v).encode() for v in flat] if form == "%d" else [(form % v).encode() for v in flat], array.shape
        )
    form = lead + (f".{precision}" if precision >= 0 else "") + ("e" if scientific else "g" if shortest else "f")
    if kind == "c":
        return objects([f"({form % v.real},{form % v.imag})".encode() for v in flat], array.shape)
    return objects([(form % v).encode() for v in flat], array.shape)
