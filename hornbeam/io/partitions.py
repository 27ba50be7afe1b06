"""How the values of a ``RaggedFeature`` are cut into rows: ``RaggedFeature.RowLengths`` and its like."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["RowLengths", "RowLimits", "RowSplits", "RowStarts", "UniformRowLength", "ValueRowIds", "lengths_of"]


class RowSplits(NamedTuple):
    """Where rows start and end.

    Attributes:
        key: feature with these places.
    """

    key: str


class RowLengths(NamedTuple):
    """The length of each row.

    Attributes:
        key: feature with the lengths.
    """

    key: str


class RowStarts(NamedTuple):
    """Where each row starts.

    Attributes:
        key: feature with these places.
    """

    key: str


class RowLimits(NamedTuple):
    """Where each row ends.

    Attributes:
        key: feature with these places.
    """

    key: str


class ValueRowIds(NamedTuple):
    """The row of each value.

    Attributes:
        key: feature with the row numbers.
    """

    key: str


class UniformRowLength(NamedTuple):
    """One length for all rows.

    Attributes:
        length: that length.
    """

    length: int


def lengths_of(partition: NamedTuple, numbers: np.ndarray, count: int) -> np.ndarray:
    """Row lengths that a partition's feature stands for.

    Args:
        partition: one of the classes above that have a `key`.
        numbers: what the feature holds.
        count: how many values there are to cut.
    """
    if isinstance(partition, RowLengths):
        return numbers
    if isinstance(partition, ValueRowIds):
        return np.bincount(numbers) if len(numbers) else np.zeros(0, np.int64)
    if isinstance(partition, RowLimits):
        numbers = np.insert(numbers, 0, 0)
    elif isinstance(partition, RowStarts):
        numbers = np.append(numbers, count)
    return np.diff(numbers)
