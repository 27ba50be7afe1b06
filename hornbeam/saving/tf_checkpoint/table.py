"""The index file of a checkpoint: a sorted table of keys and values (LevelDB's format)."""

from __future__ import annotations

import struct

from hornbeam.base.crc32c import masked_crc32c
from hornbeam.base.errors import CorruptFileError
from hornbeam.saving.protos.wire import read_varint, write_varint
from hornbeam.saving.tf_checkpoint.snappy import decompress

__all__ = ["MAGIC", "read_table", "write_table"]

MAGIC = 0xDB4775248B80FB57
_FOOTER_BYTES = 48
_BLOCK_BYTES = 256 << 10
_RESTART_INTERVAL = 16
_MOST_ENTRIES = 4_000_000


def read_table(data: bytes, source: str) -> dict[bytes, bytes]:
    """All entries of a table.

    Args:
        data: the whole file.
        source: its name, for messages.

    Raises:
        CorruptFileError: damaged, cut short, or no table.
    """
    if len(data) < _FOOTER_BYTES or struct.unpack("<Q", data[-8:])[0] != MAGIC:
        raise CorruptFileError(
            f"{source} ({len(data)} bytes) is not the index of a TensorFlow checkpoint, or it is cut short. "
            "Use another copy of the file."
        )
    footer = data[-_FOOTER_BYTES:]
    position = 0
    for _ in range(2):
        _, position = read_varint(footer, position)
    offset, position = read_varint(footer, position)
    size, _ = read_varint(footer, position)
    found: dict[bytes, bytes] = {}
    for _, handle in _entries(_block(data, offset, size, source), source):
        block_offset, after = read_varint(handle, 0)
        block_size, _ = read_varint(handle, after)
        for key, value in _entries(_block(data, block_offset, block_size, source), source):
            if key in found or len(found) >= _MOST_ENTRIES:
                raise CorruptFileError(f"{source}: key {key!r} occurs twice, or there are too many keys.")
            found[key] = value
    return found


def _block(data: bytes, offset: int, size: int, source: str) -> bytes:
    end = offset + size
    if end + 5 > len(data):
        raise CorruptFileError(f"{source}: a block at {offset} of {size} bytes goes beyond the end of the file.")
    if masked_crc32c(data[offset : end + 1]) != struct.unpack("<I", data[end + 1 : end + 5])[0]:
        raise CorruptFileError(f"{source}: the checksum of the block at {offset} does not match: the file is damaged.")
    compression = data[end]
    content = data[offset:end]
    if compression == 1:
        return decompress(content)
    if compression != 0:
        raise CorruptFileError(f"{source}: a block has the unknown compression type {compression}.")
    return content


def _entries(block: bytes, source: str) -> list[tuple[bytes, bytes]]:
    if len(block) < 4:
        raise CorruptFileError(f"{source}: a block is cut short.")
    end = len(block) - 4 - 4 * struct.unpack("<I", block[-4:])[0]
    if end < 0:
        raise CorruptFileError(f"{source}: a block is damaged.")
    found: list[tuple[bytes, bytes]] = []
    position, key = 0, b""
    while position < end:
        shared, position = read_varint(block, position)
        rest, position = read_varint(block, position)
        length, position = read_varint(block, position)
        stop = position + rest + length
        if stop > end or shared > len(key):
            raise CorruptFileError(f"{source}: an entry goes beyond its block.")
        key = key[:shared] + block[position : position + rest]
        found.append((key, block[position + rest : stop]))
        position = stop
    return found


# --- writing -------------------------------------------------------------------------------------
def write_table(entries: dict[bytes, bytes]) -> bytes:
    """The file for some entries."""
    out = bytearray()
    index: list[tuple[bytes, bytes]] = []
    pending: list[tuple[bytes, bytes]] = []
    size = 0
    for key in sorted(entries):
        pending.append((key, entries[key]))
        size += len(key) + len(entries[key]) + 8
        if size >= _BLOCK_BYTES:
            index.append((key, _append(out, _encoded(pending, _RESTART_INTERVAL))))
            pending, size = [], 0
    if pending:
        index.append((pending[-1][0], _append(out, _encoded(pending, _RESTART_INTERVAL))))
    meta = _append(out, _encoded([], _RESTART_INTERVAL))
    footer = meta + _append(out, _encoded(index, 1))
    return bytes(out) + footer.ljust(40, b"\0") + struct.pack("<Q", MAGIC)


def _append(out: bytearray, content: bytes) -> bytes:
    """Add a block; returns the handle that points at it."""
    handle = write_varint(len(out)) + write_varint(len(content))
    typed = content + b"\0"
    out += typed + struct.pack("<I", masked_crc32c(typed))
    return handle


def _encoded(entries: list[tuple[bytes, bytes]], interval: int) -> bytes:
    out = bytearray()
    restarts, before = [], b""
    for number, (key, value) in enumerate(entries):
        shared = 0
        if number % interval == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        out += write_varint(shared) + write_varint(len(key) - shared) + write_varint(len(value))
        out += key[shared:] + value
        before = key
    restarts = restarts or [0]
    return bytes(out) + struct.pack(f"<{len(restarts)}I", *restarts) + struct.pack("<I", len(restarts))
