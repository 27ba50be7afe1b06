"""Epochs of a feed: one pass each, or a number of batches each out of one long stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hornbeam.base.errors import DataError
from hornbeam.base.notices import warn
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed
from hornbeam.keras.trainers.feeds.iterables import IterableFeed


@dataclass(frozen=True)
class Share:
    """Part of a pass over arrays.

    Attributes:
        order: row numbers of the pass, None for the order in which they lie.
        start: number of its first batch within the pass.
        stop: number of the batch after its last one.
        done: batches of the part that have been run already.
    """

    order: np.ndarray | None
    start: int
    stop: int
    done: int = 0


class Stream:
    """Successive epochs.

    With ``steps``, an epoch takes up where the last one stopped. If the data end before an epoch has its steps, the
    epoch ends with a warning, and the next one starts from the beginning, as Keras has it.

    Args:
        feed: where batches come from.
        steps: batches in an epoch; None for one pass.
    """

    def __init__(self, feed: Any, steps: int | None = None) -> None:
        self.feed = feed
        self.steps = steps
        self._order: np.ndarray | None = None
        self._position = 0
        self._iterator: Iterator[Any] | None = None
        self._mark: Any = None
        self._share: Share | None = None
        self._resumed: Share | None = None

    @property
    def num_batches(self) -> int | None:
        """Batches in an epoch, None if not known yet."""
        return self.steps or self.feed.num_batches

    @property
    def is_array(self) -> bool:
        """True if batches can be picked by row number."""
        return isinstance(self.feed, ArrayFeed)

    def share(self) -> Share:
        """What the next epoch takes of the arrays."""
        if self._resumed is not None:
            self._share, self._resumed = self._resumed, None
            return self._share
        total = self.feed.num_batches
        if not self.steps or self._position == 0:
            self._mark = self.feed.mark()
            self._order, self._position = self.feed.order(), 0
        start = self._position
        stop = min(start + self.steps, total) if self.steps else total
        if self.steps and stop - start < self.steps:
            warn_exhausted(stop - start, self.steps)
        self._position = 0 if stop >= total else stop
        self._share = Share(self._order, start, stop)
        return self._share

    # --- resuming --------------------------------------------------------------------------------
    def get_state(self) -> dict[str, Any]:
        """Where the stream stands, as plain data."""
        state = {"position": self._position, "feed": self.feed.get_state(), "open": self._iterator is not None}
        if self.is_array:
            state["mark"] = self._mark
            state["share"] = None if self._share is None else [self._share.start, self._share.stop]
        return state

    def set_state(self, state: dict[str, Any], done: int) -> None:
        """Go on where a stream stood.

        Args:
            state: what ``get_state`` gave.
            done: batches of the epoch in progress that have been run; 0 between two epochs.
        """
        in_pass = bool(done) if not self.steps else state["open"]
        self.feed.set_state(state["feed"], in_pass)
        self._position, self._iterator = state["position"], None
        if not self.is_array:
            self._iterator = self.feed.batches() if self.steps and in_pass else None
            return
        self._resumed = None
        if done or self._position:
            self._mark, self._order = state["mark"], self.feed.redraw(state["mark"])
        if done:
            start, stop = state["share"]
            self._resumed = Share(self._order, start, stop, done)

    # --- batches ---------------------------------------------------------------------------------
    def batches(self, done: int = 0) -> Iterator[Any]:
        """Batches of the next epoch, for feeds that are not arrays.

        Args:
            done: batches of the epoch that have been run already.
        """
        feed: IterableFeed = self.feed
        if not self.steps:
            count = done
            for batch in feed.batches():
                yield batch
                count += 1
            feed.note_count(count)
            return
        if self._iterator is None:
            self._iterator = feed.batches()
        for number in range(done, self.steps):
            batch = next(self._iterator, None)
            if batch is None:
                self._iterator, self._position = None, 0
                warn_exhausted(number, self.steps)
                return
            self._position += 1
            yield batch
        # A source that gave all it has starts anew in the next epoch, without a warning.
        if feed.num_batches and self._position >= feed.num_batches:
            self._iterator, self._position = None, 0


def warn_exhausted(gave: int, wanted: int) -> None:
    """Warn that an epoch ends early."""
    ended = "the epoch" if gave else "the run"
    warn(
        f"Your input ran out of data: it gave {gave} of {wanted} batches, and {ended} ends here. Give "
        "`steps_per_epoch * epochs` batches; a tf.data.Dataset starts anew with `.repeat()`."
    )


def check_passes(feed: Any, epochs: int, steps: int | None) -> None:
    """Refuse to read a generator several times.

    Raises:
        DataError: more than one pass is asked of a source that can be read once only.
    """
    if feed.one_shot and epochs > 1 and steps is None:
        raise DataError(
            f"A generator can be read once only, but {epochs} epochs were asked for.\n"
            "  fix:      give `steps_per_epoch` and a generator that yields enough batches, or pass arrays or "
            "a data set (tf.data.Dataset, keras.utils.PyDataset)"
        )
