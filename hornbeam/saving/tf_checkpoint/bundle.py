"""Tensor bundles: an index file and data files that hold tensors by name; the body of checkpoints and SavedModels."""

from __future__ import annotations

import contextlib
import glob
import math
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from hornbeam.base.crc32c import crc32c, mask, masked_crc32c
from hornbeam.base.errors import CorruptFileError, UnsupportedFileError
from hornbeam.saving.atomic import atomic_file
from hornbeam.saving.protos import decode, encode, message
from hornbeam.saving.protos.wire import read_varint, write_varint
from hornbeam.saving.tf_checkpoint.kinds import STRING, dtype_name, dtype_number, numpy_dtype
from hornbeam.saving.tf_checkpoint.ordered_code import slice_key
from hornbeam.saving.tf_checkpoint.table import read_table, write_table

__all__ = ["OBJECT_GRAPH", "Bundle", "Entry", "is_bundle", "write_bundle"]

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
"""The tensor that says which object each tensor belongs to."""
_MOST_INDEX_BYTES = 1 << 30
_CHUNK_BYTES = 16 << 20


def is_bundle(prefix: str) -> bool:
    """Whether a checkpoint of that prefix lies on the disk."""
    return os.path.isfile(f"{prefix}.index")


class Entry(NamedTuple):
    """Where a tensor lies."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int
    slices: tuple[tuple[tuple[int, int], ...], ...]


class Bundle:
    """The tensors of a checkpoint, read one by one.

    Args:
        prefix: path without ``.index``.

    Raises:
        FileNotFoundError: there is no such checkpoint.
        CorruptFileError: the index is damaged.
    """

    def __init__(self, prefix: Any) -> None:
        self.prefix = os.fspath(prefix)
        path = f"{self.prefix}.index"
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f"There is no checkpoint {self.prefix!r}: the file {path!r} does not exist. Give the path without "
                "`.index`; `tf.train.latest_checkpoint(folder)` finds the newest one of a folder."
            )
        if os.path.getsize(path) > _MOST_INDEX_BYTES:
            raise UnsupportedFileError(f"{path}: an index of more than {_MOST_INDEX_BYTES} bytes is not read.")
        with open(path, "rb") as file:
            table = read_table(file.read(), path)
        header = decode("BundleHeaderProto", table.pop(b"", b""))
        if header.endianness != 0:
            raise UnsupportedFileError(f"{path}: written on a big-endian machine, which is not read.")
        self.shards = header.num_shards
        if not 0 < self.shards <= 100_000:
            raise CorruptFileError(f"{path}: claims {self.shards} data files.")
        self._raw = table
        self._entries: dict[bytes, Entry] = {}
        self._moved: dict[int, str] = {}

    def names(self) -> list[str]:
        """Names of all tensors, sorted; pieces of partitioned ones are left out."""
        return sorted(key.decode("utf-8", "replace") for key in self._raw if not key.startswith(b"\0"))

    def files(self) -> list[str]:
        """Paths of the index and of the data files that are there."""
        paths = [f"{self.prefix}.index", *map(self._shard_path, range(self.shards))]
        return [path for path in paths if os.path.isfile(path)]

    def __contains__(self, name: str) -> bool:
        return name.encode("utf-8") in self._raw

    def entry(self, name: str | bytes) -> Entry:
        """Facts about a tensor.

        Raises:
            KeyError: there is none of that name.
        """
        key = name.encode("utf-8") if isinstance(name, str) else name
        if key not in self._entries:
            if key not in self._raw:
                raise KeyError(f"Checkpoint {self.prefix!r} has no tensor {name!r}.")
            proto = decode("BundleEntryProto", self._raw[key])
            slices = tuple(tuple((e.start, e.length or -1) for e in piece.extent) for piece in proto.slices)
            shape = tuple(dim.size for dim in proto.shape.dim)
            if min(shape, default=0) < 0 or min(proto.offset, proto.size, proto.shard_id) < 0:
                raise CorruptFileError(f"{self.prefix}.index: tensor {name!r} has a negative size or place.")
            self._entries[key] = Entry(
                proto.dtype, shape, proto.shard_id, proto.offset, proto.size, proto.crc32c, slices
            )
        return self._entries[key]

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a tensor."""
        return self.entry(name).shape

    def dtype(self, name: str) -> str:
        """Name of a tensor's dtype."""
        return dtype_name(self.entry(name).dtype)

    def read(self, name: str) -> np.ndarray:
        """A tensor; strings as an array of ``bytes``.

        Raises:
            KeyError: there is none of that name.
            CorruptFileError: its bytes are missing or damaged.
        """
        entry = self.entry(name)
        if entry.slices:
            return self._partitioned(name, entry)
        return self._plain(name, entry)

    def _plain(self, name: str | bytes, entry: Entry) -> np.ndarray:
        if entry.dtype == STRING:
            return self._strings(name, entry)
        kind = numpy_dtype(entry.dtype)
        if entry.size != math.prod(entry.shape) * kind.itemsize:
            raise CorruptFileError(
                f"{self.prefix}: tensor {name!r} of shape {entry.shape} and dtype {kind} cannot be {entry.size} bytes."
            )
        data = self._bytes(name, entry)
        return np.frombuffer(data, kind).reshape(entry.shape)

    def _partitioned(self, name: str, entry: Entry) -> np.ndarray:
        whole = np.empty(entry.shape, numpy_dtype(entry.dtype))
        filled = 0
        for piece in entry.slices:
            key = slice_key(name, piece)
            part = self._plain(key, self.entry(key))
            where = tuple(
                slice(start, size if length < 0 else start + length)
                for (start, length), size in zip(piece, entry.shape, strict=True)
            )
            if whole[where].shape != part.shape:
                raise CorruptFileError(
                    f"{self.prefix}: a piece of {name!r} has shape {part.shape}, which does not fit."
                )
            whole[where] = part
            filled += part.size
        if filled != whole.size:
            raise CorruptFileError(f"{self.prefix}: the pieces of {name!r} do not make up the whole tensor.")
        return whole

    # --- bytes -----------------------------------------------------------------------------------
    def _shard_path(self, shard: int) -> str:
        return self._moved.get(shard, f"{self.prefix}.data-{shard:05d}-of-{self.shards:05d}")

    def _bytes(self, name: str | bytes, entry: Entry) -> bytes:
        problem = None
        for path in (self._shard_path(entry.shard), *self._leftovers(entry.shard)):
            data = _read_range(path, entry.offset, entry.size)
            if data is None:
                problem = problem or f"{path} is missing or too short"
            elif self._checksum(entry, data) != entry.crc:
                problem = problem or "its checksum does not match"
            else:
                self._moved[entry.shard] = path
                return data
        raise CorruptFileError(
            f"Checkpoint {self.prefix}: tensor {name!r} cannot be read: {problem}. Use another copy of the files."
        )

    def _leftovers(self, shard: int) -> Iterator[str]:
        """Data written by a process that died after it had put the new index in place, before it moved the data."""
        folder, name = os.path.split(self._shard_path(shard))
        yield from glob.glob(os.path.join(glob.escape(folder), f".{glob.escape(name)}.*.tmp"))

    def _checksum(self, entry: Entry, data: bytes) -> int:
        if entry.dtype != STRING:
            return masked_crc32c(data)
        lengths, position = _lengths(data, math.prod(entry.shape))
        return _string_checksum(lengths, data[position : position + 4], data[position + 4 :])

    def _strings(self, name: str | bytes, entry: Entry) -> np.ndarray:
        count = math.prod(entry.shape)
        if count > entry.size:
            raise CorruptFileError(f"{self.prefix}: {name!r} claims {count} strings in {entry.size} bytes.")
        data = self._bytes(name, entry)
        lengths, position = _lengths(data, count)
        position += 4
        if position + sum(lengths) != len(data):
            raise CorruptFileError(f"{self.prefix}: the strings of {name!r} do not fill their place.")
        found = np.empty(count, object)
        for index, length in enumerate(lengths):
            found[index] = data[position : position + length]
            position += length
        return found.reshape(entry.shape)


