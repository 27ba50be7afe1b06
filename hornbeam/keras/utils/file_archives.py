"""Unpacking archives that somebody else made: nothing may land outside the folder it was meant for.

Members are written one by one into a fresh folder beside the target and only then moved there. Links, devices and
paths that lead elsewhere are left out with a warning; limits on number and size stop archives that grow without end.
"""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from hornbeam.base.errors import CorruptFileError, UnsafeFileError, explain

__all__ = ["extract_archive"]

MOST_MEMBERS = 5_000_000
"""Files and folders in one archive; ImageNet has 1.3 million."""

MOST_GROWTH = 200
"""Unpacked bytes for each packed one; text packs to a tenth, gzip itself ends at about 1,000."""

FREE_GROWTH_BYTES = 1 << 30
"""Archives that unpack to less than this may grow by any factor."""

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class _Member:
    """One entry of an archive: its path as written there, and what it is."""

    name: str
    kind: str  # "file", "folder", or "other"
    size: int
    handle: Any


def extract_archive(
    file_path: str | os.PathLike[str],
    path: str | os.PathLike[str] = ".",
    archive_format: str | Sequence[str] | None = "auto",
) -> bool:
    """Unpack a tar or zip file, if it is one.

    Args:
        file_path: the archive.
        path: the folder that its members go to; made if it is not there. Files already there are replaced.
        archive_format: ``"tar"`` (also packed by gzip, bzip2 or xz), ``"zip"``, a list of them, ``"auto"`` for
            both, None for neither.

    Returns:
        Whether the file was of one of these formats and has been unpacked.

    Raises:
        UnsafeFileError: the archive has too many members, or would unpack to far more than its own size.
        CorruptFileError: the archive is damaged.

    References: Keras ``utils.get_file`` (``extract``).
    """
    if archive_format is None:
        return False
    wanted = ["tar", "zip"] if archive_format == "auto" else archive_format
    wanted = [wanted] if isinstance(wanted, str) else list(wanted)
    source, target = os.fspath(file_path), os.path.abspath(os.fspath(path))
    for name in wanted:
        if name not in _READERS:
            raise NotImplementedError(
                explain(
                    "`archive_format` names an archive that cannot be unpacked.",
                    expected="'auto', 'tar', 'zip', a list of these, or None",
                    received=repr(name),
                )
            )
    for name in wanted:
        is_archive, reader = _READERS[name]
        if is_archive(source):
            try:
                _unpack(source, target, reader)
            except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
                raise CorruptFileError(
                    f"{source} is a damaged {name} archive ({error}); delete it and fetch it again."
                ) from error
            return True
    return False


