"""Decompression of Snappy blocks, which some writers use in index files."""

from __future__ import annotations

from hornbeam.base.errors import CorruptFileError
from hornbeam.saving.protos.wire import read_varint

__all__ = ["decompress"]

_MOST_BYTES = 64 << 20


def decompress(data: bytes) -> bytes:
    """The content of a Snappy block.

    Raises:
        CorruptFileError: damaged, or larger than any block of an index file.
    """
    length, position = read_varint(data, 0)
    if length > _MOST_BYTES or length > 256 * len(data) + 64:
        raise CorruptFileError(f"A compressed block claims {length} bytes in {len(data)}.")
    out = bytearray()
    while position < len(data):
        tag = data[position]
        position += 1
        kind = tag & 3
        if kind == 0:
            size = tag >> 2
            if size >= 60:
                extra = size - 59
                size = int.from_bytes(data[position : position + extra], "little")
                position += extra
            size += 1
            piece = data[position : position + size]
            if len(piece) != size:
                raise CorruptFileError("A compressed block is cut short.")
            out += piece
            position += size
        else:
            width = (1, 2, 4)[kind - 1]
            raw = int.from_bytes(data[position : position + width], "little")
            if position + width > len(data):
                raise CorruptFileError("A compressed block is cut short.")
            position += width
            size = ((tag >> 2) & 7) + 4 if kind == 1 else (tag >> 2) + 1
            offset = raw | (tag >> 5) << 8 if kind == 1 else raw
            _copy(out, offset, size)
        if len(out) > length:
            raise CorruptFileError("A compressed block is longer than it says.")
    if len(out) != length:
        raise CorruptFileError("A compressed block is shorter than it says.")
    return bytes(out)


def _copy(out: bytearray, offset: int, size: int) -> None:
    if not 0 < offset <= len(out):
        raise CorruptFileError("A compressed block refers to bytes before its start.")
    start = len(out) - offset
    pattern = out[start : start + min(offset, size)]
    # Source and target may overlap: the pattern then repeats.
    out += (pattern * (size // len(pattern) + 1))[:size]
