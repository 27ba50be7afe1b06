"""Convolutions on arrays whose batch axis is the last in memory.

With few channels, (batch, space, channels) leaves vector registers mostly empty, and a matrix of patches needs a
transpose on either side. With the batch last, every shift of the window is a copy of long runs, elementwise work is
full width whatever the number of channels, and a convolution is one matrix product between arrays that already lie
right: ``kernel (filters, window * channels) @ patches (window * channels, space * batch)``.

``engine.layout`` decides when programs use these forms.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from hornbeam.engine.conv_geometry import Geometry
from hornbeam.engine.ordered import Order

MOST_CHANNELS = 64
"""Channels up to which a convolution may run with the batch last."""
WIDEST = 30
"""Channels, in the mean over a program, above which (batch, space, channels) is as quick."""
_LARGEST_MATRIX = 1 << 22
"""Elements of a matrix of patches; larger ones leave the processor's cache and lose what they gain."""
_MOST_TAPS = 128


def _count(x: Sequence[int], w: Sequence[int], spec: Geometry) -> tuple[int, int, int]:
    """Elements of the window, of the result's space, and of the input's space."""
    return math.prod(w[:-2]), math.prod(spec.out_sizes(x[1:-1], w[:-2])), math.prod(x[1:-1])


def width(x: Sequence[int], w: Sequence[int], spec: Geometry) -> tuple[int, int] | None:
    """Channels (the more of input and output), and elements of input and output; None if there is no good form."""
    if spec.groups != 1 or 0 in x or 0 in w or not all(isinstance(size, int) for size in x):
        return None
    form = _form(x, w, spec)
    if form is None:
        return None
    taps, outs, ins = _count(x, w, spec)
    if form is _kernel_gradient:
        samples, channels, filters = x[-1], x[0], w[-1]
        # What it calls the window is the result's space.
        size, elements = outs * channels * taps * samples, samples * (channels * ins + filters * taps)
    else:
        samples, channels, filters = x[0], x[-1], w[-1]
        size = taps * samples * (channels * outs if form is _forward else filters * ins)
        elements = samples * (channels * ins + filters * outs)
    widest = max(channels, filters)
    return (widest, elements) if samples >= 8 and widest <= MOST_CHANNELS and size <= _LARGEST_MATRIX else None


def _form(x: Sequence[int], w: Sequence[int], spec: Geometry) -> Callable | None:
    taps, outs, ins = _count(x, w, spec)
    dense = set(spec.input_dilation) == {1}
    if outs and taps > outs and outs <= _MOST_TAPS:
        return _kernel_gradient if dense else None
    if not outs or taps > _MOST_TAPS:
        return None
    if set(spec.strides) == {1} and (not dense or w[-1] * ins < w[-2] * outs):
        return _scattered
    return _forward if dense else None


def conv(
    x: Callable[[Order], Array], w: Callable[[Order], Array], shapes: tuple, spec: Geometry
) -> tuple[Array, Order] | None:
    """A convolution with operands taken in the order of axes that suits; returns the result and its order.

    Args:
        x: gives the input, logically (batch, *space, channels), in the order asked for.
        w: gives the kernel, logically (*window, channels, filters), in the order asked for.
        shapes: their logical shapes.
        spec: the window.

    Returns:
        The result and its order, or None if there is no such form.
    """
    x_shape, w_shape = shapes
    form = _form(x_shape, w_shape, spec)
    return form(x, w, shapes, spec) if form is not None else None


def _patches(
    x: Array, outer: Sequence[int], inner: Sequence[int], outer_steps: Sequence[int], inner_steps: Sequence[int]
) -> Array:
    """For each outer place the elements at all inner places of the middle axes: (outer, first, *inner, last)."""
    parts = []
    for place in itertools.product(*map(range, outer)):
        begins = [at * step for at, step in zip(place, outer_steps, strict=True)]
        ends = [begin + (count - 1) * step + 1 for begin, count, step in zip(begins, inner, inner_steps, strict=True)]
        parts.append(lax.slice(x, (0, *begins, 0), (x.shape[0], *ends, x.shape[-1]), (1, *inner_steps, 1)))
    return jnp.stack(parts) if len(parts) > 1 else parts[0][None]


def _padded(x: Array, spec: Geometry) -> Array:
    if not any(map(any, spec.padding)):
        return x
    return lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *((*pads, 0) for pads in spec.padding), (0, 0, 0)])


def _forward(x: Callable, w: Callable, shapes: tuple, spec: Geometry) -> tuple[Array, Order]:
    """Kernel times patches."""
    x_shape, w_shape = shapes
    last, space = len(x_shape) - 1, tuple(range(1, len(x_shape) - 1))
    window, (channels, filters) = w_shape[:-2], w_shape[-2:]
    outs = spec.out_sizes(x_shape[1:-1], window)
    source = _padded(x((last, *space, 0)), spec)
    patches = _patches(source, window, outs, spec.kernel_dilation, spec.strides)
    kernel = w((last, *range(last))).reshape(filters, -1)
    out = kernel @ patches.reshape(math.prod(window) * channels, -1)
    return out.reshape(filters, *outs, x_shape[0]), (last, *space, 0)


