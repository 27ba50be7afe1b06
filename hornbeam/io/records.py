"""TFRecord files: records of bytes, each with its length and checksums.

A record is its length (8 bytes, little-endian), the masked CRC-32C of these 8 bytes, the bytes, and their masked
CRC-32C. Files may be compressed as a whole.
"""

from __future__ import annotations

import gzip
import io
import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Self

from hornbeam.base.crc32c import masked_crc32c
from hornbeam.base.errors import explain
from hornbeam.core.tensor import Tensor
from hornbeam.errors import DataLossError, NotFoundError

__all__ = ["TFRecordOptions", "TFRecordWriter", "open_file", "read_records", "tf_record_iterator"]

_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_COMPRESSIONS = ("", "GZIP", "ZLIB")


def compression_of(compression: Any) -> str:
    """Name of a compression: ``""``, ``"GZIP"`` or ``"ZLIB"``.

    Raises:
        ValueError: it is none of these.
    """
    if compression is None:
        return ""
    if isinstance(compression, Tensor):
        compression = compression.numpy()
    name = (
        compression.decode()
        if isinstance(compression, bytes)
        else getattr(compression, "compression_type", compression)
    )
    name = "" if name in (None, "NONE") else name
    if name not in _COMPRESSIONS:
        raise ValueError(f"`compression_type` must be '', 'GZIP' or 'ZLIB'. Received: {compression!r}")
    return name


def open_file(path: str, compression: str = "") -> BinaryIO:
    """Open a file for reading, unpacking it on the way.

    Raises:
        NotFoundError: there is none.
    """
    try:
        if compression == "GZIP":
            return gzip.GzipFile(path, "rb")  # type: ignore[return-value]
        file = open(path, "rb")  # noqa: SIM115 - the caller closes it
    except FileNotFoundError as error:
        raise NotFoundError(None, None, f"There is no file {path!r}.") from error
    if compression == "ZLIB":
        with file:
            return io.BytesIO(zlib.decompress(file.read()))
    return file


class TFRecordOptions:
    """How a TFRecord file is written.

    Args:
        compression_type: None, "GZIP" or "ZLIB".
        flush_mode: must be None; files are flushed by ``flush()`` and ``close()``.
        input_buffer_size: a hint without effect on the file.
        output_buffer_size: a hint without effect on the file.
        window_bits: must be None.
        compression_level: 0 (none) to 9 (smallest), for compressed files.
        compression_method: must be None.
        mem_level: must be None.
        compression_strategy: must be None.

    References: TensorFlow `tf.io.TFRecordOptions`.
    """

    def __init__(
        self,
        compression_type: Any = None,
        flush_mode: Any = None,
        input_buffer_size: int | None = None,
        output_buffer_size: int | None = None,
        window_bits: Any = None,
        compression_level: int | None = None,
        compression_method: Any = None,
        mem_level: Any = None,
        compression_strategy: Any = None,
    ) -> None:
        given = {
            "flush_mode": flush_mode,
            "window_bits": window_bits,
            "compression_method": compression_method,
            "mem_level": mem_level,
            "compression_strategy": compression_strategy,
        }
        refused = [name for name, value in given.items() if value is not None]
        if refused:
            raise ValueError(f"TFRecordOptions: {', '.join(refused)} cannot be chosen here; leave them out.")
        self.compression_type = compression_of(compression_type)
        self.compression_level = compression_level


class TFRecordWriter:
    """Writes records into a TFRecord file. A context manager.

    Args:
        path: the file; it is replaced.
        options: ``TFRecordOptions``, or the name of a compression.

    Example:
        >>> with tf.io.TFRecordWriter("data.tfrecord") as writer:
        ...     writer.write(example.SerializeToString())

    References: TensorFlow `tf.io.TFRecordWriter`.
    """

    def __init__(self, path: Any, options: Any = None) -> None:
        compression = compression_of(options)
        level = getattr(options, "compression_level", None)
        self._zlib = None
        self._file: Any = open(os.fspath(path), "wb")  # noqa: SIM115 - closed by close()
        if compression == "GZIP":
            self._raw = self._file
            self._file = gzip.GzipFile(fileobj=self._raw, mode="wb", compresslevel=9 if level is None else level)
        elif compression == "ZLIB":
            self._zlib = zlib.compressobj(-1 if level is None else level)

    def write(self, record: Any) -> None:
        """Write one record.

        Args:
            record: bytes (or a scalar string tensor).
        """
        if isinstance(record, Tensor):
            record = record.numpy()
        if isinstance(record, str):
            record = record.encode("utf-8")
        if not isinstance(record, (bytes, bytearray, memoryview)):
            raise TypeError(f"TFRecordWriter.write() takes bytes, received {type(record).__name__}.")
        length = _LENGTH.pack(len(record))
        self._put(length + _CHECKSUM.pack(masked_crc32c(length)))
        self._put(bytes(record))
        self._put(_CHECKSUM.pack(masked_crc32c(record)))

    def _put(self, data: bytes) -> None:
        self._file.write(data if self._zlib is None else self._zlib.compress(data))

    def flush(self) -> None:
        """Bring what was written to the file."""
        if self._zlib is not None:
            self._file.write(self._zlib.flush(zlib.Z_SYNC_FLUSH))
        self._file.flush()

    def close(self) -> None:
        """Finish the file."""
        if self._file.closed:
            return
        if self._zlib is not None:
            self._file.write(self._zlib.flush())
        self._file.close()
        raw = getattr(self, "_raw", None)
        if raw is not None:
            raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: Any) -> None:
        self.close()


def read_records(path: str, compression: str = "") -> Iterator[bytes]:
    """Records of a TFRecord file, one after another.

    Raises:
        NotFoundError: there is no such file.
        DataLossError: the file is damaged, or no TFRecord file.
    """
    with open_file(path, compression) as file:
        number = 0
        while head := _read(file, 12, path, number, start=True):
            length = head[:8]
            _check(masked_crc32c(length), head[8:], path, number)
            (size,) = _LENGTH.unpack(length)
            record = _read(file, size, path, number)
            _check(masked_crc32c(record), _read(file, 4, path, number), path, number)
            yield record
            number += 1


def _read(file: BinaryIO, size: int, path: str, number: int, start: bool = False) -> bytes:
    try:
        data = file.read(size)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, number, f"it cannot be unpacked ({error})") from error
    if len(data) < size and not (start and not data):
        raise _damaged(path, number, f"the file ends {size - len(data)} bytes too early")
    return data


def _check(found: int, stored: bytes, path: str, number: int) -> None:
    if found != _CHECKSUM.unpack(stored)[0]:
        raise _damaged(path, number, "its checksum does not fit")


def _damaged(path: str, number: int, why: str) -> DataLossError:
    return DataLossError(
        None,
        None,
        explain(
            f"Record {number} of {path!r} cannot be read: {why}.",
            expected="a TFRecord file",
            fix="check that the file is whole, and that `compression_type` is how it was written",
        ),
    )


def tf_record_iterator(path: Any, options: Any = None) -> Iterator[bytes]:
    """Records of a TFRecord file, as ``tf.compat.v1.io.tf_record_iterator`` gives them."""
    return read_records(os.fspath(path), compression_of(options))
