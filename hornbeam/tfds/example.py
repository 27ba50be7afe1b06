"""TFRecord files and the messages in them, as far as reading prepared data sets needs.

A record is: length (8 bytes), checksum (4), content, checksum (4). The content is an ``Example`` message: a map from
names to lists of bytes, floats or integers.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from hornbeam.base.errors import CorruptFileError

_HEADER_BYTES = 12
_FOOTER_BYTES = 4


def record_places(path: str) -> list[tuple[int, int]]:
    """Where each record's content begins, and its length, without reading the contents.

    Raises:
        CorruptFileError: the file ends within a record.
    """
    found = []
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        place = 0
        while place < size:
            file.seek(place)
            header = file.read(_HEADER_BYTES)
            length = struct.unpack("<Q", header[:8])[0] if len(header) == _HEADER_BYTES else size
            end = place + _HEADER_BYTES + length + _FOOTER_BYTES
            if end > size:
                raise CorruptFileError(f"{path} is cut short: record {len(found)} goes beyond the end of the file.")
            found.append((place + _HEADER_BYTES, length))
            place = end
    return found


def read_example(content: bytes) -> dict[str, Any]:
    """An ``Example``: for each name a list of bytes, or an array of float32 or int64.

    Raises:
        CorruptFileError: it is no such message.
    """
    try:
        found = {}
        for features in _fields(content).get(1, []):
            for entry in _fields(features).get(1, []):
                parts = _fields(entry)
                found[parts[1][0].decode()] = _values(parts[2][0]) if 2 in parts else []
        return found
    except (IndexError, KeyError, ValueError, AttributeError, TypeError, struct.error) as error:
        raise CorruptFileError(f"A record is no Example message ({error}).") from error


def _values(feature: bytes) -> Any:
    for kind, contents in _fields(feature).items():
        fields = _fields(contents[0]).get(1, [])
        if kind == 1:
            return fields
        if kind == 2:
            # Packed into one field, or one field for each number.
            return (
                np.concatenate([np.frombuffer(field, "<f4") for field in fields]) if fields else np.zeros(0, "float32")
            )
        numbers = [number for field in fields for number in (_varints(field) if isinstance(field, bytes) else [field])]
        return np.array(numbers, dtype="uint64").astype("int64")
    return []


def _varint(content: bytes, place: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        byte = content[place]
        place += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found & 0xFFFF_FFFF_FFFF_FFFF, place
        shift += 7


def _varints(content: bytes) -> list[int]:
    found, place = [], 0
    while place < len(content):
        number, place = _varint(content, place)
        found.append(number)
    return found


def _fields(content: bytes) -> dict[int, list[Any]]:
    """Fields of a message by number: bytes, or ints for the variable-length kind."""
    found: dict[int, list[Any]] = {}
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        kind = key & 7
        if kind == 0:
            value, place = _varint(content, place)
        else:
            if kind == 2:
                length, place = _varint(content, place)
            else:
                length = {1: 8, 5: 4}[kind]
            value = content[place : place + length]
            if len(value) != length:
                raise ValueError("it ends too early")
            place += length
        found.setdefault(key >> 3, []).append(value)
    return found