def _read_range(path: str, offset: int, size: int) -> bytes | None:
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size < offset + size:
                return None
            file.seek(offset)
            return file.read(size)
    except FileNotFoundError:
        return None


def _lengths(data: bytes, count: int) -> tuple[list[int], int]:
    lengths, position = [], 0
    for _ in range(count):
        length, position = read_varint(data, position)
        lengths.append(length)
    return lengths, position


def _string_checksum(lengths: list[int], stored: bytes, content: bytes) -> int:
    packed = b"".join(struct.pack("<I" if length < 1 << 32 else "<Q", length) for length in lengths)
    return mask(crc32c(content, crc32c(stored, crc32c(packed))))


# --- writing -------------------------------------------------------------------------------------
def write_bundle(prefix: str, tensors: Mapping[str, Any]) -> None:
    """Write tensors as a checkpoint of one data file: all of it, or nothing changes.

    Both files are complete on the disk before either takes its place. Should the process die between the two
    moves, the reader finds the new data beside the new index.

    Args:
        prefix: path without endings; folders are created.
        tensors: arrays by name, or functions that give them (called one at a time, so that copies of large models
            need not exist at once); ``bytes``, ``str`` and arrays of objects are stored as strings.
    """
    folder = os.path.dirname(os.path.abspath(prefix))
    os.makedirs(folder, exist_ok=True)
    version = message("VersionDef", producer=1)
    entries = {b"": encode(message("BundleHeaderProto", num_shards=1, endianness=0, version=version))}
    with atomic_file(f"{prefix}.data-00000-of-00001") as data, atomic_file(f"{prefix}.index") as index:
        offset = 0
        # Sorted like the index, which is what the original writer does too.
        for name in sorted(tensors, key=lambda name: name.encode("utf-8")):
            value = tensors[name]
            array = _as_array(value() if isinstance(value, Callable) else value)
            content, crc = _content(array)
            data.write(content)
            entries[name.encode("utf-8")] = _encoded_entry(array, offset, len(content), crc)
            offset += len(content)
        data.flush()
        os.fsync(data.fileno())
        index.write(write_table(entries))


