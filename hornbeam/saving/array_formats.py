"""Files of named arrays: ``.npz`` of NumPy, and ``.safetensors``; read without trust. Needs no JAX."""

from __future__ import annotations

import json
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable
from typing import Any

import ml_dtypes
import numpy as np
from numpy.lib import format as npy

from hornbeam.base.errors import CorruptFileError, UnsafeFileError
from hornbeam.saving.archive import ZipArchive
from hornbeam.saving.atomic import atomic_file
from hornbeam.saving.h5_file import checksum
from hornbeam.saving.texts import parse_json, printable

__all__ = ["read_arrays", "read_npz", "read_safetensors", "write_npz", "write_safetensors"]

Named = Iterable[tuple[str, np.ndarray]]


# --- npz -----------------------------------------------------------------------------------------
def write_npz(arrays: Named, path: str) -> None:
    """Write named arrays as an ``.npz`` file."""
    with atomic_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in arrays:
            extra = array.dtype.kind == "V"
            # NumPy has no bfloat16: its bytes, with the type in the name.
            label = f"{name}.{array.dtype.name}" if extra else name
            plain = array.view(f"u{array.dtype.itemsize}") if extra else array
            with archive.open(f"{label}.npy", "w", force_zip64=True) as member:
                npy.write_array(member, np.ascontiguousarray(plain).reshape(array.shape), allow_pickle=False)


def read_npz(path: str) -> dict[str, np.ndarray]:
    """Arrays of an ``.npz`` file by name.

    Raises:
        UnsafeFileError: an array of objects, which would have to be unpickled.
        CorruptFileError: no whole file.
    """
    found: dict[str, np.ndarray] = {}
    with ZipArchive(path) as archive:
        for name in archive.names:
            if not name.endswith(".npy"):
                raise CorruptFileError(f"{path}: member {printable(name)!r} is no array.")
            found[name.removesuffix(".npy")] = _npy(archive.open(name), archive.size(name), f"{path}:{printable(name)}")
    return {_plain_name(name): _typed(name, array) for name, array in found.items()}


_EXTRA = tuple(f".{kind}" for kind in ("bfloat16", "float8_e4m3fn", "float8_e5m2", "int4", "uint4"))


def _plain_name(name: str) -> str:
    return name.rpartition(".")[0] if name.endswith(_EXTRA) else name


def _typed(name: str, array: np.ndarray) -> np.ndarray:
    return array.view(getattr(ml_dtypes, name.rpartition(".")[2])) if name.endswith(_EXTRA) else array


def _npy(file: Any, size: int, source: str) -> np.ndarray:
    try:
        version = npy.read_magic(file)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if read is None:
            raise ValueError(f"version {version}")
        shape, fortran, dtype = read(file)
    except (ValueError, EOFError, KeyError, TypeError) as error:
        raise CorruptFileError(f"{source} is no array ({error}).") from error
    if dtype.hasobject or dtype.kind in "OV":
        raise UnsafeFileError(
            f"{source} holds Python objects, which would have to be unpickled: this is refused. Save the "
            "weights again as "
            "`.weights.h5`."
        )
    count = 1
    for length in shape:
        count *= int(length)
    data = file.read(size)
    if count * dtype.itemsize != len(data):
        raise CorruptFileError(f"{source} claims {count * dtype.itemsize} bytes, but holds {len(data)}.")
    array = np.frombuffer(data, dtype)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


# --- safetensors ---------------------------------------------------------------------------------
_TYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
}  # fmt: skip
_DTYPES = {short: name for name, short in _TYPES.items()}


