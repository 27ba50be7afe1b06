"""A part of an open file as a file of its own, for HDF5 to write into."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from typing import Any

from hornbeam.saving.sums import Span

__all__ = ["Part", "open_part"]

_LARGE_BYTES = 1 << 20


class Part(io.RawIOBase):
    """The end of a file, from a given byte on, as a file of its own.

    HDF5 loses the errors of the files that it is given, so the first one is kept here.
    """

    def __init__(self, file: Any, start: int) -> None:
        super().__init__()
        self._file, self._start, self._at, self.size = file, start, 0, 0
        self.error: BaseException | None = None
        self.sums: list[Span] = []
        """Checksums of what lies in it, as far as they are known."""

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self.size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def truncate(self, size: int | None = None) -> int:
        self.size = self._at if size is None else size
        try:
            self._file.truncate(self._start + self.size)
        except BaseException as error:
            self.error = self.error or error
            raise
        return self.size

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")[: max(0, self.size - self._at)]
        self._file.seek(self._start + self._at)
        count = self._file.readinto(view)
        self._at += count
        return count

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        try:
            self._file.seek(self._start + self._at)
            # The file below is buffered or raw; either way all bytes must arrive.
            done = 0
            while done < len(view):
                done += self._file.write(view[done:])
        except BaseException as error:
            self.error = self.error or error
            raise
        if done >= _LARGE_BYTES:
            _begin_flush(self._file, self._start + self._at, done)
        self._at += done
        self.size = max(self.size, self._at)
        return done


def _begin_flush(file: Any, start: int, size: int) -> None:
    """Have the system begin to put a part of a file on the disk, so that the wait for all of it at the end is short.

    Linux does so when it hears that nobody will read the part soon; what is not on the disk yet stays in memory.
    """
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError, AttributeError):  # no file of the system, or one that takes no advice
            os.posix_fadvise(file.fileno(), start, size, os.POSIX_FADV_DONTNEED)


@contextlib.contextmanager
def open_part(file: Any, start: int = 0) -> Iterator[Part]:
    """The end of a file as a file; an error that happened within is raised, whatever became of it on the way."""
    part = Part(file, start)
    try:
        yield part
    except BaseException as error:
        if part.error is not None and part.error is not error:
            raise part.error from error
        raise
    if part.error is not None:
        raise part.error
