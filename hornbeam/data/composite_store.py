"""Ragged and sparse tensors as plain arrays, and specs as plain lists, for data sets on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.core.spec import TensorSpec
from hornbeam.data.structure import RowSpec, host_leaf, to_tensors
from hornbeam.ragged.spec import RaggedTensorSpec
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.sparse.spec import SparseTensorSpec
from hornbeam.sparse.tensor import SparseTensor

__all__ = ["composite_from", "encode_composite", "is_composite", "spec_from", "spec_parts"]

_VALUES = "values."


def is_composite(items: list[Any]) -> bool:
    """True if all elements of a column are sparse, or all are ragged tensors with equally many ragged axes."""
    if all(isinstance(item, RaggedTensor) for item in items):
        return len({item.ragged_rank for item in items}) == 1
    return all(isinstance(item, SparseTensor) for item in items)


def encode_composite(items: list[Any], encode: Callable) -> dict[str, np.ndarray]:
    """Arrays by name: where the values of each element lie, and the values (by `encode`)."""
    arrays: dict[str, np.ndarray] = {}
    if isinstance(items[0], SparseTensor):
        indices = [item.indices.numpy() for item in items]
        arrays["sparse"] = np.stack([item.dense_shape.numpy() for item in items])
        arrays["indices"] = np.concatenate(indices)
        arrays["ends"] = np.cumsum([len(part) for part in indices])
        flat = [item.values for item in items]
    else:
        arrays["ragged"] = np.array(items[0].ragged_rank, np.int64)
        for axis in range(items[0].ragged_rank):
            splits = [item.nested_row_splits[axis].numpy() for item in items]
            arrays[f"splits{axis}"] = np.concatenate(splits)
            arrays[f"ends{axis}"] = np.cumsum([len(part) for part in splits])
        flat = [item.flat_values for item in items]
    values = encode([np.asarray(host_leaf(item)) for item in flat])
    return arrays | {_VALUES + name: array for name, array in values.items()}


def composite_from(arrays: dict[str, np.ndarray], decode: Callable) -> list[Any] | None:
    """The elements of `encode_composite`; None for arrays of another kind."""
    if "ragged" not in arrays and "sparse" not in arrays:
        return None
    flat = decode({name[len(_VALUES) :]: array for name, array in arrays.items() if name.startswith(_VALUES)})
    values = to_tensors([np.asarray(item) for item in flat])
    if "sparse" in arrays:
        indices = np.split(arrays["indices"], arrays["ends"][:-1])
        return [SparseTensor(*parts) for parts in zip(indices, values, arrays["sparse"], strict=True)]
    axes = range(int(arrays["ragged"]))
    splits = [np.split(arrays[f"splits{axis}"], arrays[f"ends{axis}"][:-1]) for axis in axes]
    return [
        RaggedTensor.from_nested_row_splits(item, [splits[axis][place] for axis in axes])
        for place, item in enumerate(values)
    ]


def spec_parts(spec: Any) -> list[Any]:
    """What JSON keeps of a spec.

    Raises:
        NotSupportedError: elements of that kind are not stored.
    """
    if not isinstance(spec, (TensorSpec, RaggedTensorSpec, SparseTensorSpec)):
        raise NotSupportedError(
            explain(
                "Only tensors are stored in a data set on disk.",
                expected="elements of dense, ragged and sparse tensors",
                received=repr(spec),
                fix="turn these parts of the elements into tensors first, in a map()",
            )
        )
    sizes = None if spec.shape.rank is None else list(spec.shape)
    if isinstance(spec, RaggedTensorSpec):
        return [sizes, spec.dtype.name, spec.ragged_rank, spec.row_splits_dtype.name]
    if isinstance(spec, SparseTensorSpec):
        return [sizes, spec.dtype.name, "sparse"]
    return [sizes, spec.dtype.name, "row"] if isinstance(spec, RowSpec) else [sizes, spec.dtype.name]


def spec_from(parts: list[Any]) -> Any:
    """The spec of `spec_parts`."""
    if len(parts) == 4:
        return RaggedTensorSpec(*parts)
    kinds: dict[str, type] = {"row": RowSpec, "sparse": SparseTensorSpec}
    return TensorSpec(*parts) if len(parts) == 2 else kinds[parts[2]](*parts[:2])
