"""``tf.compat``'s helpers for sizes: TensorFlow 1 had objects for them, now they are numbers or None."""

from __future__ import annotations

from typing import Any

from hornbeam.base.shapes import TensorShape

__all__ = ["dimension_at_index", "dimension_value"]


def dimension_value(dimension: Any) -> int | None:
    """A size as a number, None if it is unknown."""
    return getattr(dimension, "value", dimension)


def dimension_at_index(shape: Any, index: int) -> int | None:
    """A size of a shape; None if it is unknown, or if all of the shape is."""
    shape = TensorShape(shape)
    return None if shape.rank is None else shape[index]
