"""The members of a ``.keras`` file or folder, read without trust. Nothing is ever unpacked to disk. Needs no JAX."""

from __future__ import annotations

import io
import itertools
import os
import stat
import zipfile
import zlib
from typing import Any

from hornbeam.base.errors import CorruptFileError, UnsafeFileError
from hornbeam.saving.limits import OBJECT_LIMIT, check_claim
from hornbeam.saving.sniff import diagnose
from hornbeam.saving.sums import file_sum
from hornbeam.saving.texts import printable

__all__ = ["FolderArchive", "Window", "ZipArchive", "open_archive"]

_CHUNK_BYTES = 1 << 20


def open_archive(path: str) -> ZipArchive | FolderArchive:
    """The members of a file or folder.

    Raises:
        CorruptFileError: not a whole zip file.
        UnsafeFileError: members that lead outside, occur twice, overlap, or claim too much.
    """
    return FolderArchive(path) if os.path.isdir(path) else ZipArchive(path)


class Window(io.RawIOBase):
    """A part of a file as a file of its own, for reading.

    Args:
        file: open file; its position is used.
        start: first byte of the part.
        size: bytes of the part.
        is_checked: the part has been compared with its checksum.
    """

    def __init__(self, file: Any, start: int, size: int, is_checked: bool = False) -> None:
        super().__init__()
        self.is_checked = is_checked
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")[: max(0, self._size - self._at)]
        self._file.seek(self._start + self._at)
        count = self._file.readinto(view)
        self._at += count
        return count


