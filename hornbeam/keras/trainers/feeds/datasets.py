"""``tf.data`` data sets as training data.

A data set that is nothing but rows of arrays, perhaps mapped by compiled functions, shuffled and batched, is read as
arrays: the rows are made once, lie on the device, and many steps run in one call. Any other is read in a thread ahead
of the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from hornbeam.base import trees
from hornbeam.core.random_state import pass_seed
from hornbeam.data.background import Prefetch
from hornbeam.data.batching import Batch
from hornbeam.data.caching import Cache
from hornbeam.data.dataset import Dataset
from hornbeam.data.iterators import Elements
from hornbeam.data.plan import ENDLESS, Node, Run, Scope
from hornbeam.data.position import beginning_of, passes_of, place_of, run_at, set_passes
from hornbeam.data.shuffling import Shuffle, ShuffledNumbers
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed
from hornbeam.keras.trainers.feeds.iterables import IterableFeed, standard_batch

_AHEAD = 2
_MOST_BYTES = 256 << 20
_DEVICE_BYTES = 1 << 16


class DatasetFeed(IterableFeed):
    """Batches of a data set, made in a thread while steps run.

    Args:
        source: the data set.
        transform: function ``(y, sample_weight) -> sample_weight`` that adds class weights, or None.
        draws: take the seed of each pass from the sources of random numbers of the calling thread, so that equal seeds
            give equal runs; otherwise the thread that reads takes one from the system if it needs one.
    """

    def __init__(self, source: Dataset, *, transform: Callable | None = None, draws: bool = True) -> None:
        super().__init__(source, transform=transform)
        self._draws = draws
        node = source._node
        self._plan = node if isinstance(node, Prefetch) else Prefetch(node, _AHEAD)
        self._now: Elements | None = None

    @property
    def num_batches(self) -> int | None:
        """Batches in one pass, None if not known."""
        size = self.source._node.size()
        return size if size >= 0 else self._counted

    def _elements(self, state: dict[str, Any] | None = None) -> Iterator[Any]:
        if state is None and self._draws:
            state = {"entropy": pass_seed(), "passes": {}, "position": 0}
        elements = self._now = Elements(self._plan, state)
        try:
            while (found := elements.next()) is not None:
                skeleton, leaves = found
                yield leaves[0] if skeleton == 0 else trees.pack(skeleton, leaves)
        finally:
            elements.close()

    def _read(self) -> Iterator[Any]:
        return map(self._standard, self._elements())

    def batches(self) -> Iterator[Any]:
        """Batches of one pass."""
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            return self._counting(_on_device(resumed))
        self._given = 0
        if self._opened is not None:
            (batch, rest), self._opened = self._opened, None
            return self._counting(_on_device(_chained(batch, rest)))
        return self._counting(_on_device(self._read()))

    # --- resuming --------------------------------------------------------------------------------
    def get_state(self) -> dict[str, Any]:
        """Where reading stands, as plain data."""
        begun = None if self._now is None else beginning_of(self._now)
        # The pass whose first batch was looked at is still to come, and has its number already.
        waiting = self._opened is not None
        return {"given": self._given, "begun": begun, "passes": passes_of(self._plan), "waiting": waiting}

    def set_state(self, state: dict[str, Any], in_pass: bool) -> None:
        """Go on where reading stood."""
        self._opened, self._resumed = None, None
        set_passes(self._plan, state["passes"])
        if in_pass or state.get("waiting"):
            self._given = state["given"] if in_pass else 0
            begin = {**state["begun"], "position": self._given}
            self._resumed = map(self._standard, self._elements(begin))

    def cannot_go_back(self) -> bool:
        """A data set finds its place by itself."""
        return False


def _chained(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _on_device(batches: Iterator[Any]) -> Iterator[Any]:
    """Inputs of the next batch on their way to the device while the step on this one runs."""
    if jax.default_backend() == "cpu":
        return batches
    return _one_ahead(map(_sent, batches))


def _sent(batch: Any) -> Any:
    def send(leaf: Any) -> Any:
        large = isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biufc" and leaf.nbytes > _DEVICE_BYTES
        return jax.device_put(leaf) if large and leaf.dtype.itemsize < 8 else leaf

    # Targets stay on the host, where labels are checked.
    if isinstance(batch, tuple):
        return (trees.map_structure(send, batch[0]), *batch[1:])
    return trees.map_structure(send, batch)


def _one_ahead(batches: Iterator[Any]) -> Iterator[Any]:
    waiting = next(batches, None)
    while waiting is not None:
        following = next(batches, None)
        yield waiting
        waiting = following


# --- data sets that are arrays -------------------------------------------------------------------
class DatasetArrayFeed(ArrayFeed):
    """Rows of a data set as arrays, in the order of its shuffle.

    Args:
        parts: x, y and sample weights.
        batch: the batching step.
        shuffle: the shuffling step before it, or None.
    """

    def __init__(self, parts: tuple[Any, Any, Any], batch: Batch, shuffle: Shuffle | None) -> None:
        super().__init__(*parts, batch_size=batch.batch_size)
        self._rows = self.size
        self._shuffle_node = shuffle
        self._run = Run()
        if batch.drop_remainder:
            self.size -= self.remainder
            self.remainder = 0

    def order(self) -> np.ndarray | None:
        """Row numbers for one pass, as the data set's iterator would give them."""
        node = self._shuffle_node
        if node is None:
            return None
        numbers = ShuffledNumbers(self._rows, node.buffer, node.pass_seed(Scope(self._run)))
        parts = []
        while len(found := numbers.next(self._rows)):
            parts.append(found)
        return np.concatenate(parts)[: self.size].astype(np.int32)

    def draw_order(self) -> None:
        """Nothing to draw: the order does not come from NumPy's generator."""

    def mark(self) -> Any:
        """What the order that is drawn next depends on, as plain data."""
        return self.get_state() or None

    def redraw(self, mark: Any) -> np.ndarray | None:
        """The order that was drawn after ``mark``."""
        self.set_state(mark or {}, False)
        return self.order()

    def get_state(self) -> dict[str, Any]:
        """Which pass comes next, as plain data."""
        node = self._shuffle_node
        return {} if node is None else {"run": place_of(self._run), "passes": passes_of(node)}

    def set_state(self, state: dict[str, Any], in_pass: bool) -> None:
        """Go on with the pass that would have come next."""
        if self._shuffle_node is not None and state:
            self._run = run_at(state["run"])
            set_passes(self._shuffle_node, state["passes"])


