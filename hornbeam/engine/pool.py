"""Max and average pooling, chosen by platform.

On CPU, XLA's windowed reductions are slow, and their gradients 10 to 50 times slower than they need be. There,
maxima are taken over shifted slices; with gradients wanted, the place of the (first) maximum is kept as a byte and
the gradient is put back there. Averages are sums of slices axis by axis.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from hornbeam.engine import platform
from hornbeam.engine.conv_geometry import Pairs
from hornbeam.engine.unknown_sizes import are_known, padded

_MOST_TAPS = 64
_MOST_SUMMANDS = 16


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


def _lowest(dtype: np.dtype) -> object:
    return -np.inf if jnp.issubdtype(dtype, jnp.inexact) else jnp.iinfo(dtype).min


# --- maximum -------------------------------------------------------------------------------------
def max_pool(x: Array, window: Window) -> Array:
    """Largest element of each window; the gradient goes to the first of equal ones."""
    x, window = window.settled(x, _lowest(x.dtype))
    if not platform.is_cpu() or math.prod(window.sizes) > _MOST_TAPS or 0 in window.counts(x.shape):
        return lax.reduce_window(
            x,
            _lowest(x.dtype),
            lax.max,
            window.full(x.shape, window.sizes, 1),
            window.full(x.shape, window.strides, 1),
            window.full(x.shape, window.padding, (0, 0)),
        )
    return _max(x, window)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _max(x: Array, window: Window) -> Array:
    x, counts = window.fitted(x, _lowest(x.dtype)), window.counts(x.shape)
    if window.sizes == window.strides:
        x, inner = _split(x, window, counts)
        return jnp.max(x, axis=inner)
    return functools.reduce(lax.max, (_slice(x, window, place, counts) for place in _places(window)))


@_max.defjvp
def _max_jvp(window: Window, primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    """The tangent of the winner. It is linear in a form whose transpose (the gradient) is quick, too."""
    (x,), (slope,) = primals, tangents
    counts = window.counts(x.shape)
    x, slope = window.fitted(x, _lowest(x.dtype)), window.fitted(slope, 0)
    return (_apart if window.sizes == window.strides else _overlapping)(x, slope, window, counts)


def _apart(x: Array, slope: Array, window: Window, counts: Sequence[int]) -> tuple[Array, Array]:
    """Largest elements and their tangents, for windows side by side.

    As reshapes and reductions these run as fast alone as shifted slices do, and faster between other layers.
    """
    x, inner = _split(x, window, counts)
    slope, _ = _split(slope, window, counts)
    best = jnp.max(x, axis=inner)
    numbers = np.arange(math.prod(window.sizes), dtype=np.uint8).reshape(window.sizes)
    place = lax.broadcast_in_dim(jnp.asarray(numbers), x.shape, inner)
    winner = jnp.min(jnp.where(x == jnp.expand_dims(best, inner), place, jnp.uint8(255)), axis=inner)
    chosen = jnp.where(place == jnp.expand_dims(winner, inner), slope, jnp.zeros((), slope.dtype))
    return best, jnp.sum(chosen, axis=inner)


def _overlapping(x: Array, slope: Array, window: Window, counts: Sequence[int]) -> tuple[Array, Array]:
    """Largest elements and their tangents, for windows that share elements or skip some."""
    best = _slice(x, window, (0,) * len(counts), counts)
    winner = jnp.zeros(best.shape, jnp.uint8)
    for number, place in enumerate(_places(window)):
        if number:
            rival = _slice(x, window, place, counts)
            winner = jnp.where(rival > best, jnp.uint8(number), winner)
            best = lax.max(best, rival)
    chosen = jnp.zeros((), slope.dtype)
    for number, place in enumerate(_places(window)):
        part = _slice(slope, window, place, counts)
        chosen = chosen + jnp.where(winner == number, part, jnp.zeros((), slope.dtype))
    return best, chosen


def _places(window: Window) -> Sequence[tuple[int, ...]]:
    return list(itertools.product(*map(range, window.sizes)))


def _slice(x: Array, window: Window, place: Sequence[int], counts: Sequence[int]) -> Array:
    """The elements at one place of every window."""
    ends = [
        begin + (count - 1) * stride + 1 for begin, count, stride in zip(place, counts, window.strides, strict=True)
    ]
    return lax.slice(
        x,
        window.full(x.shape, place, 0),
        [end if end is not None else size for end, size in zip(window.full(x.shape, ends, None), x.shape, strict=True)],
        window.full(x.shape, window.strides, 1),
    )


def _split(x: Array, window: Window, counts: Sequence[int]) -> tuple[Array, tuple[int, ...]]:
    """Each axis of the window as two: windows, and places in them; with the axes of places."""
    shape: list[int] = []
    inner = []
    for axis, size in enumerate(x.shape):
        if axis in window.axes:
            shape += [counts[axis - window.first], window.sizes[axis - window.first]]
            inner.append(len(shape) - 1)
        else:
            shape.append(size)
    return x.reshape(shape), tuple(inner)


# --- average -------------------------------------------------------------------------------------
def average_pool(x: Array, window: Window) -> Array:
    """Mean of the elements of each window; padding does not count."""
    counts = window.counts(x.shape)
    total = _total(x, window, counts)
    if not any(map(any, window.padding)):
        return total / np.asarray(math.prod(window.sizes), x.dtype)
    # Unknown sizes are numbers of the device.
    maker = np if are_known(x.shape[axis] for axis in window.axes) else jnp
    divisor = maker.ones((), maker.int32)
    for axis, count, stride, (before, _), size in zip(
        window.axes, counts, window.strides, window.padding, window.sizes, strict=True
    ):
        begin = maker.arange(count) * stride - before
        inside = maker.minimum(begin + size, x.shape[axis]) - maker.maximum(begin, 0)
        divisor = divisor * maker.expand_dims(inside, [other for other in range(x.ndim) if other != axis])
    return total / divisor.astype(x.dtype)


def _total(x: Array, window: Window, counts: Sequence[int]) -> Array:
    """Sum of the elements of each window."""
    x, window = window.settled(x, 0)
    few = max(window.sizes) <= _MOST_SUMMANDS or window.sizes == window.strides
    if platform.is_cpu() and few and 0 not in counts:
        return _sums(window.fitted(x, 0), window, counts)
    return lax.reduce_window(
        x,
        np.zeros((), x.dtype),
        lax.add,
        window.full(x.shape, window.sizes, 1),
        window.full(x.shape, window.strides, 1),
        window.full(x.shape, window.padding, (0, 0)),
    )


def _sums(x: Array, window: Window, counts: Sequence[int]) -> Array:
    if window.sizes == window.strides:
        x, inner = _split(x, window, counts)
        return jnp.sum(x, axis=inner)
    for axis, size, stride, count in zip(window.axes, window.sizes, window.strides, counts, strict=True):
        x = sum(  # type: ignore[assignment]
            lax.slice_in_dim(x, begin, begin + (count - 1) * stride + 1, stride, axis) for begin in range(size)
        )
    return x


# --- to a given size -----------------------------------------------------------------------------
def _cells(size: int, count: int) -> list[tuple[int, int]]:
    """(begin, end) of ``count`` windows that cover an axis evenly; neighbours may share an element."""
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def adaptive_average_pool(x: Array, axes: Sequence[int], counts: Sequence[int]) -> Array:
    """Means over ``counts`` windows that cover the axes evenly."""
    for axis, count in zip(axes, counts, strict=True):
        size = x.shape[axis]
        if size % count == 0:
            x = jnp.mean(x.reshape(*x.shape[:axis], count, size // count, *x.shape[axis + 1 :]), axis=axis + 1)
            continue
        weights = np.zeros((count, size), np.float32)
        for row, (begin, end) in enumerate(_cells(size, count)):
            weights[row, begin:end] = 1 / (end - begin)
        out = jnp.tensordot(x, jnp.asarray(weights, x.dtype), ((axis,), (1,)), precision=lax.Precision.HIGHEST)
        x = jnp.moveaxis(out, -1, axis)
    return x


def adaptive_max_pool(x: Array, axes: Sequence[int], counts: Sequence[int]) -> Array:
    """Largest elements of ``counts`` windows that cover the axes evenly; gradients go to the first of equal ones."""
    for axis, count in reversed(list(zip(axes, counts, strict=True))):
        cells = _cells(x.shape[axis], count)
        width = max(end - begin for begin, end in cells)
        rows = np.asarray([[min(begin + i, end - 1) for i in range(width)] for begin, end in cells])
        parts = jnp.take(x, jnp.asarray(rows), axis=axis)
        place = jnp.expand_dims(jnp.argmax(lax.stop_gradient(parts), axis=axis + 1), axis + 1)
        x = jnp.squeeze(jnp.take_along_axis(parts, place, axis=axis + 1), axis + 1)
    return x
