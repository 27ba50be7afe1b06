"""PNG files of 16 bits per value, which Pillow writes and reads in grey only: their rows as arrays.

Each row of a PNG file begins with the number of a filter: what was subtracted from its bytes before they were packed
(PNG specification, sections 9 and 11).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

__all__ = ["deep_png", "deep_png_pixels"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Number of channels to the file's code."""


def deep_png(array: np.ndarray, compression: int = -1) -> bytes:
    """PNG file of a uint16 image (height, width, 1 to 4 channels); ``compression`` is zlib's level."""
    height, width, channels = array.shape
    rows = np.ascontiguousarray(array.astype(">u2")).view(np.uint8).reshape(height, -1)
    # Filter 1: each byte less the one a pixel before it.
    step = 2 * channels
    rows = np.concatenate([rows[:, :step], rows[:, step:] - rows[:, :-step]], axis=1)
    packed = np.concatenate([np.ones((height, 1), np.uint8), rows], axis=1)
    head = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(packed.tobytes(), compression)), (b"IEND", b"")]
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )


def deep_png_pixels(contents: bytes) -> np.ndarray | None:
    """uint16 pixels (height, width, channels) of a PNG file of 16 bits per value.

    Returns:
        None for files that are interlaced or name one colour as transparent.

    Raises:
        ValueError: the file is damaged or cut short.
    """
    parts = list(_parts(contents))
    head = next((body for kind, body in parts if kind == b"IHDR"), b"")
    if len(head) != 13:
        raise ValueError("the file has no head")
    width, height, _, colour, _, _, interlaced = struct.unpack(">IIBBBBB", head)
    channels = next((count for count, code in _COLOUR_TYPES.items() if code == colour), None)
    if channels is None or interlaced or any(kind == b"tRNS" for kind, _ in parts):
        return None
    try:
        raw = zlib.decompress(b"".join(body for kind, body in parts if kind == b"IDAT"))
    except zlib.error as error:
        raise ValueError(str(error)) from error
    size = 2 * channels * width
    if len(raw) < height * (size + 1):
        raise ValueError("rows are missing")
    packed = np.frombuffer(raw, np.uint8, height * (size + 1)).reshape(height, size + 1)
    if (packed[:, 0] > 4).any():
        raise ValueError("a row has an unknown filter")
    values = _unfiltered(packed[:, 0], packed[:, 1:].reshape(height, width, 2 * channels))
    return values.reshape(height, size).view(">u2").astype(np.uint16).reshape(height, width, channels)


def _parts(contents: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_SIGNATURE)
    while place + 12 <= len(contents):
        (size,) = struct.unpack_from(">I", contents, place)
        yield contents[place + 4 : place + 8], contents[place + 8 : place + 8 + size]
        place += size + 12


def _unfiltered(filters: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The bytes of (height, width, bytes per pixel) before filtering.

    A pixel needs those to the left, above, and above to the left, so all pixels with one sum of row and column are
    done at once.
    """
    height, width, size = rows.shape
    out = np.zeros((height + 1, width + 1, size), np.uint8)
    kinds = filters.astype(np.intp)
    for total in range(height + width - 1):
        row = np.arange(max(0, total - width + 1), min(height, total + 1))
        column = total - row
        left, above = out[row + 1, column].astype(np.int16), out[row, column + 1].astype(np.int16)
        corner = out[row, column].astype(np.int16)
        guesses = np.stack([np.zeros_like(left), left, above, (left + above) >> 1, _nearest(left, above, corner)])
        guess = guesses[kinds[row], np.arange(len(row))]
        out[row + 1, column + 1] = rows[row, column] + guess.astype(np.uint8)
    return np.ascontiguousarray(out[1:, 1:])


def _nearest(left: np.ndarray, above: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """Paeth's guess: of the three neighbours, that nearest to left + above - corner."""
    to_left, to_above = np.abs(above - corner), np.abs(left - corner)
    to_corner = np.abs(left + above - 2 * corner)
    beside = np.where(to_above <= to_corner, above, corner)
    return np.where((to_left <= to_above) & (to_left <= to_corner), left, beside)
