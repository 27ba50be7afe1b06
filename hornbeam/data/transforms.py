"""The transformations of ``Dataset``: methods that give a new data set."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import explain
from hornbeam.core.tensor import Tensor
from hornbeam.data.background import Prefetch
from hornbeam.data.batching import Batch, Rebatch, Unbatch
from hornbeam.data.beside import Enumerate, Zip
from hornbeam.data.caching import Cache
from hornbeam.data.grouping import Buckets, GroupByWindow, Window
from hornbeam.data.mapping import Filter, Map, Scan, threads_of
from hornbeam.data.merging import Interleave, Unique, node_of
from hornbeam.data.order import Concatenate, Part, Repeat
from hornbeam.data.padding import PaddedBatch
from hornbeam.data.plan import ENDLESS, Node
from hornbeam.data.shuffling import Shuffle
from hornbeam.data.stores import Snapshot, compressed
from hornbeam.data.structure import host_leaf
from hornbeam.data.surviving import IgnoreErrors


def number(value: Any, name: str, where: str) -> int:
    """A whole number from an int, NumPy number or tensor.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, bool) or value is None:
        raise TypeError(f"Dataset.{where}(): `{name}` must be an integer. Received: {name}={value!r}")
    if isinstance(value, int):
        return value
    found = np.asarray(host_leaf(value) if isinstance(value, Tensor) else value)
    if found.ndim or found.dtype.kind not in "iu":
        raise TypeError(f"Dataset.{where}(): `{name}` must be an integer. Received: {name}={value!r}")
    return int(found)