def write_safetensors(arrays: Named, path: str) -> None:
    """Write named arrays as a ``.safetensors`` file, with a checksum of each array among its notes."""
    header: dict[str, Any] = {}
    notes: dict[str, str] = {"format": "hornbeam"}
    place = 0
    arrays = list(arrays)
    for name, array in arrays:
        kind = _TYPES.get(array.dtype.name)
        if kind is None:
            raise ValueError(f"{name}: safetensors files hold no {array.dtype.name}. Save as `.weights.h5` instead.")
        header[name] = {
            "dtype": kind,
            "shape": list(array.shape),
            "data_offsets": [place, place + array.nbytes],
        }
        notes[f"crc32 {name}"] = str(checksum(np.ascontiguousarray(array)))
        place += array.nbytes
    notes[_HEADER_SUM] = _sum_of(header, notes)
    text = json.dumps({"__metadata__": notes, **header}, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with atomic_file(path) as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, array in arrays:
            file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


_HEADER_SUM = "crc32"


def _sum_of(header: dict[str, Any], notes: dict[str, str]) -> str:
    """Checksum of names, types, shapes and places, and of the checksums of the arrays."""
    return str(zlib.crc32(json.dumps([header, notes], sort_keys=True).encode("utf-8")))


def read_safetensors(path: str) -> dict[str, np.ndarray]:
    """Arrays of a ``.safetensors`` file by name, mapped from disk until they are used.

    Raises:
        CorruptFileError: cut short, overlapping, or damaged.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(8)
        length = int.from_bytes(head, "little")
        if len(head) != 8 or length > size - 8 or length > 100 << 20:
            raise CorruptFileError(f"{path} is no whole .safetensors file.")
        header = parse_json(file.read(length), path)
    if not isinstance(header, dict):
        raise CorruptFileError(f"{path}: its header is no JSON object.")
    notes = header.pop("__metadata__", None) or {}
    if isinstance(notes, dict) and any(key.startswith("crc32 ") for key in notes):
        expected = notes.pop(_HEADER_SUM, None)
        if expected != _sum_of(header, notes):
            raise CorruptFileError(f"{path}: its header is damaged. Use another copy of the file.")
    data = np.memmap(path, np.uint8, "r", offset=8 + length) if size > 8 + length else np.zeros(0, np.uint8)
    found, end = {}, 0
    for name, entry in sorted(header.items(), key=_offset):
        found[name], end = _tensor(name, entry, data, end, path)
        expected = notes.get(f"crc32 {name}") if isinstance(notes, dict) else None
        if expected is not None and str(checksum(np.ascontiguousarray(found[name]))) != expected:
            raise CorruptFileError(f"{path}: the array {printable(name)!r} is damaged. Use another copy of the file.")
    if end != data.size:
        raise CorruptFileError(f"{path}: {data.size - end} bytes belong to no array; the file is damaged.")
    return found


def _offset(item: tuple[str, Any]) -> tuple[int, int]:
    try:
        start, end = item[1]["data_offsets"]
        return int(start), int(end)
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptFileError(f"The entry of array {printable(item[0])!r} is not complete.") from error


def _tensor(name: str, entry: dict[str, Any], data: np.ndarray, end: int, path: str) -> tuple[np.ndarray, int]:
    start, stop = _offset((name, entry))
    kind = _DTYPES.get(entry.get("dtype", ""))
    shape = entry.get("shape")
    if kind is None or not isinstance(shape, list) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise CorruptFileError(f"{path}: the entry of array {printable(name)!r} is not understood: {entry}.")
    dtype = np.dtype(getattr(ml_dtypes, kind, None) or kind)
    count = 1
    for length in shape:
        count *= length
    if start != end or stop - start != count * dtype.itemsize or stop > data.size:
        raise CorruptFileError(f"{path}: the place of array {printable(name)!r} does not fit its shape, or overlaps.")
    return np.asarray(data[start:stop]).view(dtype).reshape(shape), stop


def read_arrays(path: str) -> dict[str, np.ndarray]:
    """Arrays of an ``.npz`` or ``.safetensors`` file by name."""
    with open(path, "rb") as file:
        is_zip = file.read(2) == b"PK"
    return read_npz(path) if is_zip else read_safetensors(path)
