"""Shapes of sequences that are nestings of tensors, and of states that are more than vectors."""

from __future__ import annotations

from typing import Any

from hornbeam.base import trees
from hornbeam.base.shapes import TensorShape


def of_step(sequences_shape: Any) -> Any:
    """Shape of one step: the time axis taken out of each shape of a nesting."""
    if isinstance(sequences_shape, dict):
        return {key: of_step(shape) for key, shape in sequences_shape.items()}
    if _is_shape(sequences_shape):
        return (sequences_shape[0], *tuple(sequences_shape)[2:])
    return type(sequences_shape)(of_step(shape) for shape in sequences_shape)


def first(sequences_shape: Any) -> Any:
    """The first shape of a nesting."""
    if isinstance(sequences_shape, dict):
        return first(sequences_shape[trees.sorted_keys(sequences_shape)[0]])
    return sequences_shape if _is_shape(sequences_shape) else first(sequences_shape[0])


def with_batch(size: Any, *axes: Any) -> Any:
    """Shapes with leading axes, for a size: an integer, a ``TensorShape`` of one sample, or a nesting of these."""
    if isinstance(size, TensorShape):
        return (*axes, *size)
    if isinstance(size, (list, tuple)):
        return type(size)(with_batch(inner, *axes) for inner in size)
    return (*axes, size)


def count(size: Any) -> int:
    """How many tensors a size stands for."""
    if isinstance(size, (list, tuple)) and not isinstance(size, TensorShape):
        return sum(count(inner) for inner in size)
    return 1


def _is_shape(structure: Any) -> bool:
    return isinstance(structure, (list, tuple)) and not any(isinstance(one, (list, tuple, dict)) for one in structure)
