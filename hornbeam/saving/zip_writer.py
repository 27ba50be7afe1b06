"""A zip file whose members are written in place, so that an HDF5 member of any size needs no copy in memory."""

from __future__ import annotations

import contextlib
import datetime
import struct
from collections.abc import Iterator
from typing import Any

from hornbeam.saving.part import open_part
from hornbeam.saving.sums import file_sum

__all__ = ["ZipWriter"]

_LIMIT = 0xFFFFFFFF


class ZipWriter:
    """Writes members one after another, uncompressed.

    Args:
        file: binary file open for reading and writing, empty.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._entries: list[tuple[bytes, int, int, int]] = []  # name, offset, size, CRC-32
        now = datetime.datetime.now()
        self._time = now.hour << 11 | now.minute << 5 | now.second // 2
        self._date = (now.year - 1980) << 9 | now.month << 5 | now.day

    @contextlib.contextmanager
    def member(self, name: str) -> Iterator[Any]:
        """A file for reading and writing that becomes a member when the block ends."""
        encoded = name.encode("utf-8")
        offset = self._file.seek(0, 2)
        self._file.write(self._local(encoded, 0, 0))
        start = self._file.tell()
        with open_part(self._file, start) as part:
            yield part
        crc = file_sum(self._file, start, part.size, part.sums)
        self._file.seek(offset)
        self._file.write(self._local(encoded, part.size, crc))
        self._file.seek(0, 2)
        self._entries.append((encoded, offset, part.size, crc))

    def add(self, name: str, content: bytes) -> None:
        """A member of known content."""
        with self.member(name) as part:
            part.write(content)

    def _local(self, name: bytes, size: int, crc: int) -> bytes:
        # The 64-bit sizes stand in every local header: whether they are needed is only known afterwards.
        large = size >= _LIMIT
        shown = _LIMIT if large else size
        extra = struct.pack("<HHQQ", 1 if large else 0x4248, 16, size, size)
        head = struct.pack(
            "<4sHHHHHIIIHH", b"PK\x03\x04", 45 if large else 20, 0x800, 0, self._time, self._date, crc, shown, shown,
            len(name), len(extra),
        )  # fmt: skip
        return head + name + extra

    def close(self) -> None:
        """Write the directory at the end."""
        start = self._file.seek(0, 2)
        for name, offset, size, crc in self._entries:
            large = size >= _LIMIT or offset >= _LIMIT
            extra = struct.pack("<HHQQQ", 1, 24, size, size, offset) if large else b""
            shown, place = (_LIMIT, _LIMIT) if large else (size, offset)
            self._file.write(
                struct.pack(
                    "<4sHHHHHHIIIHHHHHII",
                    b"PK\x01\x02",
                    0x0314,
                    45 if large else 20,
                    0x800,
                    0,
                    self._time,
                    self._date,
                    crc,
                    shown,
                    shown,
                    len(name),
                    len(extra),
                    0,
                    0,
                    0,
                    0o600 << 16,
                    place,
                )
                + name
                + extra
            )
        end = self._file.tell()
        count = len(self._entries)
        if start >= _LIMIT or end - start >= _LIMIT or count >= 0xFFFF:
            self._file.write(
                struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 0x0314, 45, 0, 0, count, count, end - start, start)
                + struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
            )
            count, size, start = min(count, 0xFFFF), min(end - start, _LIMIT), _LIMIT
        else:
            size = end - start
        self._file.write(struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, size, start, 0))
