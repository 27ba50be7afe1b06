"""Windows that slide over an array, as pooling takes them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from jax import Array, lax

from hornbeam.engine.conv_geometry import Pairs
from hornbeam.engine.unknown_sizes import are_known, padded


@dataclass(frozen=True)
class Window:
    """A pooling window over consecutive axes of an array.

    Attributes:
        first: the first of the axes.
        sizes: size of the window per axis.
        strides: step of the window per axis.
        padding: (before, after) per axis.
    """

    first: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Pairs

    @property
    def axes(self) -> range:
        """The axes that the window covers."""
        return range(self.first, self.first + len(self.sizes))

    def counts(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Number of places of the window per axis."""
        return tuple(
            max(0, (shape[axis] + sum(pads) - size) // stride + 1)
            for axis, size, stride, pads in zip(self.axes, self.sizes, self.strides, self.padding, strict=True)
        )

    def full(self, shape: Sequence[int], values: Sequence, other: object) -> list:
        """``values`` for the window's axes, ``other`` for the rest."""
        return [values[axis - self.first] if axis in self.axes else other for axis in range(len(shape))]

    def fitted(self, x: Array, fill: object) -> Array:
        """``x`` padded, and cut to what the window reaches."""
        places = zip(self.axes, self.sizes, self.strides, self.padding, self.counts(x.shape), strict=True)
        pads = [
            (before, (count - 1) * stride + size - before - x.shape[axis])
            for axis, size, stride, (before, _), count in places
        ]
        return padded(x, pads, self.first, fill) if any(map(any, pads)) else x

    def settled(self, x: Array, fill: object) -> tuple[Array, Window]:
        """``x`` and window as XLA takes them: padding of unknown size becomes elements of ``x``."""
        if are_known(itertools.chain(*self.padding)):
            return x, self
        return self.fitted(x, fill), Window(self.first, self.sizes, self.strides, ((0, 0),) * len(self.sizes))

    def places(self) -> list[tuple[int, ...]]:
        """All places in the window, in the order of memory."""
        return list(itertools.product(*map(range, self.sizes)))

    def elements_at(self, place: Sequence[int], x: Array, counts: Sequence[int]) -> Array:
        """The elements at one place of every window, of an array without padding."""
        ends = [
            begin + (count - 1) * stride + 1 for begin, count, stride in zip(place, counts, self.strides, strict=True)
        ]
        return lax.slice(
            x,
            self.full(x.shape, place, 0),
            [
                end if end is not None else size
                for end, size in zip(self.full(x.shape, ends, None), x.shape, strict=True)
            ],
            self.full(x.shape, self.strides, 1),
        )

    def split(self, x: Array, counts: Sequence[int]) -> tuple[Array, tuple[int, ...]]:
        """Each axis of the window as two: windows, and places in them; with the axes of places."""
        shape: list[int] = []
        inner = []
        for axis, size in enumerate(x.shape):
            if axis in self.axes:
                shape += [counts[axis - self.first], self.sizes[axis - self.first]]
                inner.append(len(shape) - 1)
            else:
                shape.append(size)
        return x.reshape(shape), tuple(inner)
