"""Batches that come one after another: generators, ``PyDataset`` objects, data sets, loaders."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import DataError, explain
from hornbeam.base.notices import warn
from hornbeam.keras.trainers.feeds.ahead import read_ahead
from hornbeam.keras.trainers.feeds.convert import convert
from hornbeam.keras.trainers.feeds.loading import loading_of
from hornbeam.keras.trainers.feeds.positions import go_to, noted, position_of, read_from
from hornbeam.keras.trainers.feeds.tables import is_table
from hornbeam.keras.trainers.feeds.workers import batches_ahead
from hornbeam.keras.utils.data_tuples import pack_x_y_sample_weight, unpack_x_y_sample_weight


class IterableFeed:
    """Batches from an iterable, or from an object with ``__len__`` and ``__getitem__``.

    Args:
        source: yields batches: ``x``, ``(x, y)`` or ``(x, y, sample_weight)``.
        shuffle: a new order of the batches each epoch, for sources that are read by index. Orders are drawn from
            Python's global generator, as Keras does.
        transform: function ``(x, y, sample_weight) -> sample_weight`` that adds class weights, or None.

    Attributes:
        one_shot: the source can be read once only.
    """

    batch_size = None

    def __init__(self, source: Any, *, shuffle: Any = False, transform: Callable | None = None) -> None:
        self.source = source
        self._transform = transform
        self._by_index = callable(getattr(source, "__getitem__", None)) and not hasattr(source, "__iter__")
        self._by_index = self._by_index or _is_indexed_by_batch(source)
        self.one_shot = not self._by_index and hasattr(source, "__next__")
        self._shuffle = bool(shuffle) and self._by_index
        self._opened: tuple[Any, Iterator[Any]] | None = None
        self._counted: int | None = None
        # Where reading stands: batches given in this pass, and, of a source that can be read once only, since it was
        # made; the order of this pass; an iterator that goes on in the midst of one.
        self._given = 0
        self._before = read_from(source) if self.one_shot else 0
        self._order: Any = None
        self._resumed: Iterator[Any] | None = None
        self._iterator: Any = None

    @property
    def num_batches(self) -> int | None:
        """Batches in one pass, None if not known."""
        for name in ("num_batches", "cardinality"):
            if hasattr(self.source, name):
                found = getattr(self.source, name)
                found = found() if callable(found) else found
                if found is not None and int(found) >= 0:
                    return int(found)
                return self._counted
        try:
            return len(self.source)
        except TypeError:
            return self._counted

    def source_length(self) -> int | None:
        """Batches in one pass as the source itself tells, None if it does not."""
        counted, self._counted = self._counted, None
        try:
            return self.num_batches
        finally:
            self._counted = counted

    def note_count(self, count: int) -> None:
        """Remember how many batches a whole pass gave."""
        if not self.one_shot:
            self._counted = count

    def _read(self) -> Iterator[Any]:
        """Batches of a new pass over a source that is not read by index."""
        self._iterator = iter(noted(self.source) if self.one_shot else self.source)
        return map(self._standard, self._iterator)

    def first(self) -> Any:
        """The first batch of the next pass, which is not lost; None if there is none."""
        if self._by_index:
            return None if self.num_batches == 0 else self._standard(self.source[0])
        if self._opened is None:
            opened = self._read()
            batch = next(opened, None)
            if batch is None:
                return None
            self._opened = (batch, opened)
        return self._opened[0]

    def batches(self) -> Iterator[Any]:
        """Batches of one pass; what is left of it for a source that can be read once only."""
        if self._resumed is None and not self.one_shot:
            self._given = 0
        return self._counting(self._pass())

    def _counting(self, batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            self._given += 1
            yield batch

    def _pass(self) -> Iterator[Any]:
        if self._resumed is not None:
            batches, self._resumed = self._resumed, None
            return batches
        if self._opened is not None:
            (batch, rest), self._opened = self._opened, None
            return itertools.chain([batch], rest)
        loading = loading_of(self.source)
        if self._by_index:
            self._order = self._indices()
            return self._by_number(self._order)
        if loading.in_background and self.one_shot:
            # A generator cannot be asked by several workers: one thread reads ahead.
            return map(self._standard, read_ahead(noted(self.source), loading.ahead))
        return self._read()

    def _by_number(self, indices: Iterable[int]) -> Iterator[Any]:
        loading = loading_of(self.source)
        if loading.in_background:
            return map(self._standard, batches_ahead(self.source, indices, loading))
        return map(self._standard, map(self.source.__getitem__, indices))

    # --- resuming --------------------------------------------------------------------------------
    def get_state(self) -> dict[str, Any]:
        """Where reading stands, as plain data."""
        state: dict[str, Any] = {"given": self._given, "taken": self._before + self._given}
        if self._by_index and self._shuffle and isinstance(self._order, list):
            state["order"] = list(self._order)
        for name, item in (("iterator", self._iterator), ("source", self.source)):
            found = position_of(item)
            if found is not None:
                state[name] = found
        return state

    def set_state(self, state: dict[str, Any], in_pass: bool) -> None:
        """Go on where reading stood.

        Args:
            state: what ``get_state`` gave.
            in_pass: a pass was in progress.
        """
        if self.one_shot:
            self._skip(state["taken"] - self._before)
            return
        self._opened, self._resumed = None, None
        self._given = state["given"] if in_pass else 0
        if not in_pass:
            return
        if self._by_index:
            self._order = state.get("order")
            count = self.num_batches
            whole = self._order or (itertools.count() if count is None else range(count))
            self._resumed = self._by_number(itertools.islice(whole, state["given"], None))
            return
        if "source" in state and go_to(self.source, state["source"]):
            self._resumed = self._read()
            return
        batches = self._read()
        if "iterator" not in state or not go_to(self._iterator, state["iterator"]):
            batches = itertools.islice(batches, state["given"], None)
        self._resumed = batches

    def _skip(self, count: int) -> None:
        """Read on in a source that can be read once only."""
        if count < 0:
            warn(
                f"The source of batches ({type(self.source).__name__}) was read {-count} batches further than to the "
                "place of the backup and cannot go back: training goes on with what comes. Make a new one before fit()."
            )
            return
        if count and self._opened is not None:
            self._opened, count = None, count - 1
            self._given += 1
        for _ in range(count):
            if next(self._read(), None) is None:
                return
            self._given += 1

    def cannot_go_back(self) -> bool:
        """Whether batches must be read anew to find a place again."""
        return not self._by_index and position_of(self._iterator) is None and position_of(self.source) is None

    def draw_order(self) -> None:
        """Draw an order and drop it."""
        self._indices()

    def _indices(self) -> Iterable[int]:
        count = self.num_batches
        if count is None:
            return itertools.count()
        if not self._shuffle:
            return range(count)
        indices = list(range(count))
        random.shuffle(indices)
        return indices

    def _standard(self, batch: Any) -> Any:
        x, y, sample_weight = standard_batch(batch)
        if self._transform is not None:
            sample_weight = self._transform(y, sample_weight)
        return pack_x_y_sample_weight(x, y, sample_weight)

    def epoch_begins(self) -> None:
        """Tell the source that an epoch begins, if it wants to know."""
        _tell(self.source, "on_epoch_begin")

    def epoch_ends(self) -> None:
        """Tell the source that an epoch has ended, if it wants to know."""
        _tell(self.source, "on_epoch_end")


def _tell(source: Any, hook: str) -> None:
    function = getattr(source, hook, None)
    if callable(function):
        function()


def _is_indexed_by_batch(source: Any) -> bool:
    """True for ``PyDataset`` and ``Sequence`` objects, which may have an ``__iter__`` too."""
    if any(kind.__name__ in ("PyDataset", "Sequence") for kind in type(source).__mro__):
        return True
    return hasattr(source, "__getitem__") and hasattr(source, "__len__") and hasattr(source, "on_epoch_end")


def standard_batch(batch: Any) -> tuple[Any, Any, Any]:
    """Any form of a batch as ``(x, y, sample_weight)`` of arrays.

    Raises:
        DataError: it is a tuple of another length, or its parts have different lengths.
    """
    if isinstance(batch, list):
        batch = tuple(batch)
    if isinstance(batch, tuple) and not 1 <= len(batch) <= 3:
        raise DataError(
            explain(
                "A batch of the data source has a wrong form.",
                expected="x, (x, y) or (x, y, sample_weight)",
                received=f"a tuple of {len(batch)} items",
                fix="several inputs or outputs go into a list, tuple or dict of their own: ([x1, x2], y)",
            )
        )
    given = unpack_x_y_sample_weight(batch if isinstance(batch, tuple) else (batch,))
    parts = [convert(part, name) for part, name in zip(given, ("x", "y", "sample_weight"), strict=True)]
    _check_lengths(parts)
    return parts[0], parts[1], parts[2]


def _check_lengths(parts: list[Any]) -> None:
    sizes = {len(leaf) for part in parts for leaf in trees.flatten(part) if leaf is not None}
    if len(sizes) > 1:
        described = {
            name: [tuple(np.shape(leaf)) for leaf in trees.flatten(part) if leaf is not None]
            for name, part in zip(("x", "y", "sample_weight"), parts, strict=True)
        }
        raise DataError(
            explain(
                "The parts of a batch have different numbers of samples.",
                expected="equal sizes of the first axis",
                received=", ".join(f"{name}: {found}" for name, found in described.items() if found),
            )
        )


def is_iterable_source(x: Any) -> bool:
    """True for what yields batches by itself: not an array, nor a nesting of arrays."""
    if isinstance(x, (str, bytes, list, tuple, dict)) or x is None or is_table(x):
        return False
    if any(hasattr(x, name) for name in ("__array__", "to_numpy", "detach", "toarray")):
        return False
    return isinstance(x, Iterable) or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))
