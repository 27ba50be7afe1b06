"""Backups of training runs: one file per backup, the two newest are kept, each with a checksum for every part.

A file is a zip archive: ``state.json`` and the arrays as raw bytes. It appears whole or not at all.
"""

from __future__ import annotations

import json
import math
import os
import re
import zipfile
import zlib
from contextlib import suppress
from typing import Any

import ml_dtypes  # noqa: F401 - gives NumPy the names of the small float types
import numpy as np

from hornbeam.base.errors import CorruptFileError
from hornbeam.base.plain_state import pack, unpack
from hornbeam.saving.atomic import atomic_file

__all__ = ["list_backups", "read_backup", "remove_backups", "write_backup"]

_NAME = re.compile(r"backup-(\d{9})\.zip")
_KEPT = 2
_FORMAT = 1


def write_backup(folder: str, state: dict[str, Any]) -> str:
    """Write a backup beside the earlier ones, and remove all but the two newest; returns its path.

    Args:
        folder: made if need be.
        state: plain data, see ``base.plain_state``.

    Raises:
        OSError: the disk does not take it; the earlier backups are unchanged.
    """
    os.makedirs(folder, exist_ok=True)
    before = list_backups(folder)
    number = _number(before[0]) + 1 if before else 1
    path = os.path.join(folder, f"backup-{number:09d}.zip")
    arrays: list[np.ndarray] = []
    packed = pack(state, arrays)
    described = [{"shape": list(array.shape), "dtype": array.dtype.name, "order": _order(array)} for array in arrays]
    text = json.dumps({"format": _FORMAT, "state": packed, "arrays": described})
    with atomic_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("state.json", text)
        for index, array in enumerate(arrays):
            with archive.open(f"arrays/{index}", "w", force_zip64=True) as member:
                member.write(_raw(array))
    for old in before[_KEPT - 1 :]:
        with suppress(OSError):
            os.unlink(old)
    return path


def _order(array: np.ndarray) -> str:
    return "text" if array.dtype.kind in "US" else ""


def _raw(array: np.ndarray) -> Any:
    if _order(array):
        return json.dumps(array.astype("U").tolist()).encode()
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def list_backups(folder: str) -> list[str]:
    """Paths of the backups in a folder, the newest first."""
    if not os.path.isdir(folder):
        return []
    found = [os.path.join(folder, name) for name in os.listdir(folder) if _NAME.fullmatch(name)]
    return sorted(found, key=_number, reverse=True)


def _number(path: str) -> int:
    match = _NAME.fullmatch(os.path.basename(path))
    return int(match.group(1)) if match else 0


def read_backup(path: str) -> dict[str, Any]:
    """Read a backup.

    Raises:
        CorruptFileError: the file is damaged, or no backup.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            head = json.loads(archive.read("state.json"))
            if head["format"] != _FORMAT:
                raise ValueError(f"it has format {head['format']!r}, known is {_FORMAT}")
            arrays = [_array(archive, index, entry) for index, entry in enumerate(head["arrays"])]
            return unpack(head["state"], arrays)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, *_BAD_CONTENT) as error:
        raise CorruptFileError(f"{path} is damaged or no backup of a training run: {error}") from error


_BAD_CONTENT = (ValueError, KeyError, IndexError, TypeError, AttributeError, NotImplementedError, RecursionError)


def _array(archive: zipfile.ZipFile, index: int, entry: dict[str, Any]) -> np.ndarray:
    raw = archive.read(f"arrays/{index}")
    shape = tuple(entry["shape"])
    if entry["order"] == "text":
        return np.array(json.loads(raw), dtype=entry["dtype"]).reshape(shape)
    dtype = np.dtype(entry["dtype"])
    if len(raw) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"array {index} has {len(raw)} bytes, its shape {shape} needs another number")
    return np.frombuffer(bytearray(raw), dtype).reshape(shape)


def remove_backups(folder: str) -> None:
    """Remove the backups, and the folder if nothing else is in it."""
    for path in list_backups(folder):
        with suppress(OSError):
            os.unlink(path)
    with suppress(OSError):
        os.rmdir(folder)
