"""Looking for, copying and removing files and folders."""

from __future__ import annotations

import glob as python_glob
import os
import shutil
from collections.abc import Iterator
from typing import Any, NamedTuple

from hornbeam.errors import AlreadyExistsError, FailedPreconditionError, NotFoundError
from hornbeam.tensors.texts import file_error, path_of, text


class FileStatistics(NamedTuple):
    """Facts about a file.

    Attributes:
        length: bytes.
        mtime_nsec: time of the last change, in nanoseconds since 1970.
        is_directory: whether it is a folder.
    """

    length: int
    mtime_nsec: int
    is_directory: bool


def exists(path: Any) -> bool:
    """True if there is a file or folder of that name."""
    return os.path.exists(path_of(path, "tf.io.gfile.exists"))


def isdir(path: Any) -> bool:
    """True if there is a folder of that name."""
    return os.path.isdir(path_of(path, "tf.io.gfile.isdir"))


def glob(pattern: Any) -> list[str]:
    """Names that match a pattern (or one of several), sorted."""
    patterns = pattern if isinstance(pattern, (list, tuple)) else [pattern]
    found = {name for one in patterns for name in python_glob.glob(path_of(one, "tf.io.gfile.glob"))}
    return sorted(found)


def listdir(path: Any) -> list[str]:
    """Names in a folder."""
    folder = path_of(path, "tf.io.gfile.listdir")
    if not os.path.isdir(folder):
        raise NotFoundError(None, None, f"tf.io.gfile.listdir: there is no folder {folder!r}.")
    return os.listdir(folder)


def mkdir(path: Any) -> None:
    """Make a folder, in one that is there."""
    folder = path_of(path, "tf.io.gfile.mkdir")
    try:
        os.mkdir(folder)
    except FileExistsError as error:
        raise AlreadyExistsError(None, None, f"tf.io.gfile.mkdir: {folder!r} is there already.") from error
    except OSError as error:
        raise file_error(error, "tf.io.gfile.mkdir", folder) from error


def makedirs(path: Any) -> None:
    """Make a folder and those above it; one that is there already is fine."""
    folder = path_of(path, "tf.io.gfile.makedirs")
    try:
        os.makedirs(folder, exist_ok=True)
    except FileExistsError as error:
        raise FailedPreconditionError(None, None, f"tf.io.gfile.makedirs: {folder!r} is a file.") from error
    except OSError as error:
        raise file_error(error, "tf.io.gfile.makedirs", folder) from error


def remove(path: Any) -> None:
    """Remove a file (or an empty folder)."""
    name = path_of(path, "tf.io.gfile.remove")
    try:
        (os.rmdir if os.path.isdir(name) else os.remove)(name)
    except OSError as error:
        raise file_error(error, "tf.io.gfile.remove", name) from error


def rmtree(path: Any) -> None:
    """Remove a folder and all that is in it."""
    name = path_of(path, "tf.io.gfile.rmtree")
    try:
        shutil.rmtree(name)
    except OSError as error:
        raise file_error(error, "tf.io.gfile.rmtree", name) from error


def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Copy a file.

    Raises:
        tf.errors.AlreadyExistsError: ``dst`` is there, and ``overwrite`` is False.
    """
    source, target = path_of(src, "tf.io.gfile.copy"), path_of(dst, "tf.io.gfile.copy")
    _refuse_overwrite(target, overwrite, "copy")
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise file_error(error, "tf.io.gfile.copy", source) from error


def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Give a file another name.

    Raises:
        tf.errors.AlreadyExistsError: ``dst`` is there, and ``overwrite`` is False.
    """
    source, target = path_of(src, "tf.io.gfile.rename"), path_of(dst, "tf.io.gfile.rename")
    _refuse_overwrite(target, overwrite, "rename")
    try:
        os.replace(source, target)
    except OSError as error:
        raise file_error(error, "tf.io.gfile.rename", source) from error


def _refuse_overwrite(target: str, overwrite: bool, what: str) -> None:
    if not overwrite and os.path.exists(target):
        raise AlreadyExistsError(
            None, None, f"tf.io.gfile.{what}: {target!r} is there already; give overwrite=True to replace it."
        )


def stat(path: Any) -> FileStatistics:
    """Length, time of the last change, and whether it is a folder."""
    name = path_of(path, "tf.io.gfile.stat")
    try:
        found = os.stat(name)
    except OSError as error:
        raise file_error(error, "tf.io.gfile.stat", name) from error
    return FileStatistics(found.st_size, found.st_mtime_ns, os.path.isdir(name))


def walk(top: Any, topdown: bool = True, onerror: Any = None) -> Iterator[tuple[str, list[str], list[str]]]:
    """Folder, names of its folders and names of its files, for a folder and all below it."""
    yield from os.walk(path_of(top, "tf.io.gfile.walk"), topdown=topdown, onerror=onerror)


def join(path: Any, *paths: Any) -> str:
    """Parts of a name joined."""
    parts = [text(part) if isinstance(part, bytes) else os.fspath(part) for part in (path, *paths)]
    return os.path.join(*parts)


def get_registered_schemes() -> list[str]:
    """Kinds of names that can be read: those of this machine's files only."""
    return ["", "file"]
