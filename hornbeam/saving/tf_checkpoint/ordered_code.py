"""Keys of the pieces of partitioned tensors: byte strings that sort like the values they encode."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["slice_key"]

_HEADERS = {1: b"\x80", 2: b"\xc0", 3: b"\xe0", 4: b"\xf0", 5: b"\xf8", 6: b"\xfc", 7: b"\xfe", 8: b"\xff",
            9: b"\xff\x80", 10: b"\xff\xc0"}  # fmt: skip


def _unsigned(value: int) -> bytes:
    body = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([len(body)]) + body


def _signed(value: int) -> bytes:
    magnitude = ~value if value < 0 else value
    # One bit for the sign, and one header bit per byte.
    length = magnitude.bit_length() // 7 + 1
    body = bytearray((value & ((1 << (8 * length)) - 1)).to_bytes(length, "big"))
    for index, bits in enumerate(_HEADERS[length]):
        body[index] ^= bits
    return bytes(body)


def _escaped(text: bytes) -> bytes:
    out = bytearray()
    for byte in text:
        out += {0: b"\x00\xff", 255: b"\xff\x00"}.get(byte, bytes([byte]))
    return bytes(out) + b"\x00\x01"


def slice_key(name: str, piece: Sequence[tuple[int, int]]) -> bytes:
    """Key of a piece: the tensor's name, and start and length on each axis (length -1 for the whole axis)."""
    key = _unsigned(0) + _escaped(name.encode("utf-8")) + _unsigned(len(piece))
    for start, length in piece:
        key += _signed(start) + _signed(length)
    return key
