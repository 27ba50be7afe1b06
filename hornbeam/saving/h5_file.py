"""HDF5 files, opened without trust: no links, no outside storage, no claims beyond the file's size. Needs no JAX.

Also the small conventions that all Keras files share: text attributes, lists of names split over several attributes,
types that HDF5 does not know, and Hornbeam's own checksums, which other readers pass over.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import h5py
import h5py.h5a as h5a
import h5py.h5o as h5o
import h5py.h5s as h5s
import h5py.h5t as h5t
import ml_dtypes
import numpy as np

from hornbeam.base.errors import CorruptFileError, UnsafeFileError
from hornbeam.engine.memory import aligned_empty
from hornbeam.saving.atomic import atomic_file
from hornbeam.saving.limits import DEPTH_LIMIT, OBJECT_LIMIT, check_claim
from hornbeam.saving.part import Part, open_part
from hornbeam.saving.sniff import diagnose
from hornbeam.saving.sums import Span, file_sum, sum_beside
from hornbeam.saving.texts import printable

__all__ = [
    "CHECKSUM",
    "atomic_h5",
    "check_footer",
    "check_tree",
    "checksum",
    "dataset_in",
    "group_in",
    "names_in",
    "new_h5",
    "open_h5",
    "read_array",
    "text_in",
    "write_array",
    "write_names",
]

CHECKSUM = "crc32"
"""Attribute of a dataset: CRC-32 of its bytes."""
_FOOTER = struct.Struct("<8sII")
_FOOTER_MAGIC = b"HBCRC-32"
"""After the end of the HDF5 content, where HDF5 does not look: CRC-32 and size (modulo 2**32) of all before it.

It is compared before the HDF5 library sees the file, which is known to crash on damaged ones.
"""
_LARGE_BYTES = 1 << 16
"""From here on an array is worth a place of its own in the sum of the whole file."""
_sums: dict[int, list[Span]] = {}
"""Sums of the large arrays in the files that are being written, by HDF5's number of the open file."""
_whole: set[int] = set()
"""Files open for reading, by the same number, that fitted a checksum of their whole content."""
_HEADER_LIMIT_BYTES = 64512
"""Attributes of a fixed size may not be longer; longer lists are split."""


@contextlib.contextmanager
def open_h5(file: Any, source: str, size_bytes: int) -> Iterator[h5py.File]:
    """Open a file for reading, after a look at all its groups and datasets.

    Args:
        file: path or open binary file; ``is_checked`` on it says that its content fitted a checksum.
        source: how messages call it.
        size_bytes: its size.

    Raises:
        CorruptFileError: no whole HDF5 file; also for damage that is met while it is open.
        UnsafeFileError: it links to something, keeps data outside itself, or claims more than it holds.
    """
    looked_at = _fitting(file) if isinstance(file, str) else None
    try:
        opened = h5py.File(file, "r")
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        what = diagnose(file) if isinstance(file, str) else f"{source} is damaged or cut short ({error})."
        raise CorruptFileError(what) from error
    with opened:
        number = _number(opened)
        # Another program may have put a new file in its place meanwhile; that one is checked array by array.
        if getattr(file, "is_checked", False) or (looked_at is not None and looked_at == _identity(os.stat(file))):
            _whole.add(number)
        try:
            check_tree(opened, source, size_bytes)
            yield opened
        except (OSError, RuntimeError) as error:
            # What h5py raises for damaged structures.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            if not type(error).__module__.startswith("builtins"):
                raise
            raise CorruptFileError(f"{source} is damaged: {error}. Use another copy of the file.") from error
        finally:
            _whole.discard(number)


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _number(item: Any) -> int:
    """HDF5's own number of the open file that an object is in."""
    return h5o.get_info(item.id).fileno


@contextlib.contextmanager
def atomic_h5(path: str) -> Iterator[h5py.File]:
    """A new HDF5 file to fill; it becomes ``path``, with a checksum at its end, when the block ends without error."""
    with atomic_file(path) as file:
        with open_part(file) as part, new_h5(part) as target:
            yield target
        crc = file_sum(file, 0, part.size, part.sums)
        file.seek(0, 2)
        file.write(_FOOTER.pack(_FOOTER_MAGIC, crc, part.size & 0xFFFFFFFF))


@contextlib.contextmanager
def new_h5(part: Part) -> Iterator[h5py.File]:
    """A new HDF5 file to fill; ``part.sums`` gets the checksums of its large arrays."""
    with h5py.File(part, "w") as target:
        number = _number(target)
        _sums[number] = part.sums
        try:
            yield target
        finally:
            del _sums[number]


def check_footer(path: str) -> bool:
    """Compare a file with the checksum at its end; False if it has none.

    Raises:
        CorruptFileError: they differ.
    """
    return _fitting(path) is not None