class ZipArchive:
    """Members of a zip file.

    Args:
        path: the file.
        file: its content, open for reading, if it lies on no disk; ``path`` is then what messages call it.
    """

    def __init__(self, path: str, file: Any = None) -> None:
        self.path = path
        self._file = open(path, "rb") if file is None else file  # noqa: SIM115 - closed by `close`
        try:
            self._size = self._file.seek(0, os.SEEK_END)
            try:
                self._zip = zipfile.ZipFile(self._file)
            except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, zlib.error) as error:
                what = diagnose(path, "a .keras file") if file is None else f"{path} is damaged ({error})."
                raise CorruptFileError(what) from error
            self._infos = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
            self._check()
        except BaseException:
            self._file.close()
            raise

    def _check(self) -> None:
        infos = self._zip.infolist()
        if len(infos) > OBJECT_LIMIT:
            raise UnsafeFileError(f"{self.path}: {len(infos)} members are refused.")
        folded: set[str] = set()
        for info in infos:
            _check_name(info.filename, self.path)
            key = info.filename.replace("\\", "/").rstrip("/").casefold()
            if key in folded:
                raise UnsafeFileError(
                    f"{self.path}: two members have the name {printable(info.filename)!r}, which is refused: programs "
                    "differ in which of them they take."
                )
            folded.add(key)
            if info.flag_bits & 0x1:
                raise UnsafeFileError(f"{self.path}: member {printable(info.filename)!r} is encrypted; not read.")
            if not 0 <= info.header_offset < self._size:
                raise _damaged(self.path, info.filename, "it is said to lie outside of the file")
            if stat.S_ISLNK(info.external_attr >> 16):
                raise UnsafeFileError(f"{self.path}: member {printable(info.filename)!r} is a link, which is refused.")
        spans = sorted((info.header_offset, info.header_offset + info.compress_size) for info in infos)
        if any(end > start for (_, end), (start, _) in itertools.pairwise(spans)):
            raise UnsafeFileError(f"{self.path}: members overlap, which is refused.")
        check_claim(self.path, sum(info.file_size for info in infos), self._size)

    @property
    def names(self) -> list[str]:
        """Names of the members."""
        return list(self._infos)

    def size(self, name: str) -> int:
        """Bytes of a member."""
        return self._infos[name].file_size

    def read(self, name: str) -> bytes:
        """A member's content, checked.

        Raises:
            CorruptFileError: it is missing or damaged.
        """
        if name not in self._infos:
            raise _missing(self.path, name)
        info = self._infos[name]
        try:
            with self._zip.open(info) as member:
                # One byte more than claimed, to see whether the claim is true.
                content = member.read(info.file_size + 1)
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, zlib.error) as error:
            raise _damaged(self.path, name, error) from error
        if len(content) != info.file_size:
            raise _damaged(self.path, name, f"{len(content)} bytes instead of {info.file_size}")
        return content

    def open(self, name: str) -> Any:
        """A member as a file for random access, checked; not copied if it is stored uncompressed."""
        info = self._infos.get(name)
        if info is None:
            raise _missing(self.path, name)
        if info.compress_type != zipfile.ZIP_STORED:
            return io.BytesIO(self.read(name))
        self._file.seek(info.header_offset)
        header = self._file.read(30)
        if len(header) != 30 or header[:4] != b"PK\x03\x04":
            raise _damaged(self.path, name, "no local header")
        start = (
            info.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        )
        self._check_sum(info, start)
        return Window(self._file, start, info.file_size, is_checked=True)

    def _check_sum(self, info: zipfile.ZipInfo, start: int) -> None:
        try:
            value = file_sum(self._file, start, info.file_size)
        except EOFError as error:
            raise _damaged(self.path, info.filename, "cut short") from error
        if value != info.CRC:
            raise _damaged(self.path, info.filename, "its checksum does not match")

    def compare(self, sums: dict[str, int]) -> None:
        """Nothing: the members' own checksums are compared when they are read."""

    def close(self) -> None:
        """Close the file."""
        self._zip.close()
        self._file.close()

    def __enter__(self) -> ZipArchive:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class FolderArchive:
    """Files of a folder, none of them a link or a device.

    Args:
        path: the folder.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._sizes: dict[str, int] = {}
        self._look("", 0)
        self._files: list[Any] = []

    def _look(self, inner: str, depth: int) -> None:
        if depth > 32 or len(self._sizes) > OBJECT_LIMIT:
            raise UnsafeFileError(
                f"{self.path}: folders nested too deeply, or too many files, at {printable(inner)!r}."
            )
        with os.scandir(os.path.join(self.path, inner)) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                name = f"{inner}/{entry.name}" if inner else entry.name
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    self._look(name, depth + 1)
                elif stat.S_ISREG(mode):
                    self._sizes[name] = entry.stat(follow_symlinks=False).st_size
                else:
                    raise UnsafeFileError(
                        f"{self.path}: {printable(name)!r} is a link or a device, which is refused: it would show "
                        "another file's content. Copy the file itself into the folder."
                    )

    @property
    def names(self) -> list[str]:
        """Names of the files, with slashes."""
        return list(self._sizes)

    def size(self, name: str) -> int:
        """Bytes of a file."""
        return self._sizes[name]

    def _open(self, name: str) -> Any:
        if name not in self._sizes:
            raise _missing(self.path, name)
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        handle = os.open(os.path.join(self.path, *name.split("/")), flags)
        return os.fdopen(handle, "rb")

    def read(self, name: str) -> bytes:
        """A file's content."""
        with self._open(name) as file:
            return file.read(self._sizes[name] + 1)

    def open(self, name: str) -> Any:
        """A file for random access."""
        file = self._open(name)
        self._files.append(file)
        return file

    def compare(self, sums: dict[str, int]) -> None:
        """Compare files with their checksums.

        Raises:
            CorruptFileError: one is damaged, or missing.
        """
        for name, expected in sums.items():
            with self._open(name) as file:
                value = 0
                while block := file.read(_CHUNK_BYTES):
                    value = zlib.crc32(block, value)
            if value != expected:
                raise _damaged(self.path, name, "its checksum does not match")

    def close(self) -> None:
        """Close what was opened."""
        for file in self._files:
            file.close()

    def __enter__(self) -> FolderArchive:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


_RESERVED = frozenset({"con", "prn", "aux", "nul"})


def _check_name(name: str, path: str) -> None:
    parts = name.replace("\\", "/").rstrip("/").split("/")
    outside = name.startswith(("/", "\\")) or ".." in parts or "" in parts or ":" in name or "\0" in name
    if outside or any(part.casefold().split(".")[0] in _RESERVED for part in parts):
        raise UnsafeFileError(f"{path}: member {printable(name)!r} points outside the archive, which is refused.")


def _missing(path: str, name: str) -> CorruptFileError:
    return CorruptFileError(f"{path}: member {name} is missing; this is not a whole model. Use another copy.")


def _damaged(path: str, name: str, why: object) -> CorruptFileError:
    return CorruptFileError(f"{path}: member {printable(name)} is damaged ({why}). Use another copy of the file.")
