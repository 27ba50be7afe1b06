"""Transformations of ``Dataset`` that join elements, or take them apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.data.batching import Batch, Rebatch, Unbatch
from hornbeam.data.grouping import Buckets, GroupByWindow, Window
from hornbeam.data.mapping import threads_of
from hornbeam.data.merging import node_of
from hornbeam.data.padding import PaddedBatch
from hornbeam.data.plan import Node
from hornbeam.data.structure import host_leaf
from hornbeam.data.transform_base import TransformBase, number


class BatchTransforms(TransformBase):
    """Methods that give a data set of batches, windows or rows."""

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
