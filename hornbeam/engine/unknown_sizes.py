"""Sizes that are symbols: a program that is written for any size of its inputs computes with them as with numbers.

They cannot be compared in general; whoever needs the larger of two gets an expression.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Sequence
from typing import Any

import jax.core
import jax.numpy as jnp
from jax import Array, lax

__all__ = ["are_known", "not_below", "padded"]


def are_known(sizes: Iterable[Any]) -> bool:
    """True if all sizes are numbers."""
    return all(isinstance(size, numbers.Integral) for size in sizes)


def not_below(size: Any, least: int) -> Any:
    """The larger of a size, known or not, and a number."""
    return max(size, least) if are_known([size]) else jax.core.max_dim(size, least)


def padded(x: Array, pads: Sequence[tuple[Any, Any]], first: int, fill: Any = 0) -> Array:
    """An array with (before, after) elements more on the axes from ``first`` on; negative numbers cut off."""
    config = [(0, 0, 0)] * x.ndim
    for axis, (before, after) in enumerate(pads, first):
        config[axis] = (before, after, 0)
    return lax.pad(x, jnp.asarray(fill, x.dtype), config)
