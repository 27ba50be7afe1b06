"""Batches of pictures, read by several threads right into the memory of the batch they belong to.

A picture made by itself and stacked later is written twice, and fresh memory is as dear as the arithmetic; here each
batch is one piece of memory, begun while the one before is still being filled.
"""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

from hornbeam.base.errors import DataError
from hornbeam.core.spec import TensorSpec
from hornbeam.data import Dataset
from hornbeam.data.blocks import Block
from hornbeam.data.plan import Cursor, Node, Scope
from hornbeam.keras.utils.dataset_utils import Files, encoded_labels

_AHEAD = 2
"""Batches begun before the one that is asked for is done."""
_TASKS_PER_THREAD = 4


class BatchReader(Protocol):
    """Reads the pictures of a batch, in several threads.

    Attributes:
        shape: of a picture.
        dtype: of its elements.
    """

    shape: tuple[int, ...]
    dtype: str

    def room(self, count: int) -> Any:
        """Memory for some pictures."""

    def read(self, path: str, room: Any, number: int) -> None:
        """Put the picture of a file into its place."""

    def finish(self, room: Any, count: int) -> np.ndarray:
        """The first pictures of a room as a batch."""
        ...


class FileBatches(Node):
    """Batches of pictures, or of pairs with labels.

    Args:
        files: the files.
        reader: of the pictures.
        label_mode: form of the labels.
        batch_size: pictures in a batch.
        buffer: pictures to draw from; 0 keeps the order.
        seed: of the order.
    """

    def __init__(
        self, files: Files, reader: BatchReader, label_mode: str | None, batch_size: int, buffer: int, seed: int
    ) -> None:
        numbers = Dataset.range(len(files.paths))
        numbers = numbers.shuffle(buffer, seed=seed) if buffer else numbers
        super().__init__(numbers.batch(batch_size)._node)
        self.paths, self.reader, self.batch_size = files.paths, reader, batch_size
        self.labels = None if label_mode is None else encoded_labels(files, label_mode)

    def make_spec(self) -> Any:
        """Spec of a batch."""
        pictures = TensorSpec((None, *self.reader.shape), self.reader.dtype)
        if self.labels is None:
            return pictures
        return pictures, TensorSpec((None, *self.labels.shape[1:]), self.labels.dtype.name)

    def size(self) -> int:
        """Number of batches."""
        return self.children[0].size()

    def stream(self, scope: Scope) -> Cursor:
        """One pass."""
        return _BatchCursor(self, self.children[0].open(scope.at(0)))

    def lenient(self, note: Callable[[Exception], None], scope: Scope) -> Cursor:
        """One pass without the pictures that cannot be read, each of which is noted."""
        return _BatchCursor(self, self.children[0].open(scope.at(0)), note)


class _BatchCursor(Cursor):
    def __init__(self, node: FileBatches, numbers: Cursor, note: Callable[[Exception], None] | None = None) -> None:
        self._node, self._numbers, self._note = node, numbers, note
        self._begun: deque[tuple[np.ndarray, Any, list[Future]]] = deque()

    def block(self, limit: int) -> Block | None:
        """The next batch."""
        while len(self._begun) < _AHEAD and self._begin():
            pass
        if not self._begun:
            return None
        places, room, tasks = self._begun.popleft()
        self._begin()
        bad = [place for task in tasks for place in task.result()]
        batch = self._node.reader.finish(room, len(places))
        if bad:
            good = ~np.isin(places, bad)
            places, batch = places[good], batch[good]
            if not len(places):
                return self.block(limit)
        # The pictures may be kept for the next pass: as arrays out of `tf.data` everywhere, they are read-only.
        batch.flags.writeable = False
        labels = self._node.labels
        if labels is None:
            return Block(0, [batch[None]], 1)
        return Block((0, 0), [batch[None], labels[places][None]], 1)

    def _begin(self) -> bool:
        block = self._numbers.block(1)
        if block is None:
            return False
        places = np.asarray(block.columns[0][0])
        node = self._node
        room = node.reader.room(node.batch_size)
        step = max(1, -(-len(places) // (_TASKS_PER_THREAD * _threads())))
        tasks = [
            _readers().submit(self._fill, places[start : start + step], room, start)
            for start in range(0, len(places), step)
        ]
        self._begun.append((places, room, tasks))
        return True

    def _fill(self, places: np.ndarray, room: Any, start: int) -> list[int]:
        """Read pictures into a room, from a place on; returns the numbers of those that cannot be read."""
        bad = []
        for number, place in enumerate(places.tolist(), start):
            try:
                self._node.reader.read(self._node.paths[place], room, number)
            except (DataError, OSError) as error:
                if self._note is None:
                    raise
                self._note(error)
                bad.append(place)
        return bad

    def skip(self, count: int) -> int:
        """Pass over batches; those not begun are never read."""
        done = 0
        while self._begun and done < count:
            self._drop()
            done += 1
        return done + self._numbers.skip(count - done)

    def _drop(self) -> None:
        for task in self._begun.popleft()[2]:
            task.cancel()

    def close(self) -> None:
        """Forget what was begun."""
        while self._begun:
            self._drop()
        self._numbers.close()


def _threads() -> int:
    return min(16, max(2, os.cpu_count() or 1))


@functools.cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_threads(), thread_name_prefix="hornbeam-pictures")


if hasattr(os, "register_at_fork"):
    # A forked worker inherits the pool's record, but none of its threads.
    os.register_at_fork(after_in_child=_readers.cache_clear)
