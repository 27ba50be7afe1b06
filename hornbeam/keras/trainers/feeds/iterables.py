"""Batches that come one after another: generators, ``Sequence`` objects, data sets, loaders."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hornbeam.base import trees
from hornbeam.base.errors import DataError
from hornbeam.keras.trainers.feeds.arrays import as_host_array


class IterableFeed:
    """Batches from an iterable, or from an object with ``__len__`` and ``__getitem__``.

    Args:
        source: yields batches: ``x``, ``(x, y)`` or ``(x, y, sample_weight)``.
        class_weights: function that adds class weights to a batch, or None.
    """

    batch_size = None

    def __init__(self, source: Any, transform: Callable | None = None) -> None:
        self.source = source
        self._transform = transform
        self._by_index = hasattr(source, "__getitem__") and hasattr(source, "__len__") and not isinstance(source, dict)
        self.one_shot = not self._by_index and iter(source) is source
        self._iterator: Iterator[Any] | None = None
        self._peeked: list[Any] = []

    @property
    def num_batches(self) -> int | None:
        """Batches in one pass, None if not known."""
        for name in ("num_batches", "cardinality"):
            method = getattr(self.source, name, None)
            if method is not None:
                found = method() if callable(method) else method
                found = None if found is None else int(found)
                return found if found is not None and found >= 0 else None
        try:
            return len(self.source)
        except TypeError:
            return None

    def first(self) -> Any:
        """The first batch, which is not lost."""
        if not self._peeked:
            self._peeked.append(next(self._open(), None))
        if self._peeked[0] is None:
            raise DataError("The data source gave no batches.")
        return self._peeked[0]

    def _open(self) -> Iterator[Any]:
        if self.one_shot:
            if self._iterator is None:
                self._iterator = map(self._standard, self.source)
            return self._iterator
        if self._by_index:
            return (self._standard(self.source[index]) for index in range(len(self.source)))
        return map(self._standard, iter(self.source))

    def _standard(self, batch: Any) -> Any:
        data = standard_batch(batch)
        return self._transform(data) if self._transform is not None else data

    def __iter__(self) -> Iterator[Any]:
        if self.one_shot:
            peeked, self._peeked = self._peeked, []
            return itertools.chain(peeked, self._open())
        return self._open()

    def on_epoch_end(self) -> None:
        """Tell the source that an epoch has ended, if it wants to know."""
        hook = getattr(self.source, "on_epoch_end", None)
        if hook is not None:
            hook()

    def on_epoch_begin(self) -> None:
        """Tell the source that an epoch begins, if it wants to know."""
        hook = getattr(self.source, "on_epoch_begin", None)
        if hook is not None:
            hook()


def standard_batch(batch: Any) -> tuple[Any, Any, Any]:
    """Any form of a batch as ``(x, y, sample_weight)`` of arrays."""
    if isinstance(batch, list):
        batch = tuple(batch)
    if not isinstance(batch, tuple):
        batch = (batch,)
    if len(batch) > 3:
        raise DataError(
            f"A batch must be `x`, `(x, y)` or `(x, y, sample_weight)`; received a tuple of {len(batch)} items."
        )
    padded = (*batch, *([None] * (3 - len(batch))))
    return trees.map_structure(as_host_array, padded)  # type: ignore[return-value]


def is_iterable_source(x: Any) -> bool:
    """True for what yields batches by itself: not an array, nor a nesting of arrays."""
    if hasattr(x, "__array__") or hasattr(x, "to_numpy") or isinstance(x, (str, bytes, list, tuple, dict)):
        return False
    return isinstance(x, Iterable) or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))
