"""Elements out of files: lines, records of fixed length, TFRecords."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.core.spec import TensorSpec
from hornbeam.data.blocks import Block
from hornbeam.data.dataset import Dataset
from hornbeam.data.mapping import threads_of
from hornbeam.data.merging import Interleave
from hornbeam.data.plan import UNKNOWN, Carry, Cursor, Node, Scope
from hornbeam.data.sources import Slices
from hornbeam.data.structure import host_leaf
from hornbeam.io.records import compression_of, open_file, read_records

_CHUNK = 256


class Files(Node):
    """Records of files, one file after another.

    Args:
        names: yields names of files.
        read: function of a name that gives the records of the file.
    """

    def __init__(self, names: Node, read: Callable[[str], Iterator[bytes]]) -> None:
        super().__init__(names)
        self._read = read

    def make_spec(self) -> Any:
        """A text."""
        return TensorSpec((), dtypes.string)

    def size(self) -> int:
        """Not known."""
        return UNKNOWN

    def stream(self, scope: Scope) -> Cursor:
        """Records in order."""
        return _FilesCursor(self.children[0].open(scope.at(0)), self._read)


class _FilesCursor(Cursor):
    def __init__(self, names: Cursor, read: Callable[[str], Iterator[bytes]]) -> None:
        self._names, self._read = Carry(names, 1), read
        self._records: Any = None

    def block(self, limit: int) -> Block | None:
        """The next records, all of one file."""
        while True:
            if self._records is None:
                found = self._names.element()
                if found is None:
                    return None
                self._records = self._read(os.fsdecode(found[1][0]))
            records = []
            for record in self._records:
                records.append(record)
                if len(records) >= min(limit, _CHUNK):
                    break
            if records:
                column = np.empty(len(records), object)
                column[:] = records
                return Block(0, [column], len(records))
            self._records = None

    def close(self) -> None:
        """Close the file."""
        close = getattr(self._records, "close", None)
        if close is not None:
            close()
        self._names.close()


def _names_of(filenames: Any) -> Node:
    """Names of files as a node: one name, a list or tensor of names, or a data set of them."""
    if isinstance(filenames, Dataset):
        return filenames._node
    if hasattr(filenames, "__fspath__"):
        filenames = os.fspath(filenames)
    if isinstance(filenames, (list, tuple)):
        filenames = [os.fspath(name) if hasattr(name, "__fspath__") else name for name in filenames]
        if not filenames:
            return Slices(np.empty(0, object))
    names = np.asarray(host_leaf(filenames), object).reshape(-1)
    if not all(isinstance(name, bytes) for name in names):
        raise TypeError(f"`filenames` must be names of files. Received: {filenames!r}")
    return Slices(names)


def records_node(filenames: Any, read: Callable[[str], Iterator[bytes]], num_parallel_reads: Any) -> Node:
    """Records of files; with ``num_parallel_reads`` one record from each of so many files in turn."""
    names = _names_of(filenames)
    if num_parallel_reads is None:
        return Files(names, read)

    def one_file(name: Any) -> Dataset:
        return Dataset(Files(Slices([name.numpy()]), read))

    return Interleave(names, one_file, threads_of(num_parallel_reads), 1, "num_parallel_reads")


def _check_buffer(buffer_size: Any) -> None:
    if buffer_size is not None and int(np.asarray(host_leaf(buffer_size))) < 0:
        raise ValueError(f"`buffer_size` must not be negative. Received: {buffer_size}")


class TextLineDataset(Dataset):
    """Lines of text files, without their ends.

    Args:
        filenames: name, list of names, or data set of names.
        compression_type: "", "GZIP" or "ZLIB".
        buffer_size: bytes read at a time, a hint.
        num_parallel_reads: lines of so many files in turn; by default one file after another.
        name: label.

    References: TensorFlow `tf.data.TextLineDataset`.
    """

    def __init__(
        self,
        filenames: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        compression = compression_of(compression_type)
        _check_buffer(buffer_size)

        def lines(path: str) -> Iterator[bytes]:
            with open_file(path, compression) as file:
                for line in file:
                    if line.endswith(b"\n"):
                        line = line[:-2] if line.endswith(b"\r\n") else line[:-1]
                    yield line

        super().__init__(records_node(filenames, lines, num_parallel_reads))


class TFRecordDataset(Dataset):
    """Records of TFRecord files.

    Args:
        filenames: name, list of names, or data set of names.
        compression_type: "", "GZIP" or "ZLIB".
        buffer_size: bytes read at a time, a hint.
        num_parallel_reads: records of so many files in turn; by default one file after another.
        name: label.

    References: TensorFlow `tf.data.TFRecordDataset`.
    """

    def __init__(
        self,
        filenames: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        compression = compression_of(compression_type)
        _check_buffer(buffer_size)
        super().__init__(records_node(filenames, lambda path: read_records(path, compression), num_parallel_reads))


class FixedLengthRecordDataset(Dataset):
    """Records of equal length out of binary files.

    Args:
        filenames: name, list of names, or data set of names.
        record_bytes: bytes of a record.
        header_bytes: bytes to pass over at the start of each file.
        footer_bytes: bytes to leave out at the end of each file.
        buffer_size: bytes read at a time, a hint.
        compression_type: "", "GZIP" or "ZLIB".
        num_parallel_reads: records of so many files in turn; by default one file after another.
        name: label.

    References: TensorFlow `tf.data.FixedLengthRecordDataset`.
    """

    def __init__(
        self,
        filenames: Any,
        record_bytes: Any,
        header_bytes: Any = None,
        footer_bytes: Any = None,
        buffer_size: Any = None,
        compression_type: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        compression = compression_of(compression_type)
        _check_buffer(buffer_size)
        size, head, tail = int(record_bytes), int(header_bytes or 0), int(footer_bytes or 0)
        if size < 1 or head < 0 or tail < 0:
            raise ValueError(
                f"`record_bytes` must be at least 1, header and footer not negative: {size}, {head}, {tail}"
            )

        def records(path: str) -> Iterator[bytes]:
            with open_file(path, compression) as file:
                data = file.read()
            body = len(data) - head - tail
            if body < 0 or body % size:
                raise ValueError(
                    f"{path!r} holds {max(body, 0)} bytes between header and footer, which is no multiple of "
                    "the record "
                    f"length {size}."
                )
            for start in range(head, head + body, size):
                yield data[start : start + size]

        super().__init__(records_node(filenames, records, num_parallel_reads))
