"""CRC-32 of large arrays and files: beside other work, by several threads, and of parts put together. Needs no JAX.

The checksum of ``A + B`` is that of ``A`` moved on by ``len(B)`` zero bytes, exclusive-or that of ``B``. What has been
summed once, such as an array on its way into a file, is therefore never read again for the sum of the whole.
"""

from __future__ import annotations

import functools
import os
import threading
import zlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

__all__ = ["Span", "file_sum", "joined", "sum_beside"]

_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31
"""The polynomial 1: the highest bit is the lowest power."""
_BUFFER_BYTES = 1 << 20
_WORTH_BYTES = 4 << 20
"""Bytes for which a thread is worth its start."""
_MOST_THREADS = 4


class Span(NamedTuple):
    """A part of a file whose checksum is known."""

    start: int
    size: int
    crc: int


# --- of two parts --------------------------------------------------------------------------------
def joined(first: int, second: int, second_bytes: int) -> int:
    """CRC-32 of two parts after each other, of which the second has this many bytes."""
    return _product(_zeros(second_bytes), first) ^ second


def _product(a: int, b: int) -> int:
    """Product of two polynomials over bits, modulo the one of CRC-32."""
    result = 0
    while a:
        if a & _ONE:
            result ^= b
        a = (a << 1) & 0xFFFFFFFF
        b = (b >> 1) ^ _POLYNOMIAL if b & 1 else b >> 1
    return result


@functools.lru_cache(maxsize=256)
def _zeros(count: int) -> int:
    """``x ** (8 * count)``, by which zero bytes move a checksum on."""
    result, power = _ONE, _ONE >> 8
    while count:
        if count & 1:
            result = _product(power, result)
        power = _product(power, power)
        count >>= 1
    return result


# --- of memory -----------------------------------------------------------------------------------
def sum_beside(content: Any) -> Callable[[], int]:
    """Start to sum a block of bytes; the returned function waits for the CRC-32 and gives it."""
    view = memoryview(content)
    if view.nbytes < _WORTH_BYTES or _threads() < 2:
        value = zlib.crc32(view)
        return lambda: value
    thread = _Task(functools.partial(zlib.crc32, view))
    return thread.result


class _Task(threading.Thread):
    """A function that runs beside the caller."""

    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__(name="hornbeam-checksum", daemon=True)
        self._function, self._value = function, None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._value = self._function()
        except BaseException as error:
            self._error = error

    def result(self) -> Any:
        """What it gave, once it has ended."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._value


def _threads() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(_MOST_THREADS, usable)


# --- of files ------------------------------------------------------------------------------------
def file_sum(file: Any, start: int, size: int, known: Iterable[Span] = ()) -> int:
    """CRC-32 of a part of a file.

    Args:
        file: binary file open for reading; it is read to its end if that comes first. Its position changes.
        start: first byte of the part.
        size: bytes of the part.
        known: sums of places within it (counted from ``start``, none of them overlapping), which are not read again.

    Raises:
        EOFError: the file ends before the part does.
    """
    crc = at = 0
    for span in sorted(known):
        crc = joined(crc, _read_sum(file, start + at, span.start - at), span.start - at)
        crc, at = joined(crc, span.crc, span.size), span.start + span.size
    return joined(crc, _read_sum(file, start + at, size - at), size - at)


def _read_sum(file: Any, start: int, size: int) -> int:
    count = min(_threads(), size // _WORTH_BYTES)
    if count < 2 or not hasattr(os, "preadv"):
        return _sequential(functools.partial(_seek_and_read, file), start, size)
    try:
        handle = file.fileno()
        if file.writable():
            file.flush()
    except (AttributeError, OSError):  # no file of the system
        return _sequential(functools.partial(_seek_and_read, file), start, size)
    step = -(-size // count)
    parts = [(begin, min(step, size - begin)) for begin in range(0, size, step)]
    read = functools.partial(_read_at, handle)
    tasks = [_Task(functools.partial(_sequential, read, start + begin, length)) for begin, length in parts[1:]]
    try:
        crc = _sequential(read, start, parts[0][1])
    finally:
        # The caller may close the file as soon as this returns.
        for task in tasks:
            task.join()
    for task, (_, length) in zip(tasks, parts[1:], strict=True):
        crc = joined(crc, task.result(), length)
    return crc


def _seek_and_read(file: Any, buffer: memoryview, start: int) -> int:
    file.seek(start)
    return file.readinto(buffer)


def _read_at(handle: int, buffer: memoryview, start: int) -> int:
    return os.preadv(handle, [buffer], start)


def _sequential(read: Callable[[memoryview, int], int], start: int, size: int) -> int:
    crc, done, buffer = 0, 0, memoryview(bytearray(min(size, _BUFFER_BYTES)))
    while done < size:
        count = read(buffer[: size - done], start + done)
        if not count:
            raise EOFError(f"the file ends {size - done} bytes too early")
        crc = zlib.crc32(buffer[:count], crc)
        done += count
    return crc
