"""The transformations of ``Dataset``: methods that give a new data set."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hornbeam.base import trees
from hornbeam.base.errors import explain
from hornbeam.core.tensor import Tensor
from hornbeam.data.background import Prefetch
from hornbeam.data.batch_transforms import BatchTransforms
from hornbeam.data.beside import Enumerate, Zip
from hornbeam.data.caching import Cache
from hornbeam.data.element_transforms import ElementTransforms
from hornbeam.data.merging import Unique, node_of
from hornbeam.data.order import Concatenate, Part, Repeat
from hornbeam.data.plan import ENDLESS, Node
from hornbeam.data.shuffling import Shuffle
from hornbeam.data.stores import Snapshot, compressed
from hornbeam.data.structure import host_leaf
from hornbeam.data.surviving import IgnoreErrors
from hornbeam.data.transform_base import number


class Transforms(ElementTransforms, BatchTransforms):
    """Methods that give a new data set; the data set itself stays as it is.

    ``name`` arguments are labels that TensorFlow shows in its profiler; nothing depends on them.
    """

    # --- order -----------------------------------------------------------------------------------
    def shuffle(
        self,
        buffer_size: Any,
        seed: Any = None,
        reshuffle_each_iteration: bool | None = True,
        name: str | None = None,
    ) -> Any:
        """Draw elements at random out of a buffer that the following ones fill up.

        The order follows from the seed (of its own, or the process seed) and the number of the pass; it is not that
        of TensorFlow for the same seed.

        Args:
            buffer_size: elements in the buffer; as many as there are for a full shuffle.
            seed: int, or None.
            reshuffle_each_iteration: another order in each pass, the default.
            name: label.

        References: TensorFlow `tf.data.Dataset.shuffle`.
        """
        size = number(buffer_size, "buffer_size", "shuffle")
        if size < 1:
            if size != -2:  # tf.data.UNKNOWN_CARDINALITY, as TensorFlow has it: everything
                raise ValueError(f"Dataset.shuffle(): `buffer_size` must be at least 1. Received: buffer_size={size}")
            size = ENDLESS
        seed = None if seed is None else number(seed, "seed", "shuffle")
        reshuffle = True if reshuffle_each_iteration is None else bool(reshuffle_each_iteration)
        return self._with(Shuffle(self._node, size, seed, reshuffle))

    def repeat(self, count: Any = None, name: str | None = None) -> Any:
        """All elements ``count`` times over; without end for None or -1.

        References: TensorFlow `tf.data.Dataset.repeat`.
        """
        return self._with(Repeat(self._node, None if count is None else number(count, "count", "repeat")))

    def take(self, count: Any, name: str | None = None) -> Any:
        """The first elements; all for -1.

        References: TensorFlow `tf.data.Dataset.take`.
        """
        count = number(count, "count", "take")
        return self._with(Part(self._node, 0, 1, ENDLESS if count < 0 else count))

    def skip(self, count: Any, name: str | None = None) -> Any:
        """All but the first elements; none for -1.

        References: TensorFlow `tf.data.Dataset.skip`.
        """
        count = number(count, "count", "skip")
        return self._with(Part(self._node, 0, 1, 0) if count < 0 else Part(self._node, count, 1, ENDLESS))

    def shard(self, num_shards: Any, index: Any, name: str | None = None) -> Any:
        """Every ``num_shards``-th element, from number ``index`` on.

        References: TensorFlow `tf.data.Dataset.shard`.
        """
        shards, index = number(num_shards, "num_shards", "shard"), number(index, "index", "shard")
        if shards < 1 or not 0 <= index < shards:
            raise ValueError(f"Dataset.shard(): `index` must lie in [0, num_shards). Received: {index} of {shards}")
        return self._with(Part(self._node, index, shards, ENDLESS))

    def concatenate(self, dataset: Any, name: str | None = None) -> Any:
        """The elements of another data set after those of this one.

        References: TensorFlow `tf.data.Dataset.concatenate`.
        """
        other = node_of(dataset, "Dataset.concatenate()")
        return self._with(Concatenate(self._node, other))

    def enumerate(self, start: Any = 0, name: str | None = None) -> Any:
        """Pairs of a number (int64, counted from ``start``) and an element.

        References: TensorFlow `tf.data.Dataset.enumerate`.
        """
        return self._with(Enumerate(self._node, number(start, "start", "enumerate")))

    def unique(self, name: str | None = None) -> Any:
        """Each element once, where it comes first.

        References: TensorFlow `tf.data.Dataset.unique`.
        """
        return self._with(Unique(self._node))

    # --- keeping ---------------------------------------------------------------------------------
    def cache(self, filename: Any = "", name: str | None = None) -> Any:
        """Keep elements once they were made: in memory, or in files of our own form.

        Args:
            filename: a path (a folder is made there), or empty for memory.
            name: label.

        References: TensorFlow `tf.data.Dataset.cache`.
        """
        path = _path(filename)
        return self._with(Snapshot(self._node, path, False, None, _in_order) if path else Cache(self._node))

    def prefetch(self, buffer_size: Any, name: str | None = None) -> Any:
        """Make elements ahead of their use, in a thread of their own.

        Args:
            buffer_size: elements made ahead; ``tf.data.AUTOTUNE`` to leave it to the library, 0 for none.
            name: label.

        References: TensorFlow `tf.data.Dataset.prefetch`.
        """
        size = -1 if buffer_size is None else number(buffer_size, "buffer_size", "prefetch")
        if size < -1:
            raise ValueError(f"Dataset.prefetch(): `buffer_size` must not be negative. Received: {size}")
        return self._with(Prefetch(self._node, size))

    def snapshot(
        self,
        path: Any,
        compression: Any = "AUTO",
        reader_func: Callable | None = None,
        shard_func: Callable | None = None,
        name: str | None = None,
    ) -> Any:
        """Write the elements of the first whole pass into a folder, and read them there in later ones.

        Args:
            path: the folder.
            compression: None, "NONE", "AUTO" (none) or "GZIP".
            reader_func: function of a data set of data sets, one per shard; gives the data set to read.
            shard_func: function of an element; gives the number of its shard.
            name: label.

        References: TensorFlow `tf.data.Dataset.snapshot`.
        """
        sharder = None if shard_func is None else self._sharder(shard_func)
        reader = _in_order if reader_func is None else self._shard_reader(reader_func)
        compress = compressed(compression, "Dataset.snapshot()")
        return self._with(Snapshot(self._node, _path(path), compress, sharder, reader))

    def _sharder(self, function: Callable) -> Callable:
        raise NotImplementedError("provided by Dataset")

    def _shard_reader(self, function: Callable) -> Callable[[list[Node]], Node]:
        raise NotImplementedError("provided by Dataset")

    def ignore_errors(self, log_warning: bool = False, name: str | None = None) -> Any:
        """Leave out elements whose making raises an error.

        How many were left out in the current (or last) pass is counted in ``left_out``. Batches of
        ``image_dataset_from_directory`` lose their bad pictures only, not the whole batch.

        Args:
            log_warning: write each error to the log.
            name: label.

        References: TensorFlow `tf.data.Dataset.ignore_errors`.
        """
        return self._with(IgnoreErrors(self._node, bool(log_warning)))

    @property
    def left_out(self) -> int:
        """Elements that ``ignore_errors``, here or before, left out in the latest pass."""
        waiting, found = [self._node], 0
        while waiting:
            node = waiting.pop()
            found += node.left_out if isinstance(node, IgnoreErrors) else 0
            waiting += node.children
        return found

    def apply(self, transformation_func: Callable) -> Any:
        """What a function makes of the data set.

        References: TensorFlow `tf.data.Dataset.apply`.
        """
        found = transformation_func(self)
        node_of(found, "Dataset.apply()")
        return found


def _path(value: Any) -> str:
    found = host_leaf(value) if isinstance(value, Tensor) else value
    return os.fspath(found.decode("utf-8") if isinstance(found, bytes) else found)


def _in_order(nodes: list[Node]) -> Node:
    """Shards one after another."""
    found = nodes[0]
    for node in nodes[1:]:
        found = Concatenate(found, node)
    return found


def zipped(datasets: Any) -> Node:
    """The plan of data sets side by side.

    Args:
        datasets: a nesting (tuples, dicts) of data sets.

    Raises:
        TypeError: it holds something else, or is a list.
    """
    if isinstance(datasets, list):
        raise TypeError(
            explain(
                "Dataset.zip() takes a tuple or dict of data sets, or several data sets; a list would be a tensor.",
                received="a list",
                fix="Dataset.zip(tuple(datasets))",
            )
        )
    nodes = [node_of(leaf, "Dataset.zip()") for leaf in trees.flatten(datasets)]
    if not nodes:
        raise TypeError("Dataset.zip() needs at least one data set.")
    return Zip(trees.map_structure(lambda _: 0, datasets), nodes)
