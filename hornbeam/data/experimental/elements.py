"""Data sets of listed elements, of sparse batches and of parsed records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbeam import nest
from hornbeam.base.errors import explain
from hornbeam.core.tensor import from_host
from hornbeam.data.counted import AssertSize
from hornbeam.data.dataset import Dataset
from hornbeam.data.files import TFRecordDataset
from hornbeam.data.structure import host_leaf
from hornbeam.errors import InvalidArgumentError
from hornbeam.io.parsing import parse_example
from hornbeam.sparse.spec import SparseTensorSpec
from hornbeam.sparse.tensor import SparseTensor

__all__ = ["dense_to_sparse_batch", "from_list", "make_batched_features_dataset", "parse_example_dataset"]


def from_list(elements: Sequence[Any], name: str | None = None) -> Dataset:
    """A data set of the elements of a list: tensors, or nestings of tensors, of one form.

    Raises:
        ValueError: the list is empty.

    References: TensorFlow `tf.data.experimental.from_list`.
    """
    if not elements:
        raise ValueError("tf.data.experimental.from_list: `elements` is empty; one element at least is needed.")
    for element in elements[1:]:
        nest.assert_same_structure(elements[0], element)
    columns = [
        np.stack([host_leaf(leaf) for leaf in leaves])
        for leaves in zip(*(nest.flatten(element) for element in elements), strict=True)
    ]
    return Dataset.from_tensor_slices(nest.pack_sequence_as(elements[0], columns))


def dense_to_sparse_batch(batch_size: Any, row_shape: Any) -> Callable[[Dataset], Dataset]:
    """Batches of elements of different sizes, as sparse tensors.

    Args:
        batch_size: elements in a batch.
        row_shape: shape of a row of the batch, no smaller than any element; -1 or None for the largest element.

    References: TensorFlow `tf.data.experimental.dense_to_sparse_batch`.
    """
    sizes = [None if size is None or int(size) < 0 else int(size) for size in row_shape]

    def apply(dataset: Dataset) -> Dataset:
        spec = SparseTensorSpec([None, *sizes], dataset.element_spec.dtype)

        def batches() -> Any:
            rows: list[np.ndarray] = []
            for element in dataset:
                rows.append(np.asarray(element.numpy()))
                if len(rows) == int(batch_size):
                    yield _sparse(rows, sizes)
                    rows = []
            if rows:
                yield _sparse(rows, sizes)

        made = Dataset.from_generator(batches, output_signature=spec)
        known = int(dataset.cardinality())
        return made if known < 0 else made._with(AssertSize(made._node, -(-known // int(batch_size))))

    return apply


def _sparse(rows: list[np.ndarray], sizes: list[int | None]) -> SparseTensor:
    largest = np.max([row.shape for row in rows], axis=0).tolist()
    shape = [large if size is None else size for size, large in zip(sizes, largest, strict=True)]
    if any(large > size for size, large in zip(shape, largest, strict=True)):
        raise InvalidArgumentError(
            None,
            None,
            explain(
                "dense_to_sparse_batch: an element is larger than `row_shape`.",
                expected=f"sizes up to {shape}",
                received=str(largest),
            ),
        )
    indices = [
        np.concatenate([np.full((row.size, 1), place), np.argwhere(np.ones(row.shape, bool))], axis=1)
        for place, row in enumerate(rows)
    ]
    values = np.concatenate([row.reshape(-1) for row in rows])
    return SparseTensor(np.concatenate(indices), from_host(values), [len(rows), *shape])


def parse_example_dataset(
    features: dict[str, Any], num_parallel_calls: Any = 1, deterministic: bool | None = None
) -> Callable[[Dataset], Dataset]:
    """``tf.io.parse_example`` of batches of records, for ``Dataset.apply``.

    Args:
        features: ``FixedLenFeature``, ``VarLenFeature`` ... by name.
        num_parallel_calls: as for ``map``.
        deterministic: as for ``map``.

    References: TensorFlow `tf.data.experimental.parse_example_dataset`.
    """
    return lambda dataset: dataset.map(
        lambda records: parse_example(records, features),
        num_parallel_calls=num_parallel_calls,
        deterministic=deterministic,
    )


def make_batched_features_dataset(
    file_pattern: Any,
    batch_size: int,
    features: dict[str, Any],
    reader: Any = None,
    label_key: str | None = None,
    reader_args: Sequence[Any] | None = None,
    num_epochs: int | None = None,
    shuffle: bool = True,
    shuffle_buffer_size: int = 10000,
    shuffle_seed: int | None = None,
    prefetch_buffer_size: int | None = None,
    reader_num_threads: int | None = None,
    parser_num_threads: int | None = None,
    sloppy_ordering: bool = False,
    drop_final_batch: bool = False,
) -> Dataset:
    """Batches of the features of record files, without end unless ``num_epochs`` is given.

    Args:
        file_pattern: pattern of file names, or list of patterns.
        batch_size: records in a batch.
        features: ``FixedLenFeature``, ``VarLenFeature`` ... by name.
        reader: class of data sets of files; records by default.
        label_key: the feature that is split off.
        reader_args: further arguments of the reader.
        num_epochs: passes.
        shuffle: in random order.
        shuffle_buffer_size: records in the shuffle buffer.
        shuffle_seed: seed of the order.
        prefetch_buffer_size: batches made ahead; None to leave it to the library.
        reader_num_threads: files read in turn; 1 by default.
        parser_num_threads: batches parsed at once.
        sloppy_ordering: the order is always kept, which this allows.
        drop_final_batch: leave out a short last batch.

    References: TensorFlow `tf.data.experimental.make_batched_features_dataset`.
    """
    if label_key is not None and label_key not in features:
        raise ValueError(f"make_batched_features_dataset: `label_key` {label_key!r} is none of {sorted(features)}.")
    read = TFRecordDataset if reader is None else reader
    files = Dataset.list_files(file_pattern, shuffle=shuffle, seed=shuffle_seed)
    records = files.interleave(
        lambda name: read(name, *(reader_args or ())), cycle_length=reader_num_threads or 1, block_length=1
    )
    if shuffle:
        records = records.shuffle(shuffle_buffer_size, shuffle_seed)
    if num_epochs != 1:
        records = records.repeat(num_epochs)
    batches = records.batch(batch_size, drop_remainder=drop_final_batch or num_epochs is None)
    parsed = batches.apply(parse_example_dataset(features, parser_num_threads or 2))
    if label_key is not None:
        parsed = parsed.map(lambda found: ({key: found[key] for key in found if key != label_key}, found[label_key]))
    return parsed.prefetch(-1 if prefetch_buffer_size is None else prefetch_buffer_size)
