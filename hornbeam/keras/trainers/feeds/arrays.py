"""Arrays as training data: NumPy, JAX, tensors, pandas and everything that turns into an array."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes, settings, trees
from hornbeam.base.errors import DataError
from hornbeam.core.tensor import HostTensor, Tensor
from hornbeam.core.variable import Variable


class ArrayFeed:
    """Samples along the first axis of arrays; any order, any number of times.

    Args:
        x: inputs: an array or a nesting of arrays.
        y: targets, or None.
        sample_weight: weights, or None.
        batch_size: samples in a batch.
        shuffle: a new order for each epoch; ``"batch"`` shuffles within groups of batches only.
        seed: seed of the order; drawn from NumPy's global generator if not given.
    """

    def __init__(
        self, x: Any, y: Any = None, sample_weight: Any = None, *, batch_size: int | None = None, shuffle: Any = False
    ) -> None:
        self.arrays = trees.map_structure(as_host_array, pack(x, y, sample_weight))
        self.batch_size = 32 if batch_size is None else int(batch_size)
        if self.batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1. Received: batch_size={batch_size}")
        self.shuffle = shuffle
        leaves = trees.flatten(self.arrays)
        self.leaves = [leaf for leaf in leaves if leaf is not None]
        sizes = {len(leaf) for leaf in self.leaves}
        if len(sizes) > 1:
            described = ", ".join(f"{path}: {len(leaf)}" for path, leaf in self._described())
            raise DataError(
                f"Data cardinality is ambiguous. Make sure all arrays contain the same number of samples. Received: {described}"
            )
        self.size = sizes.pop() if sizes else 0
        if self.size == 0:
            raise DataError("The data holds no samples: `x` is empty. Give at least one row.")
        self.full_batches, self.remainder = divmod(self.size, self.batch_size)

    def _described(self) -> list[tuple[str, Any]]:
        names = ("x", "y", "sample_weight")
        found = []
        for path, leaf in trees.flatten_with_path(self.arrays):
            if leaf is not None:
                found.append((names[path[0]] + "".join(f"[{key!r}]" for key in path[1:]), leaf))
        return found

    @property
    def num_batches(self) -> int:
        """Batches in one pass, a short last one included."""
        return self.full_batches + bool(self.remainder)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(leaf.nbytes for leaf in self.leaves)

    def order(self) -> np.ndarray:
        """Row numbers for one pass."""
        if not self.shuffle:
            return np.arange(self.size, dtype=np.int32)
        if self.shuffle == "batch":
            whole = np.arange(self.full_batches * self.batch_size, dtype=np.int32).reshape(-1, self.batch_size)
            np.random.shuffle(whole)
            return np.concatenate([whole.reshape(-1), np.arange(whole.size, self.size, dtype=np.int32)])
        return np.random.permutation(self.size).astype(np.int32)

    def batch(self, rows: np.ndarray | slice) -> Any:
        """The samples at some rows, in the structure ``(x, y, sample_weight)``."""
        return trees.map_structure(lambda leaf: None if leaf is None else leaf[rows], self.arrays)

    def first(self) -> Any:
        """Batch of the first rows, for its shapes."""
        return self.batch(slice(0, min(self.batch_size, self.size)))

    def __iter__(self) -> Iterator[Any]:
        order = self.order()
        for start in range(0, self.size, self.batch_size):
            rows: Any = order[start : start + self.batch_size]
            if not self.shuffle:
                rows = slice(start, start + self.batch_size)
            yield self.batch(rows)


def pack(x: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
    """The triple that steps receive."""
    return (x, y, sample_weight)


def as_host_array(value: Any) -> Any:
    """NumPy (or device) array with a first axis; floats in floatx, 64-bit integers as 32-bit."""
    if value is None:
        return None
    if isinstance(value, HostTensor):
        return value._value
    if isinstance(value, Tensor):
        value = value._value
    elif isinstance(value, Variable):
        value = value.numpy()
    if isinstance(value, jax.Array):
        return value if value.ndim else value.reshape((1,))
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    elif hasattr(value, "to_numpy") and not isinstance(value, np.ndarray):
        value = value.to_numpy()
    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        return _text_array(array)
    if array.dtype.kind in "mM":
        raise DataError(f"Dates and times cannot be trained on (received dtype {array.dtype}). Convert them to numbers first.")
    if array.ndim == 0:
        raise DataError(f"Expected an array with a samples axis, received the scalar {array!r}.")
    kind = dtypes.from_numpy(array.dtype)
    if kind.is_floating:
        return array.astype(dtypes.as_dtype(settings.floatx()).as_numpy_dtype, copy=False)
    if kind == "int64":
        return array.astype(np.int32)
    if kind == "uint64":
        return array.astype(np.uint32)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _text_array(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "O":
        kinds = {type(item).__name__ for item in array.reshape(-1)[:1000]}
        if kinds <= {"int", "float", "bool", "float64", "int64", "bool_", "NoneType"}:
            return as_host_array(array.astype(np.float32))
        if not kinds <= {"str", "bytes"}:
            raise DataError(
                f"An array of objects ({sorted(kinds)}) cannot be trained on. Rows of unequal length? Pad them first, e.g. "
                "with keras.utils.pad_sequences."
            )
    return array


def slice_validation(data: Any, fraction: float) -> tuple[Any, Any]:
    """Split every array: the last share is for validation, before any shuffling.

    Args:
        data: nesting of arrays (None stays None).
        fraction: share between 0 and 1.
    """
    leaves = [leaf for leaf in trees.flatten(data) if leaf is not None]
    if any(not hasattr(leaf, "shape") for leaf in leaves):
        raise ValueError("Argument `validation_split` is only supported for tensors or NumPy arrays.")
    size = len(leaves[0])
    cut = int(np.floor(size * (1.0 - fraction)))
    if cut == 0 or cut == size:
        raise ValueError(
            f"Training data contains {size} samples, which is not sufficient to split it into a validation and training set "
            f"as specified by `validation_split={fraction}`. Either provide more data, or a different value for the "
            "`validation_split` argument."
        )
    head = trees.map_structure(lambda leaf: None if leaf is None else leaf[:cut], data)
    tail = trees.map_structure(lambda leaf: None if leaf is None else leaf[cut:], data)
    return head, tail