def _scattered(x: Callable, w: Callable, shapes: tuple, spec: Geometry) -> tuple[Array, Order]:
    """Each element of the kernel times the input, shifted to where it counts, and summed."""
    x_shape, w_shape = shapes
    last, space = len(x_shape) - 1, tuple(range(1, len(x_shape) - 1))
    window, (channels, filters) = w_shape[:-2], w_shape[-2:]
    outs = spec.out_sizes(x_shape[1:-1], window)
    kernel = w((*range(last - 1), last, last - 1)).reshape(-1, channels)
    array, shift = x((last, *space, 0)), spec.kernel_dilation[-1] * x_shape[0]
    source = _made_once(lambda: _rows(array, window[-1], outs[-1], spec), kernel[0, 0])
    products = (kernel @ source.reshape(channels, -1)).reshape(*window, filters, -1)
    rest = x_shape[1:-2]

    def along_rows() -> list[Array]:
        """Sums over the last axis of the window, for each place of the others."""
        samples = x_shape[0]
        length = math.prod(rest) * source.shape[-2] * samples if rest else outs[-1] * samples
        sums = []
        for place in itertools.product(*map(range, window[:-1])):
            parts = (products[*place, at, :, at * shift : at * shift + length] for at in range(window[-1]))
            row = functools.reduce(lax.add, parts)
            sums.append(row.reshape(filters, *rest, -1, samples)[..., : outs[-1], :])
        return sums

    def total() -> Array:
        out = jnp.zeros((filters, *outs, x_shape[0]), source.dtype)
        for place, row in zip(itertools.product(*map(range, window[:-1])), rows, strict=True):
            begins, cuts, gaps = [0], [slice(None)], [1]
            sizes = zip(place, outs, rest, spec.padding, spec.input_dilation, spec.kernel_dilation, strict=False)
            for at, out_size, size, (before, _), gap, spread in sizes:
                low = before - at * spread
                first = max(0, -(low // gap))
                count = min(size, -((low - out_size) // gap)) - first
                begins.append(low + first * gap)
                cuts.append(slice(first, first + max(count, 0)))
                gaps.append(gap)
            row = row[tuple(cuts)]
            if row.size == 0:
                continue
            if any(gap > 1 for gap in gaps):
                zero = jnp.zeros((), row.dtype)
                row = lax.pad(row, zero, [*((0, 0, gap - 1) for gap in gaps), (0, 0, 0), (0, 0, 0)])
            begins += [0, 0]
            old = lax.slice(out, begins, [b + n for b, n in zip(begins, row.shape, strict=True)])
            out = lax.dynamic_update_slice(out, old + row, begins)
        return out

    rows = _made_once(along_rows, kernel[0, 0])
    out = _made_once(total, kernel[0, 0]) if rest else rows[0]
    return out, (last, *space, 0)


def _rows(x: Array, taps: int, out: int, spec: Geometry) -> Array:
    """Rows (the last axis of space, and the batch) with zeros between them, and zeros behind the last one.

    On a flat view, every shift of the window along a row is then a slice: what it takes from beyond a row is zero.
    Neighbours share their zeros.
    """
    (before, _), gap, spread = spec.padding[-1], spec.input_dilation[-1], spec.kernel_dilation[-1]
    cut, before = min(before, 0), max(before, 0)
    size = (x.shape[-2] - 1) * gap + 1 + cut
    reach = (taps - 1) * spread
    behind = out + reach - before - size
    width = max(size + max(before, behind), out, reach) if x.ndim > 3 else out + reach
    config = [(0, 0, 0)] * x.ndim
    config[-2] = (before + cut, width - before - size, gap - 1)
    if x.ndim > 3:
        config[1] = (0, 1, 0)
    return lax.pad(x, jnp.zeros((), x.dtype), config)


def _made_once(make: Callable, any_number: Array) -> Any:
    """Sums that XLA does not compute anew for each element that reads it.

    XLA on CPU joins sums into every loop that reads them, however often each element is read, and drops barriers
    before it does so. A branch is a border, as long as XLA cannot know which one is taken: here that depends on the
    bits of a number, of which one is set first.
    """
    bits = lax.bitcast_convert_type(any_number, jnp.uint32) | jnp.uint32(1)
    shapes = jax.eval_shape(make)
    return lax.cond(
        bits != 0, make, lambda: jax.tree_util.tree_map(lambda one: jnp.zeros(one.shape, one.dtype), shapes)
    )


def _kernel_gradient(x: Callable, w: Callable, shapes: tuple, spec: Geometry) -> tuple[Array, Order]:
    """A large window at few places, as in gradients of kernels: one long product for all places."""
    x_shape, w_shape = shapes
    last, space = len(x_shape) - 1, tuple(range(1, len(x_shape) - 1))
    window, filters = w_shape[:-2], w_shape[-1]
    outs = spec.out_sizes(x_shape[1:-1], window)
    source = _padded(x((0, *space, last)), spec)
    patches = _patches(source, outs, window, spec.strides, spec.kernel_dilation)
    kernel = w((last, *range(last))).reshape(filters, -1)
    # The operand with more rows goes first: up to twice as quick in XLA 0.10.
    out = lax.dot_general(patches.reshape(math.prod(outs) * x_shape[0], -1), kernel, (((1,), (1,)), ((), ())))
    return out.reshape(*outs, x_shape[0], filters), (*space, 0, last)