class Transforms:
    """Methods that give a new data set; the data set itself stays as it is.

    ``name`` arguments are labels that TensorFlow shows in its profiler; nothing depends on them.
    """

    _node: Node

    def _with(self, node: Node) -> Any:
        raise NotImplementedError("provided by Dataset")

    # --- functions of elements -------------------------------------------------------------------
    def map(
        self,
        map_func: Callable,
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        synchronous: bool | None = None,
        use_unbounded_threadpool: bool = False,
        name: str | None = None,
    ) -> Any:
        """Apply a function to each element.

        A function of numeric tensors is compiled, and one call computes many elements. A function that cannot be
        compiled (strings, files, ``py_function``, Python ``if`` on a tensor's value) runs as Python on one
        element after another, in threads if ``num_parallel_calls`` says so. The results come in the order of the
        elements in any case.

        Args:
            map_func: takes the parts of a tuple as arguments, any other element as one argument; returns a tensor, or
                tensors nested in tuples and dicts.
            num_parallel_calls: threads for functions that run as Python; ``tf.data.AUTOTUNE`` for one per core.
            deterministic: the order is always kept, which either value allows.
            synchronous: True to use no threads.
            use_unbounded_threadpool: threads are bounded by ``num_parallel_calls``; results are equal.
            name: label.

        References: TensorFlow `tf.data.Dataset.map`.
        """
        if synchronous and num_parallel_calls is not None:
            raise ValueError("Dataset.map(): `synchronous=True` and `num_parallel_calls` exclude each other.")
        return self._with(Map(self._node, map_func, threads_of(num_parallel_calls)))

    def filter(self, predicate: Callable, name: str | None = None) -> Any:
        """Keep the elements for which a function gives True.

        References: TensorFlow `tf.data.Dataset.filter`.
        """
        return self._with(Filter(self._node, predicate))

    def take_while(self, predicate: Callable, name: str | None = None) -> Any:
        """Keep elements until a function gives False for one.

        References: TensorFlow `tf.data.Dataset.take_while`.
        """
        return self._with(Filter(self._node, predicate, until=True))

    def scan(self, initial_state: Any, scan_func: Callable, name: str | None = None) -> Any:
        """Apply a function that hands a state from element to element.

        Args:
            initial_state: the state before the first element.
            scan_func: function of (state, element) that returns (new state, result).
            name: label.

        References: TensorFlow `tf.data.Dataset.scan`.
        """
        return self._with(Scan(self._node, initial_state, scan_func))

    def flat_map(self, map_func: Callable, name: str | None = None) -> Any:
        """Make a data set of each element, and yield the elements of one after another.

        References: TensorFlow `tf.data.Dataset.flat_map`.
        """
        return self._with(Interleave(self._node, map_func, 1, 1, "Dataset.flat_map()"))

    def interleave(
        self,
        map_func: Callable,
        cycle_length: Any = None,
        block_length: Any = None,
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Any:
        """Make a data set of each element, and yield the elements of some of them in turn.

        Args:
            map_func: makes a data set of an element.
            cycle_length: data sets read in turn; by default as many as there are cores.
            block_length: elements taken from one in its turn, by default 1.
            num_parallel_calls: at least 1 or ``AUTOTUNE``; the data sets are read in turn, and the result is the same.
            deterministic: the order is always kept, which either value allows.
            name: label.

        References: TensorFlow `tf.data.Dataset.interleave`.
        """
        cores = threads_of(num_parallel_calls if num_parallel_calls is not None else -1)
        cycle = cores if cycle_length in (None, -1) else number(cycle_length, "cycle_length", "interleave")
        length = 1 if block_length is None else number(block_length, "block_length", "interleave")
        return self._with(Interleave(self._node, map_func, cycle, length, "Dataset.interleave()"))

    # --- together and apart ----------------------------------------------------------------------
    def batch(
        self,
        batch_size: Any,
        drop_remainder: bool = False,
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Any:
        """Join successive elements in batches, along a new first axis.

        Args:
            batch_size: elements in a batch.
            drop_remainder: leave out a short last batch.
            num_parallel_calls: at least 1 or ``AUTOTUNE``; batches are gathered by one array operation, which leaves
                nothing for threads.
            deterministic: the order is always kept, which either value allows.
            name: label.

        References: TensorFlow `tf.data.Dataset.batch`.
        """
        threads_of(num_parallel_calls)
        return self._with(Batch(self._node, number(batch_size, "batch_size", "batch"), bool(drop_remainder)))

    def padded_batch(
        self,
        batch_size: Any,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Any:
        """Join successive elements in batches, filled up to one shape.

        Args:
            batch_size: elements in a batch.
            padded_shapes: shape, or nesting of shapes; sizes None (or -1) are those of the largest element of
                the batch.
                By default all sizes.
            padding_values: what to fill with, by default 0 or empty text.
            drop_remainder: leave out a short last batch.
            name: label.

        References: TensorFlow `tf.data.Dataset.padded_batch`.
        """
        size = number(batch_size, "batch_size", "padded_batch")
        return self._with(PaddedBatch(self._node, size, padded_shapes, padding_values, bool(drop_remainder)))

    def ragged_batch(
        self, batch_size: Any, drop_remainder: bool = False, row_splits_dtype: Any = "int64", name: str | None = None
    ) -> Any:
        """Join successive elements in batches; those that differ in shape make ragged tensors.

        References: TensorFlow `tf.data.Dataset.ragged_batch`.
        """
        splits = str(getattr(row_splits_dtype, "name", row_splits_dtype))
        if splits not in ("int64", "int32"):
            raise ValueError(f"`row_splits_dtype` must be int32 or int64. Received: {row_splits_dtype!r}")
        size = number(batch_size, "batch_size", "ragged_batch")
        return self._with(Batch(self._node, size, bool(drop_remainder), ragged=True, splits=splits))

    def unbatch(self, name: str | None = None) -> Any:
        """Take elements apart along their first axis.

        References: TensorFlow `tf.data.Dataset.unbatch`.
        """
        return self._with(Unbatch(self._node))

    def rebatch(self, batch_size: Any, drop_remainder: bool = False, name: str | None = None) -> Any:
        """Join the rows of batches in batches of another size.

        Args:
            batch_size: rows in a batch, or a list of sizes that are taken in turn.
            drop_remainder: leave out a short last batch.
            name: label.

        References: TensorFlow `tf.data.Dataset.rebatch`.
        """
        sizes = np.atleast_1d(np.asarray(host_leaf(batch_size))).tolist()
        return self._with(
            Rebatch(self._node, [number(size, "batch_size", "rebatch") for size in sizes], drop_remainder)
        )

    def window(
        self, size: Any, shift: Any = None, stride: Any = 1, drop_remainder: bool = False, name: str | None = None
    ) -> Any:
        """Data sets of successive elements.

        Args:
            size: elements in a window.
            shift: elements between the starts of two windows, by default ``size``.
            stride: elements between two elements of a window.
            drop_remainder: leave out windows that are not full.
            name: label.

        References: TensorFlow `tf.data.Dataset.window`.
        """
        width = number(size, "size", "window")
        step = width if shift is None else number(shift, "shift", "window")
        stride = number(stride, "stride", "window")
        return self._with(Window(self._node, width, step, stride, bool(drop_remainder), self._with))

    def group_by_window(
        self,
        key_func: Callable,
        reduce_func: Callable,
        window_size: Any = None,
        window_size_func: Callable | None = None,
        name: str | None = None,
    ) -> Any:
        """Collect elements of equal key in windows, and reduce each window to a data set.

        Args:
            key_func: function of an element; gives an integer.
            reduce_func: function of a key and the data set of a window; gives a data set.
            window_size: elements in a window.
            window_size_func: function of a key; gives the window size. Instead of ``window_size``.
            name: label.

        References: TensorFlow `tf.data.Dataset.group_by_window`.
        """
        if (window_size is None) == (window_size_func is None):
            raise ValueError("group_by_window(): give either `window_size` or `window_size_func`.")
        if window_size_func is None:
            fixed = number(window_size, "window_size", "group_by_window")
            return self._with(
                GroupByWindow(self._node, key_func, self._reducer(reduce_func), lambda key: fixed, self._with)
            )
        by_key = window_size_func

        def width(key: Any) -> int:
            return number(by_key(self._tensor(key)), "window_size", "group_by_window")

        return self._with(GroupByWindow(self._node, key_func, self._reducer(reduce_func), width, self._with))

    def _tensor(self, value: Any) -> Any:
        raise NotImplementedError("provided by Dataset")

    def _reducer(self, function: Callable) -> Callable[[Any, Any], Node]:
        def reduce(key: Any, window: Any) -> Node:
            return node_of(function(self._tensor(key), window), "Dataset.group_by_window()")

        return reduce

    def bucket_by_sequence_length(
        self,
        element_length_func: Callable,
        bucket_boundaries: Any,
        bucket_batch_sizes: Any,
        padded_shapes: Any = None,
        padding_values: Any = None,
        pad_to_bucket_boundary: bool = False,
        no_padding: bool = False,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Any:
        """Batches of elements of like length, padded to the longest of the batch.

        Args:
            element_length_func: function of an element; gives its length.
            bucket_boundaries: upper bounds of the buckets, not included, in rising order.
            bucket_batch_sizes: elements in a batch per bucket, one more than boundaries.
            padded_shapes: see ``padded_batch``.
            padding_values: see ``padded_batch``.
            pad_to_bucket_boundary: fill unknown sizes up to the bucket's boundary less 1; longer elements are refused.
            no_padding: the elements of a bucket are of one shape already.
            drop_remainder: leave out batches that are not full.
            name: label.

        References: TensorFlow `tf.data.Dataset.bucket_by_sequence_length`.
        """
        bounds = [int(bound) for bound in bucket_boundaries]
        sizes = [int(size) for size in bucket_batch_sizes]
        return self._with(
            Buckets(
                self._node,
                element_length_func,
                bounds,
                sizes,
                padded_shapes,
                padding_values,
                bool(pad_to_bucket_boundary),
                not no_padding,
                bool(drop_remainder),
            )
        )

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
