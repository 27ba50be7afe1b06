"""Average and adaptive pooling, chosen by platform.

On CPU, XLA's windowed reductions are slow, and their gradients 10 to 50 times slower than they need be. There,
averages are sums of slices axis by axis. Maxima have a file of their own (``engine.max_pool``).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from hornbeam.engine import platform
from hornbeam.engine.unknown_sizes import are_known
from hornbeam.engine.window import Window

_MOST_SUMMANDS = 16


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
        return _sums(window.fitted(x, 0), replace(window, padding=((0, 0),) * len(window.sizes)), counts)
    return lax.reduce_window(
        x,
        np.zeros((), x.dtype),
        lax.add,
        window.full(x.shape, window.sizes, 1),
        window.full(x.shape, window.strides, 1),
        window.full(x.shape, window.padding, (0, 0)),
    )


def _sums(x: Array, window: Window, counts: Sequence[int]) -> Array:
    are_apart = window.sizes == window.strides
    # Half precision is added up in full by a reduction only.
    if math.prod(window.sizes) <= _MOST_SUMMANDS and x.dtype in (jnp.float32, jnp.float64):
        return _sums_of_neighbours(x, window) if are_apart else _added(x, window)
    if are_apart:
        return _reduced(x, window)
    for axis, size, stride, count in zip(window.axes, window.sizes, window.strides, counts, strict=True):
        x = sum(  # type: ignore[assignment]
            lax.slice_in_dim(x, begin, begin + (count - 1) * stride + 1, stride, axis) for begin in range(size)
        )
    return x


def _reduced(x: Array, window: Window) -> Array:
    x, inner = window.split(x, window.counts(x.shape))
    return jnp.sum(x, axis=inner)


def _added(x: Array, window: Window) -> Array:
    counts = window.counts(x.shape)
    return sum(window.elements_at(place, x, counts) for place in window.places())  # type: ignore[return-value]


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _sums_of_neighbours(x: Array, window: Window) -> Array:
    """Sums over windows side by side, in half the time of a reduction."""
    return _added(x, window)


@_sums_of_neighbours.defjvp
def _slope(window: Window, primals: Sequence[Array], tangents: Sequence[Array]) -> tuple[Array, Array]:
    # The transpose of a reduction repeats elements, which joins other passes; that of slices adds padded arrays.
    return _sums_of_neighbours(primals[0], window), _reduced(tangents[0], window)


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
