"""Sparse tensors as elements: cut into rows, and rows put together."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from hornbeam.base.errors import explain
from hornbeam.core.tensor import HostTensor, from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.sparse.spec import SparseTensorSpec
from hornbeam.sparse.tensor import SparseTensor


def is_sparse(value: Any) -> bool:
    """True for sparse tensors."""
    return isinstance(value, SparseTensor)


def sparse_spec(value: SparseTensor) -> SparseTensorSpec:
    """Spec of a sparse tensor."""
    return SparseTensorSpec.from_value(value)


def sparse_rows(value: SparseTensor) -> list[SparseTensor]:
    """The parts of a sparse tensor along its first axis."""
    order = np.lexsort(value._indices.T[::-1])
    indices, values = value._indices[order], value.values.numpy()[order]
    ends = np.searchsorted(indices[:, 0], np.arange(int(value._sizes[0]) + 1))
    return [
        SparseTensor(indices[start:stop, 1:], _values(values[start:stop]), value._sizes[1:])
        for start, stop in itertools.pairwise(ends)
    ]


def sparse_batch(items: list[SparseTensor]) -> SparseTensor:
    """Sparse tensors of one shape as one with an axis more.

    Raises:
        InvalidArgumentError: the shapes differ.
    """
    shapes = [tuple(item._sizes.tolist()) for item in items]
    if len(set(shapes)) > 1:
        raise InvalidArgumentError(
            None,
            None,
            explain(
                "Dataset.batch(): sparse elements of one batch differ in shape.",
                expected=f"equal shapes, as that of element 0, {shapes[0]}",
                received=str(sorted(set(shapes))[:4]),
                fix="tf.sparse.reset_shape in a map(), or tf.sparse.to_dense and padded_batch()",
            ),
        )
    indices = [
        np.concatenate([np.full((len(item._indices), 1), place, np.int64), item._indices], axis=1)
        for place, item in enumerate(items)
    ]
    values = np.concatenate([item.values.numpy() for item in items])
    return SparseTensor(np.concatenate(indices), _values(values), [len(items), *shapes[0]])


def _values(array: np.ndarray) -> Any:
    return HostTensor(array) if array.dtype == object else from_host(array)