def _fitting(path: str) -> tuple[int, ...] | None:
    """Which file it is that fits the checksum at its end; ``None`` if there is none."""
    with open(path, "rb") as file:
        end = file.seek(0, 2)
        if end < _FOOTER.size:
            return None
        size = file.seek(end - _FOOTER.size)
        magic, crc, stored_size = _FOOTER.unpack(file.read(_FOOTER.size))
        if magic != _FOOTER_MAGIC:
            return None
        if stored_size != size & 0xFFFFFFFF or crc != file_sum(file, 0, size):
            raise CorruptFileError(f"{path} is damaged: it does not fit the checksum at its end. Use another copy.")
        return _identity(os.fstat(file.fileno()))


def check_tree(file: h5py.File, source: str, size_bytes: int) -> None:
    """Walk all groups without following links; see ``open_h5``."""
    claimed, met = 0, set()
    stack: list[tuple[h5py.Group, str, int]] = [(file, "", 0)]
    while stack:
        group, path, depth = stack.pop()
        if depth > DEPTH_LIMIT:
            raise UnsafeFileError(f"{source}: groups are nested more than {DEPTH_LIMIT} deep at {printable(path)!r}.")
        for name in map(str, group):
            inner = f"{path}/{name}" if path else name
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise UnsafeFileError(
                    f"{source}: member {printable(inner)!r} is a link to another place, which is refused. A model file "
                    "holds its arrays itself; save the model again with a program that you trust."
                )
            item = _member(group, name, inner, source)
            address = h5o.get_info(item.id).addr
            if address in met or len(met) > OBJECT_LIMIT:
                raise UnsafeFileError(f"{source}: member {printable(inner)!r} has a second name, which is refused.")
            met.add(address)
            if isinstance(item, h5py.Group):
                stack.append((item, inner, depth + 1))
            elif isinstance(item, h5py.Dataset):
                claimed += _claim(item, inner, source)
            else:
                raise UnsafeFileError(f"{source}: member {printable(inner)!r} is neither a group nor an array.")
    check_claim(source, claimed, size_bytes)


def _member(group: h5py.Group, name: str, path: str, source: str) -> Any:
    try:
        return group[name]
    except (KeyError, OSError, RuntimeError, ValueError, TypeError) as error:
        raise CorruptFileError(f"{source}: member {printable(path)!r} cannot be opened ({error}).") from error


def _claim(dataset: h5py.Dataset, path: str, source: str) -> int:
    """Bytes that a dataset says it has."""
    properties = dataset.id.get_create_plist()
    if properties.get_external_count() or properties.get_layout() == h5py.h5d.VIRTUAL:
        raise UnsafeFileError(
            f"{source}: dataset {printable(path)!r} keeps its data in another file, which is refused."
        )
    try:
        kind = dataset.dtype.kind
    except (TypeError, ValueError) as error:
        raise CorruptFileError(f"{source}: dataset {printable(path)!r} is of an unknown type ({error}).") from error
    if kind == "O":
        raise UnsafeFileError(f"{source}: dataset {printable(path)!r} holds objects, not numbers; this is refused.")
    return int(dataset.nbytes)


# --- attributes ----------------------------------------------------------------------------------
def text_in(holder: Any, name: str, source: str) -> str | None:
    """A text attribute, ``None`` if there is none."""
    if name not in holder.attrs:
        return None
    value = holder.attrs[name]
    if isinstance(value, np.ndarray) and value.size == 1:
        # Some writers make a list of one.
        value = value.reshape(())[()]
    if isinstance(value, (bytes, np.bytes_)):
        try:
            return bytes(value).decode("utf-8")
        except UnicodeDecodeError as error:
            raise CorruptFileError(f"{source}: attribute {name!r} is no UTF-8 text.") from error
    if isinstance(value, str):
        return str(value)
    raise CorruptFileError(f"{source}: attribute {name!r} is a {type(value).__name__}, not text.")


def names_in(group: Any, name: str, source: str) -> list[str]:
    """A list of names kept in one attribute, or in several numbered ones."""
    attributes = group.attrs
    if name in attributes:
        return _names(attributes[name], name, source)
    found: list[str] = []
    number = 0
    while f"{name}{number}" in attributes:
        found += _names(attributes[f"{name}{number}"], name, source)
        number += 1
    if not number:
        raise CorruptFileError(f"{source}: group {printable(group.name)!r} lacks its attribute {name!r}.")
    return found


def _names(value: Any, name: str, source: str) -> list[str]:
    array = np.asarray(value)
    if not array.size:
        return []
    try:
        return [item.decode("utf-8") if isinstance(item, bytes) else _as_text(item) for item in array.ravel().tolist()]
    except (UnicodeDecodeError, TypeError) as error:
        raise CorruptFileError(f"{source}: attribute {name!r} is no list of names.") from error


def _as_text(item: Any) -> str:
    if not isinstance(item, str):
        raise TypeError(type(item).__name__)
    return item


