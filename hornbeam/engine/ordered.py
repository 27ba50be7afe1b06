"""Arrays that know in which order their axes lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax import lax

Order = tuple[int, ...]
"""Which logical axis lies where in memory: entry ``i`` is the logical axis of the ``i``-th physical one."""


class Value:
    """An array with its logical shape, held in one order of axes or more.

    Attributes:
        shape: logical shape.
        native: the order it was made in; None if it is yet to be made and any order is as good.
    """

    __slots__ = ("_held", "_make", "depth", "native", "shape")

    def __init__(
        self,
        shape: Sequence[int],
        array: Any = None,
        native: Order | None = None,
        make: Callable | None = None,
        depth: int = 0,
    ) -> None:
        self.shape, self.native, self.depth = tuple(shape), native, depth
        self._held: dict[Order, Any] = {} if native is None else {native: array}
        self._make = make

    def get(self, order: Order) -> Any:
        """The array with its axes in this order."""
        found = self._held.get(order)
        if found is not None:
            return found
        if self._held:
            held, array = next(iter(self._held.items()))
            array = lax.transpose(array, [held.index(axis) for axis in order])
        else:
            assert self._make is not None
            array = self._make(order)
            self.native, self._make = order, None
        self._held[order] = array
        return array

    @property
    def usual(self) -> Any:
        """The array in its logical order."""
        return self.get(usual_order(len(self.shape)))


def usual_order(rank: int) -> Order:
    """The order in which axes are numbered."""
    return tuple(range(rank))


def plain(array: Any) -> Value:
    """An array as it comes."""
    shape = np.shape(array)
    return Value(shape, array, usual_order(len(shape)))


def is_special(value: Value) -> bool:
    """True for a value that was made in another order than the usual one."""
    return value.native is not None and value.native != usual_order(len(value.shape))