def _as_array(value: Any) -> np.ndarray:
    if isinstance(value, (bytes, str)):
        array = np.empty((), object)
        array[()] = value.encode("utf-8") if isinstance(value, str) else value
        return array
    array = np.asarray(value)
    if array.dtype.kind in "SU":
        array = array.astype(object)
    return np.ascontiguousarray(array).reshape(array.shape)


def _content(array: np.ndarray) -> tuple[Any, int]:
    if array.dtype.kind == "O":
        items = [item.encode("utf-8") if isinstance(item, str) else bytes(item) for item in array.ravel()]
        lengths = [len(item) for item in items]
        packed = b"".join(struct.pack("<I" if length < 1 << 32 else "<Q", length) for length in lengths)
        stored = struct.pack("<I", masked_crc32c(packed))
        content = b"".join(items)
        crc = _string_checksum(lengths, stored, content)
        return b"".join(map(write_varint, lengths)) + stored + content, crc
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    view = little.reshape(-1).view(np.uint8).data if little.size else memoryview(b"")
    return view, masked_crc32c(view)


def _encoded_entry(array: np.ndarray, offset: int, size: int, crc: int) -> bytes:
    shape = message("TensorShapeProto", dim=[message("Dim", size=size) for size in array.shape])
    fields: dict[str, Any] = {"dtype": dtype_number(array.dtype), "shape": shape}
    if offset:
        fields["offset"] = offset
    return encode(message("BundleEntryProto", **fields, size=size, crc32c=crc))


def remove_bundle(prefix: str) -> None:
    """Delete the files of a checkpoint; the index first, so that no half checkpoint looks whole."""
    for path in (f"{prefix}.index", *glob.glob(f"{glob.escape(prefix)}.data-?????-of-?????")):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
