"""The binary form of protocol messages: numbered fields, each a varint, fixed bytes, or a length and its bytes.

References: "Protocol Buffers: Encoding".
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

import numpy as np

__all__ = ["bytes_field", "fields", "packed_varints", "signed", "unpacked_varints", "varint", "varint_field"]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_WRAP = 1 << 64


def varint(value: int) -> bytes:
    """Seven bits per byte, lowest first; negative numbers as 64-bit two's complement."""
    value %= _WRAP
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int) -> int:
    """The number that a varint stands for in a signed field."""
    return value - _WRAP if value >= 1 << 63 else value


def varint_field(number: int, value: int) -> bytes:
    """A field that holds one whole number."""
    return varint(number << 3 | VARINT) + varint(value)


def bytes_field(number: int, value: bytes) -> bytes:
    """A field that holds bytes: a string, a message, or packed numbers."""
    return varint(number << 3 | BYTES) + varint(len(value)) + value


def packed_varints(values: Iterable[int]) -> bytes:
    """Whole numbers one after another."""
    return b"".join(varint(int(value)) for value in values)


def _varint_at(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(data) or shift > 63:
            raise ValueError("the message is cut short or is no protocol message")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


def fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Field number, kind and value of every field in a message.

    Raises:
        ValueError: not a message.
    """
    place, end = 0, len(data)
    while place < end:
        tag, place = _varint_at(data, place)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise ValueError("the message holds a field without a number")
        if kind == VARINT:
            value, place = _varint_at(data, place)
            yield number, kind, value
            continue
        if kind == BYTES:
            length, place = _varint_at(data, place)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            raise ValueError(f"the message holds a field of the unknown kind {kind}")
        if place + length > end:
            raise ValueError("the message is cut short")
        yield number, kind, data[place : place + length]
        place += length


def unpacked_varints(data: bytes) -> np.ndarray:
    """Packed whole numbers as int64."""
    raw = np.frombuffer(data, np.uint8)
    if not raw.size:
        return np.zeros(0, np.int64)
    last = raw < 0x80
    if not last[-1]:
        raise ValueError("packed numbers are cut short")
    if last.all():
        return raw.astype(np.int64)
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    shifts = (np.arange(raw.size) - np.repeat(starts, ends - starts + 1)).astype(np.uint64) * np.uint64(7)
    parts = (raw & 0x7F).astype(np.uint64) << np.minimum(shifts, np.uint64(63))
    return np.add.reduceat(parts, starts).astype(np.int64)


def floats(kind: int, value: int | bytes) -> np.ndarray:
    """The float32 numbers of a field, packed or single."""
    if kind not in (BYTES, FIXED32) or not isinstance(value, bytes) or len(value) % 4:
        raise ValueError("a field of floats has the wrong form")
    return np.frombuffer(value, "<f4").astype(np.float32)


def integers(kind: int, value: int | bytes) -> np.ndarray:
    """The int64 numbers of a field, packed or single."""
    if isinstance(value, bytes):
        if kind != BYTES:
            raise ValueError("a field of whole numbers has the wrong form")
        return unpacked_varints(value)
    return np.array([signed(value)], np.int64)


def doubles(value: bytes) -> np.ndarray:
    """Packed float64 numbers."""
    return np.array([number[0] for number in struct.iter_unpack("<d", value)])
