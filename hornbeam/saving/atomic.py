"""Writing a file so that it is either the old one or the new one, never half of it.

The new content goes to a temporary file beside the target, is flushed to the disk, and takes the target's
place in one step. A process that dies meanwhile leaves its temporary file; the next save to that path removes it.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from typing import IO, Any


@contextlib.contextmanager
def atomic_file(path: str) -> Iterator[IO[bytes]]:
    """Open a binary file for writing that becomes ``path`` when the block ends without an error.

    Raises:
        OSError: naming the target, when the disk or folder does not take it; the old file is unchanged then.
    """
    path = os.path.abspath(os.path.expanduser(path))
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"Cannot save to {path}: the folder {folder} does not exist. Create it first.")
    _remove_leftovers(folder, name)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(folder)
    except OSError as error:
        _discard(temporary)
        if error.filename is None or error.filename == temporary:
            raise OSError(
                error.errno,
                f"Saving failed ({error.strerror or error}); the file that was there before is unchanged",
                path,
            ) from error
        raise
    except BaseException:
        _discard(temporary)
        raise


def _discard(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _sync_folder(folder: str) -> None:
    # Some systems cannot open folders; then the rename is as durable as they make it.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _remove_leftovers(folder: str, name: str) -> None:
    pattern = re.compile(rf"\.{re.escape(name)}\.(\d+)-[0-9a-f]{{8}}\.tmp$")
    for entry in os.listdir(folder):
        match = pattern.fullmatch(entry)
        if match and not _is_alive(int(match.group(1))):
            _discard(os.path.join(folder, entry))


def _is_alive(process: int) -> bool:
    if process == os.getpid():
        return True
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
    text = os.path.expanduser(os.fspath(path))
    if not overwrite and os.path.exists(text):
        answer = ""
        if sys.stdin is not None and sys.stdin.isatty():
            answer = input(f"[WARNING] {text} already exists - overwrite? [y/n] ").strip().lower()
        if answer != "y":
            raise FileExistsError(f"{text} exists already; pass overwrite=True to replace it, or choose another name.")
    return text
