"""Convolutions with few channels on CPU as products with the matrix of patches ("im2col").

XLA's own convolutions are slow where a window holds few numbers or filters are few: the first layers of networks.
Which of these forms pays was decided in whole training steps of small networks, not by timing single calls.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array, lax

from hornbeam.engine.conv_geometry import Geometry

_MOST_NUMBERS, _FEW_NUMBERS = 160, 48
_FEW_FILTERS = 16
_FEW_PLACES = 4
_LARGEST_MATRIX = 1 << 25
"""Elements of a matrix of patches, which takes as many times the memory of the input as the window has elements."""


def fits(x_shape: Sequence[int], w_shape: Sequence[int], spec: Geometry) -> bool:
    """True for a convolution that these functions take and speed up."""
    taps, channels, filters = math.prod(w_shape[:-2]), w_shape[-2], w_shape[-1]
    numbers = taps * channels
    pays = (numbers <= _FEW_NUMBERS and channels > 1) or (numbers <= _MOST_NUMBERS and filters <= _FEW_FILTERS)
    plain = spec.groups == 1 and set(spec.input_dilation) == {1} and min(map(min, spec.padding)) >= 0
    if not (pays and plain and taps > 1 and all(isinstance(size, int) for size in x_shape)):
        return False
    return x_shape[0] * math.prod(spec.out_sizes(x_shape[1:-1], w_shape[:-2])) * numbers <= _LARGEST_MATRIX


def _starts(window: Sequence[int], spec: Geometry) -> list[tuple[int, ...]]:
    """Where each element of the window meets the padded input first."""
    places = itertools.product(*map(range, window))
    return [tuple(at * gap for at, gap in zip(place, spec.kernel_dilation, strict=True)) for place in places]


def forward(x: Array, w: Array, spec: Geometry) -> Array:
    """The convolution; see ``conv.canonical``."""
    window, filters = w.shape[:-2], w.shape[-1]
    counts = spec.out_sizes(x.shape[1:-1], window)
    if any(map(any, spec.padding)):
        x = lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *((*pads, 0) for pads in spec.padding), (0, 0, 0)])
    parts = []
    for start in _starts(window, spec):
        ends = [
            begin + (count - 1) * stride + 1 for begin, count, stride in zip(start, counts, spec.strides, strict=True)
        ]
        parts.append(lax.slice(x, (0, *start, 0), (x.shape[0], *ends, x.shape[-1]), (1, *spec.strides, 1)))
    patches = jnp.concatenate(parts, -1)
    rows = jnp.matmul(patches.reshape(-1, patches.shape[-1]), w.reshape(-1, filters))
    return rows.reshape(x.shape[0], *counts, filters)


def has_few_places(x_shape: Sequence[int], w_shape: Sequence[int], spec: Geometry) -> bool:
    """True for a large window with gaps at few places: kernel gradients of strided and of transposed convolutions."""
    gaps = zip(spec.input_dilation, spec.kernel_dilation, strict=True)
    one_gap = max(spec.input_dilation + spec.kernel_dilation) > 1 and all(min(pair) == 1 for pair in gaps)
    sizes = (*x_shape, *w_shape)
    if spec.groups > 1 or not one_gap or 0 in sizes or not all(isinstance(size, int) for size in sizes):
        return False
    places, taps = math.prod(spec.out_sizes(x_shape[1:-1], w_shape[:-2])), math.prod(w_shape[:-2])
    return 0 < places <= _FEW_PLACES < taps


def _meeting(start: int, size: int, window: int, spread: int, gap: int) -> tuple[slice, slice]:
    """Which elements of an axis meet which of the window that starts at ``start`` of the spread-out axis.

    Element ``k`` of the axis lies at ``k * spread`` and element ``i`` of the window at ``start + i * gap``; one of
    both factors is 1.
    """
    if spread == 1:
        first, last = max(-(start // gap), 0), min((size - 1 - start) // gap, window - 1)
        of_x = slice(start + first * gap, start + last * gap + 1, gap)
        of_window = slice(first, last + 1, 1)
    else:
        first, last = max(-(-start // spread), 0), min((start + window - 1) // spread, size - 1)
        of_x = slice(first, last + 1, 1)
        of_window = slice(first * spread - start, last * spread - start + 1, spread)
    return (of_x, of_window) if last >= first else (slice(0, 0, 1), slice(0, 0, 1))


def place_by_place(x: Array, w: Array, spec: Geometry) -> Array:
    """A convolution as one long product for each place of the window."""
    window, sizes = w.shape[:-2], x.shape[1:-1]
    counts = spec.out_sizes(sizes, window)
    summed = (tuple(range(1, x.ndim)), tuple(range(w.ndim - 1)))
    rows = []
    for place in itertools.product(*map(range, counts)):
        starts = [at * stride - pads[0] for at, stride, pads in zip(place, spec.strides, spec.padding, strict=True)]
        axes = zip(starts, sizes, window, spec.input_dilation, spec.kernel_dilation, strict=True)
        of_x, of_window = zip(*(_meeting(*axis) for axis in axes), strict=True)
        part, taps = x[(slice(None), *of_x)], w[of_window]
        rows.append(lax.dot_general(part, taps, (summed, ((), ()))))
    return jnp.stack(rows, 1).reshape(x.shape[0], *counts, w.shape[-1])


def spreads(x_shape: Sequence[int], w_shape: Sequence[int], spec: Geometry) -> bool:
    """True for a convolution, an input's gradient as a rule, that ``spread`` takes and speeds up."""
    taps, channels, filters = math.prod(w_shape[:-2]), w_shape[-2], w_shape[-1]
    numbers = taps * filters
    pays = (numbers <= _FEW_NUMBERS and filters > 1) or (numbers <= _MOST_NUMBERS and channels <= _FEW_FILTERS)
    fitting = spec.groups == 1 and set(spec.strides) == {1} and set(spec.kernel_dilation) == {1}
    if not (pays and fitting and taps > 1 and all(isinstance(size, int) for size in x_shape)):
        return False
    # The result is about as large as the input or larger: each patch goes back to where it was taken from.
    grows = all(sum(pads) >= k - 1 for pads, k in zip(spec.padding, w_shape[:-2], strict=True))
    return grows and math.prod(x_shape[:-1]) * numbers <= _LARGEST_MATRIX


def spread(x: Array, w: Array, spec: Geometry) -> Array:
    """A convolution as the sum of what each element of the input adds to the result."""
    window, (channels, filters) = w.shape[:-2], w.shape[-2:]
    outs = spec.out_sizes(x.shape[1:-1], window)
    starts = _starts(window, spec)
    kernel = jnp.moveaxis(w, -2, 0).reshape(channels, -1)
    # 16-bit floats would be rounded at every element of the window.
    wide = jnp.promote_types(x.dtype, jnp.float32)
    rows = jnp.matmul(x.reshape(-1, channels), kernel, preferred_element_type=wide)
    rows = rows.reshape(*x.shape[:-1], len(starts), filters)
    total = jnp.zeros((), wide)
    for number, start in enumerate(starts):
        config = []
        places = zip(start, outs, x.shape[1:-1], spec.padding, spec.input_dilation, strict=True)
        for at, out, size, (before, _), gap in places:
            low = before - at
            config.append((low, out - low - (size - 1) * gap - 1, gap - 1))
        part = rows[..., number, :]
        total = total + lax.pad(part, jnp.zeros((), part.dtype), [(0, 0, 0), *config, (0, 0, 0)])
    return total.astype(x.dtype)
