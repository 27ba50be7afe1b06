"""Depthwise convolutions on CPU, as sums of shifted products: 5 to 20 times faster there than grouped convolutions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from hornbeam.engine.conv_geometry import Geometry

_MOST_TAPS = 64


def fits(x_shape: Sequence[int], w_shape: Sequence[int], spec: Geometry) -> bool:
    """True for a convolution that these functions take and speed up."""
    simple = all(
        gap == 1 or (stride == spread == 1)
        for gap, stride, spread in zip(spec.input_dilation, spec.strides, spec.kernel_dilation, strict=True)
    )
    one_per_group = w_shape[-2] == 1 and spec.groups == x_shape[-1] > 1
    return one_per_group and simple and math.prod(w_shape[:-2]) <= _MOST_TAPS


def forward(x: Array, w: Array, spec: Geometry) -> Array:
    """The convolution; see ``conv.canonical``."""
    sizes = spec.out_sizes(x.shape[1:-1], w.shape[:-2])
    wide = _sum_type(x.dtype)
    return _phases(x.astype(wide), w.astype(wide), spec, sizes, ()).astype(x.dtype)


def _sum_type(dtype: Any) -> Any:
    """What sums are kept in: 16-bit floats would be rounded at every element of the window."""
    return jnp.float32 if dtype in (jnp.float16, jnp.bfloat16) else dtype


def _phases(x: Array, w: Array, spec: Geometry, sizes: tuple[int, ...], done: tuple[tuple, ...]) -> Array:
    """Sum over the window, where a spread-out input gives every ``gap`` th result a part of the window of its own.

    ``done`` holds, for the axes so far, (first window element, offset of the input, number of results).
    """
    axis = len(done)
    if axis == len(sizes):
        return _shifted(x, w, spec, done)
    gap, (before, _), size = spec.input_dilation[axis], spec.padding[axis], sizes[axis]
    if gap == 1:
        return _phases(x, w, spec, sizes, (*done, (0, -before, size)))
    count = -(-size // gap)
    parts = []
    for phase in range(gap):
        first = (before - phase) % gap
        parts.append(_phases(x, w, spec, sizes, (*done, (first, (phase - before + first) // gap, count))))
    out = jnp.stack(parts, axis + 2)
    out = out.reshape(*out.shape[: axis + 1], count * gap, *out.shape[axis + 3 :])
    return lax.slice_in_dim(out, 0, size, axis=axis + 1)


def _shifted(x: Array, w: Array, spec: Geometry, starts: tuple[tuple, ...]) -> Array:
    channels = x.shape[-1]
    counts = tuple(count for _, _, count in starts)
    taps = [range(first, k, gap) for (first, _, _), k, gap in zip(starts, w.shape, spec.input_dilation, strict=False)]
    reach = [
        (offset, offset + (count - 1) * stride + max(len(tap) - 1, 0) * spread)
        for (_, offset, count), stride, spread, tap in zip(
            starts, spec.strides, spec.kernel_dilation, taps, strict=True
        )
    ]
    x = _cut(x, reach)
    multiplier = w.shape[-1] // channels
    total = None
    for places in itertools.product(*(enumerate(tap) for tap in taps)):
        moved = _window(x, [place for place, _ in places], counts, spec)
        factor = w[tuple(tap for _, tap in places)].reshape(channels, multiplier)
        # One filter per channel is the common case; the axis of filters would cost it vector registers.
        part = moved * factor[:, 0] if multiplier == 1 else moved[..., None] * factor
        total = part if total is None else total + part
    if total is None:
        return jnp.zeros((x.shape[0], *counts, w.shape[-1]), x.dtype)
    return total if multiplier == 1 else total.reshape(*total.shape[:-2], w.shape[-1])


def _cut(x: Array, reach: Sequence[tuple[int, int]]) -> Array:
    """The part of ``x`` from the first to the last index of each spatial axis, zeros where it has none."""
    pads = [(-low, high - size + 1, 0) for (low, high), size in zip(reach, x.shape[1:-1], strict=True)]
    if not any(before or after for before, after, _ in pads):
        return x
    return lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *pads, (0, 0, 0)])


def _window(x: Array, places: Sequence[int], counts: Sequence[int], spec: Geometry) -> Array:
    """The elements that meet one element of the window."""
    begins = [place * spread for place, spread in zip(places, spec.kernel_dilation, strict=True)]
    ends = [begin + (count - 1) * stride + 1 for begin, count, stride in zip(begins, counts, spec.strides, strict=True)]
    return lax.slice(x, (0, *begins, 0), (x.shape[0], *ends, x.shape[-1]), (1, *spec.strides, 1))


def kernel_gradient(dy: Array, x: Array, w_shape: Sequence[int], spec: Geometry) -> Array:
    """Gradient of the kernel, image by image.

    Reductions over batch and space of each shifted product would run far below the speed of memory; here each
    element of the window collects products in an array of its own, which is added up once at the end.
    """
    given, wide = dy.dtype, _sum_type(dy.dtype)
    dy, x = dy.astype(wide), x.astype(wide)
    if max(spec.input_dilation) > 1:
        zero = jnp.zeros((), x.dtype)
        x = lax.pad(x, zero, [(0, 0, 0), *((0, 0, gap - 1) for gap in spec.input_dilation), (0, 0, 0)])
    window, counts = w_shape[:-2], dy.shape[1:-1]
    multiplier = w_shape[-1] // x.shape[-1]
    reach = [
        (-before, -before + (count - 1) * stride + (k - 1) * spread)
        for (before, _), count, stride, k, spread in zip(
            spec.padding, counts, spec.strides, window, spec.kernel_dilation, strict=True
        )
    ]
    x = _cut(x, reach)
    offsets = list(itertools.product(*map(range, window)))
    dy = dy.reshape(*dy.shape[:-1], x.shape[-1], multiplier) if multiplier > 1 else dy

    def add_image(index: Array, sums: list[Array]) -> list[Array]:
        image, slope = (lax.dynamic_slice_in_dim(array, index, 1, 0) for array in (x, dy))
        return [
            total + (part[..., None] if multiplier > 1 else part)[0] * slope[0]
            for total, part in zip(sums, (_window(image, place, counts, spec) for place in offsets), strict=True)
        ]

    sums = [jnp.zeros(dy.shape[1:], dy.dtype) for _ in offsets]
    sums = lax.fori_loop(0, x.shape[0], add_image, sums)
    space = tuple(range(len(counts)))
    return jnp.stack([jnp.sum(total, axis=space) for total in sums]).reshape(tuple(w_shape)).astype(given)
