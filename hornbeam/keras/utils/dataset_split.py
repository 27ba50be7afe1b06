"""``split_dataset``: a first and a last part of some data."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.data import AUTOTUNE, Dataset

__all__ = ["split_dataset"]


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Dataset, Dataset]:
    """Split data into a first and a last part.

    All of it is read into memory.

    Args:
        dataset: a `tf.data.Dataset`, an array, or a tuple or list of arrays of one length.
        left_size: number of samples of the first part, or its share (a float); default: the rest.
        right_size: the same for the last part.
        shuffle: mix the samples first.
        seed: of the mixing.
        preferred_backend: only ``None`` and ``"tensorflow"``, which stands for data sets of this library.

    Returns:
        Two data sets; batched as the given one was.

    Raises:
        ValueError: the sizes do not fit.
        TypeError: no kind of data that can be split.

    References: Keras ``utils.split_dataset``.
    """
    if preferred_backend not in (None, "tensorflow", "jax"):
        raise NotSupportedError(
            f"split_dataset() gives `tf.data.Dataset`s. Received: preferred_backend={preferred_backend!r}; "
            "leave it out, or split torch data with torch.utils.data.random_split."
        )
    samples, batch_size = _samples_of(dataset)
    left, right = _split_sizes(left_size, right_size, len(samples))
    if shuffle:
        random.seed(random.randint(0, 1_000_000) if seed is None else seed)
        random.shuffle(samples)
    found = []
    for part in (samples[:left], samples[len(samples) - right :]):
        columns = [np.array(column) for column in zip(*(trees.flatten(sample) for sample in part), strict=True)]
        made = Dataset.from_tensor_slices(trees.pack(part[0], columns))
        made = made if batch_size is None else made.batch(batch_size)
        found.append(made.prefetch(AUTOTUNE))
    return found[0], found[1]


def _samples_of(dataset: Any) -> tuple[list[Any], int | None]:
    batch_size = None
    if isinstance(dataset, Dataset):
        batch_size = getattr(dataset._node, "batch_size", None)
        samples = list((dataset if batch_size is None else dataset.unbatch()).as_numpy_iterator())
        batch_size = None if batch_size is None else int(batch_size)
    elif isinstance(dataset, np.ndarray):
        samples = list(dataset)
    elif isinstance(dataset, (tuple, list)):
        if not dataset:
            raise ValueError("split_dataset() got no arrays: the tuple or list is empty.")
        wrong = [type(array).__name__ for array in dataset if not isinstance(array, np.ndarray)]
        sizes = [len(array) for array in dataset if isinstance(array, np.ndarray)]
        if wrong or len(set(sizes)) > 1:
            raise ValueError(
                explain(
                    "split_dataset() takes NumPy arrays of one length.",
                    expected="equal first sizes",
                    received=f"sizes {sizes}" + (f", and values of type {wrong}" if wrong else ""),
                )
            )
        samples = list(zip(*dataset, strict=True))
    else:
        raise TypeError(
            explain(
                "split_dataset() cannot split that.",
                expected="a tf.data.Dataset, an array, or a tuple or list of arrays",
                received=type(dataset).__name__,
            )
        )
    if not samples:
        raise ValueError("split_dataset() got no samples.")
    return samples, batch_size


def _split_sizes(left: Any, right: Any, total: int) -> tuple[int, int]:
    if left is None and right is None:
        raise ValueError("split_dataset() needs `left_size`, `right_size` or both.")
    sizes = [_size_of(name, value, total) for name, value in (("left_size", left), ("right_size", right))]
    if isinstance(left, float) and isinstance(right, float) and left + right > 1:
        raise ValueError(f"The shares of both parts add up to more than 1. Received: {left} and {right}")
    one, other = sizes
    one = total - other if one is None and other is not None else one
    other = total - one if other is None and one is not None else other
    assert one is not None and other is not None
    if one + other > total or min(one, other) <= 0:
        raise ValueError(
            explain(
                "The parts of split_dataset() do not fit.",
                expected=f"two parts of at least one, together at most {total} samples",
                received=f"left_size={left} and right_size={right}: {one} and {other} samples",
            )
        )
    return one, other


def _size_of(name: str, value: Any, total: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"`{name}` is a number of samples (int), a share (float) or None. Received: {name}={value!r}")
    if value <= 0 or value >= (total if isinstance(value, int) else 1):
        raise ValueError(
            f"`{name}` is a number of samples below {total}, or a share between 0 and 1. Received: {name}={value}"
        )
    return value if isinstance(value, int) else round(value * total)