def _without_waiting(node: Node) -> Node:
    while isinstance(node, (Prefetch, Cache)):
        node = node.children[0]
    return node


def as_arrays(dataset: Dataset, keeps_order: bool) -> DatasetArrayFeed | None:
    """The feed of a data set that is nothing but batched rows; None for any other.

    Args:
        dataset: the data set.
        keeps_order: results are wanted in the order of the rows (predict), so the data set must not shuffle.
    """
    batch = _without_waiting(dataset._node)
    if not isinstance(batch, Batch) or batch.ragged:
        return None
    node = _without_waiting(batch.children[0])
    shuffle = node if isinstance(node, Shuffle) else None
    if shuffle is not None:
        if keeps_order:
            return None
        node = _without_waiting(shuffle.children[0])
    rows = node.indexed(Scope(Run()))
    structs = rows.structs() if rows is not None else None
    if rows is None or structs is None or rows.changes or not 0 < rows.size < ENDLESS:
        return None
    if batch.drop_remainder and rows.size < batch.batch_size:
        return None
    nbytes = rows.size * sum(int(np.prod(struct.shape)) * struct.dtype.itemsize for struct in structs)
    if nbytes > _MOST_BYTES or not rows.settled:
        return None
    whole = rows.rows(np.arange(rows.size))
    element = trees.pack(whole.skeleton, whole.columns) if trees.is_nested(whole.skeleton) else whole.columns[0]
    return DatasetArrayFeed(standard_batch(element), batch, shuffle)


def open_dataset(dataset: Any, method: str, transform: Callable | None) -> ArrayFeed | IterableFeed:
    """The feed of a data set, ours or TensorFlow's own.

    Args:
        dataset: the data set.
        method: what it was given to.
        transform: function that adds class weights, or None.
    """
    if not isinstance(dataset, Dataset):
        return IterableFeed(dataset, transform=transform)
    found = as_arrays(dataset, keeps_order=method == "predict") if transform is None else None
    return found if found is not None else DatasetFeed(dataset, transform=transform, draws=method != "predict")
