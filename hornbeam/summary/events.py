"""Event files, as TensorBoard reads them: TFRecord files of Event messages.

References: TensorFlow ``event.proto``, ``summary.proto`` and ``tensor.proto``; TensorBoard's plugin metadata.
"""

from __future__ import annotations

import itertools
import os
import socket
import struct
import threading
import time
import weakref
from typing import Any

import numpy as np

from hornbeam.io.records import TFRecordWriter
from hornbeam.io.wire import bytes_field, varint, varint_field

_DTYPES = {
    "float32": 1,
    "float64": 2,
    "int32": 3,
    "uint8": 4,
    "int16": 5,
    "int8": 6,
    "int64": 9,
    "bool": 10,
    "uint16": 17,
    "float16": 19,
    "uint32": 22,
    "uint64": 23,
}
_STRING = 7
# Field numbers of Event.
_WALL_TIME, _STEP, _VERSION, _GRAPH, _SUMMARY = 1, 2, 3, 4, 5
_numbers = itertools.count()


def tensor_proto(value: Any) -> bytes:
    """A TensorProto of numbers, or of strings for an array of ``bytes`` objects."""
    array = np.asarray(value)
    sizes = b"".join(bytes_field(2, varint_field(1, size)) for size in array.shape)
    shape = bytes_field(2, sizes)
    if array.dtype.kind in "OSU":
        strings = (item.encode() if isinstance(item, str) else bytes(item) for item in array.reshape(-1).tolist())
        return varint_field(1, _STRING) + shape + b"".join(bytes_field(8, item) for item in strings)
    if array.dtype.name not in _DTYPES:
        # bfloat16 and its kin: every value has a float32 of its own.
        array = array.astype(np.float32)
    head = varint_field(1, _DTYPES[array.dtype.name]) + shape
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    if array.dtype == np.float32 and not array.ndim:
        return head + bytes_field(5, little.tobytes())
    return head + bytes_field(4, little.tobytes()) if array.size else head


def metadata_proto(plugin: str, content: bytes = b"", description: str | None = None) -> bytes:
    """A SummaryMetadata: which plugin shows the data, and what it must know about them.

    Args:
        plugin: name of the plugin.
        content: the plugin's own message.
        description: text for people, in Markdown.
    """
    plugin_data = bytes_field(1, plugin.encode()) + (bytes_field(2, content) if content else b"")
    told = bytes_field(3, description.encode()) if description else b""
    return bytes_field(1, plugin_data) + told


def summary_proto(tag: str, value: Any, metadata: bytes) -> bytes:
    """A Summary of one tensor."""
    content = bytes_field(1, tag.encode()) + bytes_field(8, tensor_proto(value)) + bytes_field(9, metadata)
    return bytes_field(1, content)


def event_proto(step: int = 0, *, summary: bytes | None = None, graph: bytes | None = None, version: str = "") -> bytes:
    """An Event that happens now: of a summary, of a graph, or of the file's version."""
    out = varint(_WALL_TIME << 3 | 1) + struct.pack("<d", time.time())
    if step:
        out += varint_field(_STEP, step)
    if version:
        out += bytes_field(_VERSION, version.encode())
    if graph is not None:
        out += bytes_field(_GRAPH, graph)
    if summary is not None:
        out += bytes_field(_SUMMARY, summary)
    return out


class EventFile:
    """An event file in a folder, which is made if need be. Several threads may write.

    Args:
        folder: the folder.
        suffix: end of the file's name.
        max_queue: events that may wait before they are brought to the file.
        flush_s: seconds after which they are brought to the file at the latest, when the next one comes.
    """

    def __init__(self, folder: str, suffix: str, max_queue: int, flush_s: float) -> None:
        os.makedirs(folder, exist_ok=True)
        host = socket.gethostname() or "localhost"
        name = f"events.out.tfevents.{int(time.time())}.{host}.{os.getpid()}.{next(_numbers)}{suffix}"
        self.path = os.path.join(folder, name)
        self._max_queue, self._flush_s = max_queue, flush_s
        self._lock = threading.Lock()
        self._writer = TFRecordWriter(self.path)
        self._waiting, self._flushed = 0, time.monotonic()
        # What still waits when the object is dropped or the process ends is written then.
        self._close = weakref.finalize(self, self._writer.close)
        self.add(event_proto(version="brain.Event:2"))
        self.flush()

    @property
    def closed(self) -> bool:
        """True after ``close``."""
        return not self._close.alive

    def add(self, event: bytes) -> None:
        """Write an event; nothing happens once the file is closed."""
        with self._lock:
            if self.closed:
                return
            self._writer.write(event)
            self._waiting += 1
            if self._waiting > self._max_queue or time.monotonic() - self._flushed > self._flush_s:
                self._bring()

    def _bring(self) -> None:
        self._writer.flush()
        self._waiting, self._flushed = 0, time.monotonic()

    def flush(self) -> None:
        """Bring all events to the file."""
        with self._lock:
            if not self.closed:
                self._bring()

    def close(self) -> None:
        """Bring all events to the file and close it."""
        with self._lock:
            self._close()