def write_names(group: Any, name: str, names: Sequence[str]) -> None:
    """Write a list of names into one attribute, or into several where one would be too long for HDF5.

    Raises:
        ValueError: a single name is too long.
    """
    encoded = [item.encode("utf-8") for item in names]
    for item in encoded:
        if len(item) > _HEADER_LIMIT_BYTES:
            raise ValueError(
                f"The name {item[:40]!r}... has {len(item)} bytes, more than the {_HEADER_LIMIT_BYTES} that HDF5 can "
                "hold. Give the layer a shorter name."
            )
    array = np.asarray(encoded)
    count = 1
    while any(part.nbytes > _HEADER_LIMIT_BYTES for part in np.array_split(array, count)):
        count += 1
    if count == 1:
        group.attrs[name] = encoded
        return
    for number, part in enumerate(np.array_split(array, count)):
        group.attrs[f"{name}{number}"] = part


# --- arrays --------------------------------------------------------------------------------------
def write_array(group: Any, name: str, array: np.ndarray) -> None:
    """Write an array with its checksum, and with the name of its type where HDF5 has no such type."""
    array = np.asarray(array)
    array = array if array.flags.c_contiguous else np.ascontiguousarray(array).reshape(array.shape)
    kind = array.dtype.name
    if array.dtype.kind == "V" and hasattr(ml_dtypes, kind):
        raw = array.reshape(-1).view(f"V{array.dtype.itemsize}").reshape(array.shape)
    else:
        raw = array
    crc = sum_beside(_bytes_of(array))
    dataset = group.create_dataset(name, data=raw)
    if raw is not array:
        dataset.attrs["dtype"] = kind
    # The short way to `dataset.attrs[CHECKSUM] = np.uint32(...)`, which takes as long as writing a small array.
    h5a.create(dataset.id, CHECKSUM.encode(), h5t.STD_U32LE, h5s.create(h5s.SCALAR)).write(np.array(crc(), np.uint32))
    if array.nbytes >= _LARGE_BYTES and dataset.dtype == raw.dtype:
        spans, place = _sums.get(_number(dataset)), dataset.id.get_offset()
        if spans is not None and place is not None:
            spans.append(Span(place, array.nbytes, crc()))


def checksum(array: np.ndarray) -> int:
    """CRC-32 of an array's bytes, without a copy of it."""
    return zlib.crc32(_bytes_of(array))


def _bytes_of(array: np.ndarray) -> Any:
    return array.reshape(-1).view(np.uint8).data if array.size else b""


def group_in(group: h5py.Group, name: str, source: str) -> h5py.Group:
    """The member of this name, which must be a group.

    Raises:
        CorruptFileError: it is missing, or something else.
    """
    return _of_kind(group, name, source, h5py.Group, "a group")


def dataset_in(group: h5py.Group, name: str, source: str) -> h5py.Dataset:
    """The member of this name, which must be an array.

    Raises:
        CorruptFileError: it is missing, or something else.
    """
    return _of_kind(group, name, source, h5py.Dataset, "an array")


def _of_kind(group: h5py.Group, name: str, source: str, kind: type, what: str) -> Any:
    member = _member(group, name, f"{group.name}/{name}", source)
    if not isinstance(member, kind):
        raise CorruptFileError(
            f"{source}: expected {what} named {printable(name)!r} in {printable(str(group.name))!r}, received "
            f"{type(member).__name__}. Use another copy of the file."
        )
    return member


def read_array(dataset: h5py.Dataset, path: str, source: str) -> np.ndarray:
    """An array, checked against its checksum.

    Raises:
        CorruptFileError: the checksum does not match, or the type is unknown.
    """
    try:
        array = _content(dataset)
        kind = text_in(dataset, "dtype", source)
        if kind is None and array.dtype == np.dtype("V2"):
            kind = "bfloat16"  # some programs write it as bare pairs of bytes
        if kind is not None:
            array = np.ascontiguousarray(array).reshape(-1).view(_extra_type(kind)).reshape(dataset.shape)
        expected = None if _number(dataset) in _whole else dataset.attrs.get(CHECKSUM)
    except (OSError, RuntimeError, TypeError, ValueError, KeyError) as error:
        raise CorruptFileError(f"{source}: the array {printable(path)!r} cannot be read ({error}).") from error
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if expected is not None and checksum(np.ascontiguousarray(array)) != int(expected):
        raise CorruptFileError(
            f"{source}: the array {printable(path)!r} is damaged (its checksum does not match). Use another copy of "
            "the file."
        )
    return array


def _content(dataset: h5py.Dataset) -> np.ndarray:
    """The numbers, in memory that becomes a device array without a copy where it is large."""
    if dataset.nbytes < _LARGE_BYTES or dataset.dtype.kind not in "fiu":
        return np.asarray(dataset[()])
    array = aligned_empty(dataset.shape, dataset.dtype)
    dataset.id.read(h5s.ALL, h5s.ALL, array)
    return array


def _extra_type(kind: str) -> np.dtype:
    found = getattr(ml_dtypes, kind, None) if kind.startswith(("bfloat", "float", "int", "uint")) else None
    return np.dtype(found if found is not None else kind)
