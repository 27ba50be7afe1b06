"""Transformations of ``Dataset`` by a function of each element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.data.mapping import Filter, Map, Scan, threads_of
from hornbeam.data.merging import Interleave
from hornbeam.data.transform_base import TransformBase, number


class ElementTransforms(TransformBase):
    """Methods that give a data set of what a function makes of the elements."""

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
