"""Writing a file or folder so that it is either the old one or the new one, never half of it.

The new content goes to a temporary place beside the target, is flushed to the disk, and takes the target's place in one
step. A process that dies meanwhile leaves its temporary place behind; the next save to that path removes it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from typing import IO, Any

from hornbeam.saving.paths import local_path

__all__ = ["atomic_file", "atomic_folder", "free_path", "is_alive"]

_own: set[str] = set()
"""Temporary places that this process is writing right now."""
_lock = threading.Lock()


@contextlib.contextmanager
def atomic_file(path: str) -> Iterator[IO[bytes]]:
    """Open a binary file for reading and writing that becomes ``path`` when the block ends without an error.

    Raises:
        OSError: naming the target, when the disk or folder does not take it; the old file is unchanged then.
    """
    path, folder, temporary = _prepare(path)
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, "Cannot save a file here: this is a folder. Use another name", path)
    with _guarded(path, temporary):
        with open(temporary, "x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(folder)


@contextlib.contextmanager
def atomic_folder(path: str) -> Iterator[str]:
    """A new folder to fill, which takes the place of ``path`` when the block ends without an error.

    Linux can exchange two folders in one step. Elsewhere the old one is moved aside first, and comes back if the second
    move fails or, after a crash, with the next save.
    """
    path, folder, temporary = _prepare(path)
    with _guarded(path, temporary):
        os.mkdir(temporary)
        yield temporary
        _sync_tree(temporary)
        if os.path.isdir(path) and not os.path.islink(path):
            _replace_folder(temporary, path)
        else:
            os.replace(temporary, path)
        _sync_folder(folder)


def _replace_folder(temporary: str, path: str) -> None:
    if _exchange(temporary, path):
        shutil.rmtree(temporary, ignore_errors=True)
        return
    aside = temporary.removesuffix(".tmp") + ".old.tmp"
    os.rename(path, aside)
    try:
        os.rename(temporary, path)
    except BaseException:
        os.rename(aside, path)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _exchange(first: str, second: str) -> bool:
    """Swap two paths in one step, where the system can."""
    if not sys.platform.startswith("linux"):
        return False
    current_folder, exchange_flag = -100, 2
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
        return call(current_folder, os.fsencode(first), current_folder, os.fsencode(second), exchange_flag) == 0
    except (AttributeError, OSError):
        return False


def _prepare(path: str) -> tuple[str, str, str]:
    path = os.path.abspath(os.path.expanduser(path))
    # Writing through a link keeps the link, as opening it for writing would.
    path = os.path.realpath(path) if os.path.islink(path) else path
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            errno.ENOENT, f"Cannot save to {path}: the folder {folder} does not exist. Create it first", path
        )
    _remove_leftovers(folder, name)
    return path, folder, os.path.join(folder, f".{_short(name)}.{os.getpid()}-{os.urandom(4).hex()}.tmp")


def _short(name: str) -> str:
    # File systems allow 255 bytes a name; the temporary one is longer by about 25.
    return name if len(os.fsencode(name)) <= 200 else name[:40] + str(len(name))


@contextlib.contextmanager
def _guarded(path: str, temporary: str) -> Iterator[None]:
    """Remove the temporary place after any failure, and say what failed."""
    with _lock:
        _own.add(temporary)
    try:
        yield
    except OSError as error:
        needed = _size(temporary)
        _discard(temporary)
        if error.filename is None or str(error.filename).startswith(temporary):
            raise OSError(
                error.errno,
                f"Saving failed ({error.strerror or error}) after {needed} bytes, with {_free(path)} bytes free; what "
                "was there before is unchanged",
                path,
            ) from error
        raise
    except BaseException:
        _discard(temporary)
        raise
    finally:
        with _lock:
            _own.discard(temporary)


def _size(path: str) -> int:
    try:
        if os.path.isdir(path):
            return sum(entry.stat().st_size for entry in os.scandir(path))
        return os.path.getsize(path)
    except OSError:
        return 0


def _free(path: str) -> int:
    try:
        return shutil.disk_usage(os.path.dirname(path)).free
    except OSError:
        return -1


def _discard(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _sync_tree(path: str) -> None:
    for folder, _, files in os.walk(path):
        for name in files:
            handle = os.open(os.path.join(folder, name), os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    # Some systems cannot open folders; then the rename is as durable as they make it.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _remove_leftovers(folder: str, name: str) -> None:
    pattern = re.compile(rf"\.{re.escape(_short(name))}\.(\d+)-[0-9a-f]{{8}}(\.old)?\.tmp")
    for entry in os.listdir(folder):
        match = pattern.fullmatch(entry)
        if match is None or _in_use(int(match.group(1)), os.path.join(folder, entry)):
            continue
        leftover, target = os.path.join(folder, entry), os.path.join(folder, name)
        if match.group(2) and not os.path.exists(target):
            # The process died between the two moves: the old folder is the last whole one.
            os.rename(leftover, target)
        else:
            _discard(leftover)


def _in_use(process: int, place: str) -> bool:
    if process == os.getpid():
        # Ours: in use, or left by an earlier process of the same number (in containers numbers repeat).
        with _lock:
            return place in _own or place.removesuffix(".old.tmp") + ".tmp" in _own
    return is_alive(process)


def is_alive(process: int) -> bool:
    """Whether a process of that number is running."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def free_path(path: Any, overwrite: bool) -> str:
    """The path as text; asks before replacing an existing file unless ``overwrite``.

    Raises:
        FileExistsError: the file exists, ``overwrite`` is False, and nobody can be asked or says yes.
    """
    text = local_path(path)
    if not overwrite and os.path.exists(text):
        answer = ""
        if sys.stdin is not None and sys.stdin.isatty():
            answer = input(f"[WARNING] {text} already exists - overwrite? [y/n] ").strip().lower()
        if answer != "y":
            raise FileExistsError(f"{text} exists already; pass overwrite=True to replace it, or choose another name.")
    return text
