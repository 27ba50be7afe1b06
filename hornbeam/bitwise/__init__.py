"""``tf.bitwise``: operations on the bits of integers."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.tensors.face import face

__all__ = ["bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift"]


@face
def bitwise_and(x: Any, y: Any, name: str | None = None) -> Any:
    """Bits that both have."""
    return ops.bitwise_and(x, y)


@face
def bitwise_or(x: Any, y: Any, name: str | None = None) -> Any:
    """Bits that at least one has."""
    return ops.bitwise_or(x, y)


@face
def bitwise_xor(x: Any, y: Any, name: str | None = None) -> Any:
    """Bits that exactly one has."""
    return ops.bitwise_xor(x, y)


@face
def invert(x: Any, name: str | None = None) -> Any:
    """All bits the other way round."""
    return ops.bitwise_not(x)


@face
def left_shift(x: Any, y: Any, name: str | None = None) -> Any:
    """Bits of ``x`` moved up by ``y`` places."""
    return ops.left_shift(x, y)


@face
def right_shift(x: Any, y: Any, name: str | None = None) -> Any:
    """Bits of ``x`` moved down by ``y`` places; the sign stays."""
    return ops.right_shift(x, y)
