"""Ragged tensors as plain arrays, for data sets on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.core.spec import TensorSpec
from hornbeam.data.structure import host_leaf, to_tensors
from hornbeam.ragged.spec import RaggedTensorSpec
from hornbeam.ragged.tensor import RaggedTensor

__all__ = ["encode_ragged", "is_ragged", "loose_ragged", "ragged_from", "spec_from", "spec_parts"]

_VALUES = "values."


def is_ragged(items: list[Any]) -> bool:
    """True if all elements of a column are ragged tensors with equally many ragged axes."""
    return all(isinstance(item, RaggedTensor) for item in items) and len({item.ragged_rank for item in items}) == 1


def encode_ragged(items: list[Any], encode: Callable) -> dict[str, np.ndarray]:
    """Arrays by name: the splits of each ragged axis, and the values below all of them."""
    arrays: dict[str, np.ndarray] = {"ragged": np.array(items[0].ragged_rank, np.int64)}
    for axis in range(items[0].ragged_rank):
        splits = [item.nested_row_splits[axis].numpy() for item in items]
        arrays[f"splits{axis}"] = np.concatenate(splits)
        arrays[f"ends{axis}"] = np.cumsum([len(part) for part in splits])
    values = encode([np.asarray(host_leaf(item.flat_values)) for item in items])
    return arrays | {_VALUES + name: array for name, array in values.items()}


def ragged_from(arrays: dict[str, np.ndarray], decode: Callable) -> list[RaggedTensor]:
    """The elements of `encode_ragged`."""
    flat = decode({name[len(_VALUES) :]: array for name, array in arrays.items() if name.startswith(_VALUES)})
    axes = range(int(arrays["ragged"]))
    parts = [np.split(arrays[f"splits{axis}"], arrays[f"ends{axis}"][:-1]) for axis in axes]
    values = to_tensors([np.asarray(item) for item in flat])
    return [
        RaggedTensor.from_nested_row_splits(item, [parts[axis][place] for axis in axes])
        for place, item in enumerate(values)
    ]


def spec_parts(spec: Any) -> list[Any]:
    """What JSON keeps of a spec."""
    sizes = None if spec.shape.rank is None else list(spec.shape)
    if isinstance(spec, RaggedTensorSpec):
        return [sizes, spec.dtype.name, spec.ragged_rank, spec.row_splits_dtype.name]
    return [sizes, spec.dtype.name]


def spec_from(parts: list[Any]) -> Any:
    """The spec of `spec_parts`."""
    return TensorSpec(*parts) if len(parts) == 2 else RaggedTensorSpec(*parts)


def loose_ragged(one: RaggedTensorSpec, other: Any) -> Any:
    """A spec that both fit, with unknown sizes where they differ."""
    if not isinstance(other, RaggedTensorSpec) or one.shape.rank is None or other.shape.rank != one.shape.rank:
        return one
    sizes = [a if a == b else None for a, b in zip(one.shape, other.shape, strict=True)]
    return RaggedTensorSpec(sizes, one.dtype, one.ragged_rank, one.row_splits_dtype)
