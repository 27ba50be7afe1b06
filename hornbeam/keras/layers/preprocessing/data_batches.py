"""The batches that ``adapt`` learns from, out of whatever users give as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.sparse.tensor import SparseTensor

_ARRAYS = (np.ndarray, np.generic, Tensor, Variable, jax.Array, RaggedTensor, SparseTensor)


def is_dataset(data: Any) -> bool:
    """True for datasets (they know the spec of their elements)."""
    return hasattr(data, "element_spec")


def is_one_array(data: Any, lists: bool = True) -> bool:
    """True for data that are one batch: an array or tensor, or (nested) lists of values."""
    if isinstance(data, (_ARRAYS, str, bytes)) or hasattr(data, "iloc"):
        return True
    return lists and isinstance(data, (list, tuple))


def batches(data: Any, steps: int | None = None) -> Iterator[Any]:
    """Elements of a dataset or iterable, at most ``steps`` of them; of tuples, the first part."""
    if hasattr(data, "__getitem__") and hasattr(data, "__len__") and not is_dataset(data):
        source: Any = (data[place] for place in range(len(data)))
    else:
        source = data
    for number, batch in enumerate(source):
        if steps is not None and number >= steps:
            return
        yield batch


def features(batch: Any) -> Any:
    """The inputs of a batch: the first part of a tuple."""
    return batch[0] if isinstance(batch, tuple) else batch
