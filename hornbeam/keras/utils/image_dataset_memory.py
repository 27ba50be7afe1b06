"""Pictures that are kept in memory when they are read for the second time, if all of a folder fit in.

The first pass may be the only one, and memory that is touched for the first time can cost as much as decoding.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hornbeam.engine.memory import aligned_empty
from hornbeam.keras.utils.image_dataset_reading import PictureReader

MOST_BYTES = 2 << 30
SHARE_OF_FREE = 0.25
"""Later passes are quick with all pictures, and hardly quicker with some: it is all of them within this, or none."""


@dataclass
class _Room:
    """Memory for pictures.

    Attributes:
        fresh: of the reader, for those that are read.
        copies: for those that are held already; None as long as there are none.
        copied: places in `copies` that are filled.
        to_keep: places in `fresh` whose pictures will be held, with their file and its stamp.
    """

    fresh: Any
    copies: np.ndarray | None
    copied: set[int] = field(default_factory=set)
    to_keep: dict[int, tuple[str, tuple[int, int]]] = field(default_factory=dict)


class Kept:
    """A reader that remembers what it read twice; a file that has changed since is read again.

    Args:
        reader: writes the picture of a file into an array.
        count: files to be read.
    """

    def __init__(self, reader: PictureReader, count: int) -> None:
        self._reader = reader
        self.shape, self.dtype = reader.shape, reader.dtype
        total = count * int(np.prod(reader.shape)) * np.dtype(reader.dtype).itemsize
        self._is_on = os.environ.get("HORNBEAM_KEEP_PICTURES", "1") != "0" and (
            total <= min(MOST_BYTES, SHARE_OF_FREE * free_bytes())
        )
        self._held: dict[str, tuple[tuple[int, int], np.ndarray | None]] = {}
        self._holds_pictures = False

    def room(self, count: int) -> _Room:
        """Memory for some pictures, to be filled by ``read``."""
        copies = aligned_empty((count, *self.shape), self.dtype) if self._holds_pictures else None
        return _Room(self._reader.room(count), copies)

    def read(self, path: str, room: _Room, number: int) -> None:
        """Put the picture of a file into its place."""
        if not self._is_on:
            self._reader.read(path, room.fresh, number)
            return
        status = os.stat(path)
        stamp = (status.st_mtime_ns, status.st_size)
        known, picture = self._held.get(path, (None, None))
        if known == stamp and picture is not None and room.copies is not None:
            np.copyto(room.copies[number], picture)
            room.copied.add(number)
            return
        self._reader.read(path, room.fresh, number)
        if known == stamp:
            room.to_keep[number] = (path, stamp)
        else:
            self._held[path] = (stamp, None)

    def finish(self, room: _Room, count: int) -> np.ndarray:
        """The first pictures of a room, which may be kept: nobody may write to them."""
        if room.copies is not None and len(room.copied) == count:
            self._reader.release(room.fresh)
            return room.copies[:count]
        batch = self._reader.finish(room.fresh, count)
        if room.copies is not None and room.copied:
            numbers = sorted(room.copied)
            batch = np.array(batch)
            batch[numbers] = room.copies[numbers]
        for number, (path, stamp) in room.to_keep.items():
            self._held[path] = (stamp, batch[number])
            self._holds_pictures = True
        return batch

    def __call__(self, path: str) -> np.ndarray:
        """The picture of a file, read-only."""
        room = self.room(1)
        self.read(path, room, 0)
        found = self.finish(room, 1)[0]
        found.flags.writeable = False
        return found

    def __getstate__(self) -> dict[str, object]:
        # Another process reads for itself.
        return {**self.__dict__, "_held": {}, "_holds_pictures": False}


def free_bytes() -> int:
    """Memory that is free, or could be made so at once, within the limit of this process's group; 0 if not known."""
    found = []
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    found.append(int(line.split()[1]) * 1024)
    except OSError:
        pass  # not Linux
    try:
        limit, used = (_number(f"/sys/fs/cgroup/memory.{name}") for name in ("max", "current"))
        found.append(max(0, limit - used))
    except (OSError, ValueError):
        pass  # no group, or one without a limit
    if not found and hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        # Half of what the machine has, where nothing says how much of it is free.
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    return min(found, default=0)


def _number(path: str) -> int:
    with open(path, encoding="ascii") as file:
        return int(file.read())
