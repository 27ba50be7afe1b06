"""Columns of tables as tensors, and as batches to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam.core.tensor import Tensor, from_host

_ROWS = 32
"""Single rows that are given to ``adapt`` of a preprocessing layer at once."""


def narrow_tensor(value: Any) -> Any:
    """Tensor of a value, numbers in 32 bits where they fit."""
    if isinstance(value, Tensor):
        return value
    array = np.asarray(value)
    if array.dtype == np.int64:
        array = array.astype(np.int32) if not array.size or np.abs(array).max() < 2**31 else array
    elif array.dtype == np.float64:
        array = array.astype(np.float32)
    return from_host(array)


def column(dataset: Any, name: str) -> Any:
    """One feature of a dataset as batches of shape (rows, 1)."""
    if isinstance(dataset, dict):
        array = np.asarray(dataset[name])
        return _Batches(lambda: (array[at : at + _ROWS] for at in range(0, len(array), _ROWS)))
    return _Batches(lambda: _grouped(element[name] for element in dataset))


def _grouped(values: Iterator[Any]) -> Iterator[np.ndarray]:
    """Single values in batches; batches as they are."""
    rows: list[Any] = []
    for value in values:
        array = value._value if isinstance(value, Tensor) and value.dtype == "string" else np.asarray(value)
        if array.ndim:
            yield array
            continue
        rows.append(array[()])
        if len(rows) == _ROWS:
            yield np.array(rows)
            rows = []
    if rows:
        yield np.array(rows)


class _Batches:
    """Batches that can be gone through again, each with an axis of size 1 behind."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Any]:
        for batch in self._make():
            yield batch[:, None] if batch.ndim == 1 else batch