def _unpack(source: str, target: str, reader: type[_TarReader] | type[_ZipReader]) -> None:
    with reader(source) as archive:
        if _is_unpacked(archive, target):
            return
    parent = os.path.dirname(target)
    os.makedirs(parent, exist_ok=True)
    fresh = tempfile.mkdtemp(prefix=f".{os.path.basename(target)}.", suffix=".tmp", dir=parent)
    try:
        # mkdtemp makes a private folder; what was unpacked may be read by whom the user's mask allows.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(fresh, 0o777 & ~mask)
        with reader(source) as archive:
            _write_members(archive, fresh, _most_bytes(source, parent))
        _move_into(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _most_bytes(source: str, parent: str) -> int:
    growth = max(FREE_GROWTH_BYTES, MOST_GROWTH * os.path.getsize(source))
    return min(growth, shutil.disk_usage(parent).free)


def _is_unpacked(archive: _TarReader | _ZipReader, target: str) -> bool:
    """Whether every member is in the target folder already, with its size."""
    if not os.path.isdir(target):
        return False
    seen = 0
    for member in archive.members():
        parts = _safe_parts(member.name)
        if member.kind == "other" or parts is None:
            continue
        seen += 1
        path = os.path.join(target, *parts)
        if member.kind == "folder":
            if not os.path.isdir(path):
                return False
        elif not os.path.isfile(path) or os.path.getsize(path) != member.size:
            return False
    return seen > 0


def _write_members(archive: _TarReader | _ZipReader, folder: str, most_bytes: int) -> None:
    left_out: list[str] = []
    count, total = 0, 0
    for member in archive.members():
        count += 1
        if count > MOST_MEMBERS:
            raise UnsafeFileError(
                f"{archive.path} has more than {MOST_MEMBERS:,} members; unpack it by hand if it may."
            )
        parts = _safe_parts(member.name)
        if parts is None or member.kind == "other":
            left_out.append(member.name)
            continue
        path = os.path.join(folder, *parts)
        if member.kind == "folder":
            os.makedirs(path, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(member) as content, open(path, "wb") as file:
            total += _copy(content, file, most_bytes - total, archive.path)
    if left_out:
        shown = ", ".join(repr(name) for name in left_out[:5]) + (" ..." if len(left_out) > 5 else "")
        warnings.warn(
            f"{archive.path}: {len(left_out)} members were left out while unpacking, because they are links or "
            f"devices, or their paths lead out of the folder: {shown}",
            stacklevel=5,
        )


def _copy(content: IO[bytes], file: IO[bytes], most: int, archive: str) -> int:
    written = 0
    while chunk := content.read(_CHUNK_BYTES):
        written += len(chunk)
        if written > most:
            raise UnsafeFileError(
                f"{archive} unpacks to more than {MOST_GROWTH} times its size, or to more than the disk has left; "
                "nothing was unpacked. Unpack it by hand if you trust it."
            )
        file.write(chunk)
    return written


def _safe_parts(name: str) -> list[str] | None:
    """The steps of a member's path; None if it is absolute, names a drive, or climbs."""
    if not name or "\0" in name or name.startswith(("/", "\\")) or (len(name) > 1 and name[1] == ":"):
        return None
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    return None if ".." in parts else parts


def _move_into(fresh: str, target: str) -> None:
    """Put the new tree in place: in one step if nothing is there, else file by file over the old one."""
    if not os.path.lexists(target):
        os.replace(fresh, target)
        return
    if not os.path.isdir(target):
        raise FileExistsError(f"Cannot unpack into {target}: a file of that name is in the way.")
    real = os.path.realpath(target)
    for folder, _, files in os.walk(fresh):
        place = os.path.normpath(os.path.join(target, os.path.relpath(folder, fresh)))
        os.makedirs(place, exist_ok=True)
        # A link left in the old tree must not lead the new files out of it.
        if os.path.commonpath([os.path.realpath(place), real]) != real:
            raise UnsafeFileError(f"{place} is a link out of {target}; remove it, then unpack again.")
        for name in files:
            os.replace(os.path.join(folder, name), os.path.join(place, name))


class _TarReader:
    def __init__(self, path: str) -> None:
        self.path = path
        self._archive = tarfile.open(path)  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> _TarReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def members(self) -> Iterator[_Member]:
        for info in self._archive:
            kind = "file" if info.isreg() else "folder" if info.isdir() else "other"
            yield _Member(info.name, kind, info.size, info)

    def open(self, member: _Member) -> IO[bytes]:
        content = self._archive.extractfile(member.handle)
        if content is None:
            raise CorruptFileError(f"{self.path}: the member {member.name!r} has no content.")
        return content


class _ZipReader:
    def __init__(self, path: str) -> None:
        self.path = path
        self._archive = zipfile.ZipFile(path)

    def __enter__(self) -> _ZipReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def members(self) -> Iterator[_Member]:
        for info in self._archive.infolist():
            # The upper half of the attribute word holds the Unix file type, if the writer noted one.
            kind_bits = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir():
                kind = "folder"
            else:
                kind = "file" if kind_bits in (0, stat.S_IFREG) else "other"
            # `orig_filename` keeps backslashes, which `filename` may have turned into something harmless-looking.
            yield _Member(
                info.orig_filename if "\\" in info.orig_filename else info.filename, kind, info.file_size, info
            )

    def open(self, member: _Member) -> IO[bytes]:
        return self._archive.open(member.handle)


_READERS = {"tar": (tarfile.is_tarfile, _TarReader), "zip": (zipfile.is_zipfile, _ZipReader)}
