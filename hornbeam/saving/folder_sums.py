"""Checksums of the files in a model folder, where neither the folder nor its formats have any. Needs no JAX.

``.keras`` folders keep them in ``metadata.json``, SavedModel folders in a field of ``fingerprint.pb``; other programs
pass over both.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from typing import Any

from hornbeam.base.errors import CorruptFileError
from hornbeam.saving.texts import parse_json, printable

__all__ = ["check_folder", "check_sums", "file_sum", "seal", "sums_of_folder"]

_KEY, _OWN = "checksums", "checksum"
_CHUNK_BYTES = 1 << 20


def file_sum(path: str) -> int:
    """CRC-32 of a file."""
    value = 0
    with open(path, "rb") as file:
        while block := file.read(_CHUNK_BYTES):
            value = zlib.crc32(block, value)
    return value


def sums_of_folder(folder: str) -> dict[str, int]:
    """CRC-32 of every file below a folder, by its name with slashes."""
    found = {}
    for inner, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(inner, name)
            found[os.path.relpath(path, folder).replace(os.sep, "/")] = file_sum(path)
    return dict(sorted(found.items()))


def seal(described: Mapping[str, Any], sums: Mapping[str, int]) -> bytes:
    """JSON text of a description with checksums of other files, and of itself."""
    content = {**described, _KEY: dict(sums)}
    return json.dumps({**content, _OWN: _own_sum(content)}).encode("utf-8")


def _own_sum(content: Mapping[str, Any]) -> int:
    rest = {key: value for key, value in content.items() if key != _OWN}
    return zlib.crc32(json.dumps(rest, sort_keys=True).encode("utf-8"))


def check_sums(described: Any, source: str) -> dict[str, int]:
    """The checksums in a sealed description; empty if it has none.

    Raises:
        CorruptFileError: the description itself is damaged.
    """
    if not isinstance(described, dict) or _OWN not in described:
        return {}
    sums = described.get(_KEY)
    if described[_OWN] != _own_sum(described) or not isinstance(sums, dict):
        raise CorruptFileError(f"{source} is damaged: it does not fit its own checksum. Use another copy.")
    return sums


def check_folder(folder: str, text: bytes, source: str) -> None:
    """Compare the files of a folder with a sealed description, all but the variables, which have checksums already.

    Args:
        folder: the folder.
        text: what ``seal`` gave.
        source: where it stood, for messages.

    Raises:
        CorruptFileError: a file is damaged or missing.
    """
    for name, expected in check_sums(parse_json(text, source), source).items():
        parts = name.split("/")
        if os.path.isabs(name) or ".." in parts or "\\" in name:
            raise CorruptFileError(f"{source} names the file {printable(name)!r}, which is not one of this folder.")
        inside = os.path.join(folder, *parts)
        if parts[0] != "variables" and (not os.path.isfile(inside) or file_sum(inside) != expected):
            raise CorruptFileError(
                f"{inside} is missing or damaged: it does not fit its checksum in {source}. Use another copy of the "
                "folder. (If another program has changed the folder on purpose, delete fingerprint.pb.)"
            )
