"""Functions of ``tf.data.experimental``: most are methods of ``Dataset`` under another name, for ``Dataset.apply``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.core.tensor import Tensor
from hornbeam.data.counted import AssertSize
from hornbeam.data.dataset import Dataset
from hornbeam.data.iterators import Iterator, Optional
from hornbeam.data.structure import host_leaf, spec_of, to_host
from hornbeam.io import records


def _method(name: str, *args: Any, **kwargs: Any) -> Callable[[Dataset], Any]:
    """A function of a data set that calls a method."""

    def apply(dataset: Dataset) -> Any:
        return getattr(dataset, name)(*args, **kwargs)

    return apply


def cardinality(dataset: Dataset) -> Tensor:
    """Same as ``dataset.cardinality()``."""
    return dataset.cardinality()


def Counter(start: Any = 0, step: Any = 1, dtype: Any = "int64") -> Dataset:
    """Same as ``Dataset.counter``."""
    return Dataset.counter(start, step, dtype)


class RandomDataset(Dataset):
    """Same as ``Dataset.random``.

    Args:
        seed: int, or None.
        rerandomize_each_iteration: other numbers in each pass, for a given seed.
    """

    def __init__(self, seed: Any = None, rerandomize_each_iteration: bool | None = None) -> None:
        super().__init__(Dataset.random(seed, rerandomize_each_iteration)._node)


def get_next_as_optional(iterator: Iterator) -> Optional:
    """Same as ``iterator.get_next_as_optional()``."""
    return iterator.get_next_as_optional()


def get_single_element(dataset: Dataset) -> Any:
    """Same as ``dataset.get_single_element()``."""
    return dataset.get_single_element()


def get_structure(dataset_or_iterator: Any) -> Any:
    """Same as ``.element_spec``."""
    return dataset_or_iterator.element_spec


def save(
    dataset: Dataset,
    path: Any,
    compression: Any = None,
    shard_func: Callable | None = None,
    checkpoint_args: Any = None,
) -> None:
    """Same as ``dataset.save``."""
    dataset.save(path, compression, shard_func, checkpoint_args)


def load(path: Any, element_spec: Any = None, compression: Any = None, reader_func: Callable | None = None) -> Dataset:
    """Same as ``Dataset.load``."""
    return Dataset.load(path, element_spec, compression, reader_func)


def choose_from_datasets(datasets: Any, choice_dataset: Dataset, stop_on_empty_dataset: bool = False) -> Dataset:
    """Same as ``Dataset.choose_from_datasets``."""
    return Dataset.choose_from_datasets(datasets, choice_dataset, stop_on_empty_dataset)


def sample_from_datasets(
    datasets: Any, weights: Any = None, seed: Any = None, stop_on_empty_dataset: bool = False
) -> Dataset:
    """Same as ``Dataset.sample_from_datasets``."""
    return Dataset.sample_from_datasets(datasets, weights, seed, stop_on_empty_dataset)


def unbatch() -> Callable[[Dataset], Dataset]:
    """``unbatch`` for ``Dataset.apply``."""
    return _method("unbatch")


def unique() -> Callable[[Dataset], Dataset]:
    """``unique`` for ``Dataset.apply``."""
    return _method("unique")


def enumerate_dataset(start: Any = 0) -> Callable[[Dataset], Dataset]:
    """``enumerate`` for ``Dataset.apply``."""
    return _method("enumerate", start)


def ignore_errors(log_warning: bool = False) -> Callable[[Dataset], Dataset]:
    """``ignore_errors`` for ``Dataset.apply``."""
    return _method("ignore_errors", log_warning)


def take_while(predicate: Callable) -> Callable[[Dataset], Dataset]:
    """``take_while`` for ``Dataset.apply``."""
    return _method("take_while", predicate)


def scan(initial_state: Any, scan_func: Callable) -> Callable[[Dataset], Dataset]:
    """``scan`` for ``Dataset.apply``."""
    return _method("scan", initial_state, scan_func)


def snapshot(
    path: Any, compression: Any = "AUTO", reader_func: Callable | None = None, shard_func: Callable | None = None
) -> Callable[[Dataset], Dataset]:
    """``snapshot`` for ``Dataset.apply``."""
    return _method("snapshot", path, compression, reader_func, shard_func)


def rejection_resample(
    class_func: Callable, target_dist: Any, initial_dist: Any = None, seed: Any = None
) -> Callable[[Dataset], Dataset]:
    """``rejection_resample`` for ``Dataset.apply``."""
    return _method("rejection_resample", class_func, target_dist, initial_dist, seed)


def group_by_window(
    key_func: Callable, reduce_func: Callable, window_size: Any = None, window_size_func: Callable | None = None
) -> Callable[[Dataset], Dataset]:
    """``group_by_window`` for ``Dataset.apply``."""
    return _method("group_by_window", key_func, reduce_func, window_size, window_size_func)


def bucket_by_sequence_length(
    element_length_func: Callable,
    bucket_boundaries: Any,
    bucket_batch_sizes: Any,
    padded_shapes: Any = None,
    padding_values: Any = None,
    pad_to_bucket_boundary: bool = False,
    no_padding: bool = False,
    drop_remainder: bool = False,
) -> Callable[[Dataset], Dataset]:
    """``bucket_by_sequence_length`` for ``Dataset.apply``."""
    return _method(
        "bucket_by_sequence_length",
        element_length_func,
        bucket_boundaries,
        bucket_batch_sizes,
        padded_shapes,
        padding_values,
        pad_to_bucket_boundary,
        no_padding,
        drop_remainder,
    )


def dense_to_ragged_batch(
    batch_size: Any, drop_remainder: bool = False, row_splits_dtype: Any = "int64"
) -> Callable[[Dataset], Dataset]:
    """``ragged_batch`` for ``Dataset.apply``."""
    return _method("ragged_batch", batch_size, drop_remainder, row_splits_dtype)


def parallel_interleave(
    map_func: Callable,
    cycle_length: Any,
    block_length: Any = 1,
    sloppy: bool | None = False,
    buffer_output_elements: Any = None,
    prefetch_input_elements: Any = None,
) -> Callable[[Dataset], Dataset]:
    """``interleave`` for ``Dataset.apply``. The order is always kept; the buffer sizes are hints."""
    return _method("interleave", map_func, cycle_length, block_length)


def map_and_batch(
    map_func: Callable,
    batch_size: Any,
    num_parallel_batches: Any = None,
    drop_remainder: bool = False,
    num_parallel_calls: Any = None,
) -> Callable[[Dataset], Dataset]:
    """``map`` followed by ``batch`` for ``Dataset.apply``."""
    if num_parallel_batches is not None and num_parallel_calls is not None:
        raise ValueError("map_and_batch(): give `num_parallel_batches` or `num_parallel_calls`, not both.")
    calls = num_parallel_calls if num_parallel_batches is None else int(num_parallel_batches) * int(batch_size)
    return lambda dataset: dataset.map(map_func, calls).batch(batch_size, drop_remainder)


def shuffle_and_repeat(buffer_size: Any, count: Any = None, seed: Any = None) -> Callable[[Dataset], Dataset]:
    """``shuffle`` followed by ``repeat`` for ``Dataset.apply``."""
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


def prefetch_to_device(device: str, buffer_size: Any = None) -> Callable[[Dataset], Dataset]:
    """``prefetch`` for ``Dataset.apply``; tensors lie on the default device in any case.

    Args:
        device: name of a device, such as "/gpu:0".
        buffer_size: elements made ahead.
    """
    if not isinstance(device, str):
        raise TypeError(f"`device` must be the name of a device. Received: {device!r}")
    return _method("prefetch", -1 if buffer_size is None else buffer_size)


def copy_to_device(target_device: str, source_device: str = "/cpu:0") -> Callable[[Dataset], Dataset]:
    """The data set itself, for ``Dataset.apply``: tensors lie on the default device in any case."""
    for device in (target_device, source_device):
        if not isinstance(device, str):
            raise TypeError(f"Devices are given by name. Received: {device!r}")
    return lambda dataset: dataset


def assert_cardinality(expected_cardinality: Any) -> Callable[[Dataset], Dataset]:
    """State the number of elements, for ``Dataset.apply``; reading another number raises an error."""
    expected = int(np.asarray(host_leaf(expected_cardinality)))
    return lambda dataset: dataset._with(AssertSize(dataset._node, expected))


class Reducer:
    """How a group is reduced: the functions of ``group_by_reducer``.

    Args:
        init_func: function of a key; gives the first state.
        reduce_func: function of (state, element); gives the next state.
        finalize_func: function of the last state; gives the result.
    """

    def __init__(self, init_func: Callable, reduce_func: Callable, finalize_func: Callable) -> None:
        self.init_func, self.reduce_func, self.finalize_func = init_func, reduce_func, finalize_func


def group_by_reducer(key_func: Callable, reducer: Reducer) -> Callable[[Dataset], Dataset]:
    """One result for each key, for ``Dataset.apply``: all elements of a key reduced. In the order of the keys."""

    def apply(dataset: Dataset) -> Dataset:
        def results() -> Any:
            states: dict[int, Any] = {}
            for element in dataset:
                parts = element if type(element) is tuple else (element,)
                key = int(np.asarray(host_leaf(key_func(*parts))))
                if key not in states:
                    states[key] = reducer.init_func(dataset._tensor(np.int64(key)))
                states[key] = reducer.reduce_func(states[key], element)
            for key in sorted(states):
                state = states[key]
                yield reducer.finalize_func(*state) if type(state) is tuple else reducer.finalize_func(state)

        first = next(results(), None)
        if first is None:
            return dataset.take(0)
        skeleton, leaves = to_host(first)
        return Dataset.from_generator(
            results, output_signature=trees.pack(skeleton, [spec_of(leaf) for leaf in leaves])
        )

    return apply


class TFRecordWriter:
    """Writes a data set of scalar strings into a TFRecord file.

    Args:
        filename: the file; it is replaced.
        compression_type: None, "GZIP" or "ZLIB".
    """

    def __init__(self, filename: Any, compression_type: Any = None) -> None:
        self._filename = filename
        self._options = records.TFRecordOptions(compression_type)

    def write(self, dataset: Dataset) -> None:
        """Write all elements."""
        with records.TFRecordWriter(self._filename, self._options) as writer:
            for record in dataset.as_numpy_iterator():
                writer.write(record)
