"""Convolutions on arrays whose batch axis is the last in memory.

With few channels, (batch, space, channels) leaves vector registers mostly empty, and a matrix of patches needs a
transpose on either side. With the batch last, every shift of the window is a copy of long runs, elementwise work is
full width whatever the number of channels, and a convolution is one matrix product between arrays that already lie
right: ``kernel (filters, window * channels) @ patches (window * channels, space * batch)``.

``engine.layout`` decides when programs use these forms.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jax import Array, lax

from hornbeam.engine.conv_geometry import Geometry

Order = tuple[int, ...]
"""Which logical axis lies where in memory: entry ``i`` is the logical axis of the ``i``-th physical one."""

_MOST_CHANNELS = 64
_LARGEST_MATRIX = 1 << 22
"""Elements of a matrix of patches; larger ones leave the processor's cache and lose what they gain."""
_MOST_TAPS = 128


def _count(x: Sequence[int], w: Sequence[int], spec: Geometry) -> tuple[int, int, int]:
    """Elements of the window, of the result's space, and of the input's space."""
    return math.prod(w[:-2]), math.prod(spec.out_sizes(x[1:-1], w[:-2])), math.prod(x[1:-1])


def pays(x: Sequence[int], w: Sequence[int], spec: Geometry) -> bool:
    """True for a convolution of these shapes that is quicker with the batch last."""
    if spec.groups != 1 or 0 in x or 0 in w or not all(isinstance(size, int) for size in x):
        return False
    form = _form(x, w, spec)
    if form is None:
        return False
    taps, outs, ins = _count(x, w, spec)
    if form is _kernel_gradient:
        samples, channels, filters = x[-1], x[0], w[-1]
        size = outs * channels * taps * samples
    else:
        samples, channels, filters = x[0], x[-1], w[-1]
        size = taps * samples * (channels * outs if form is _forward else filters * ins)
    return samples >= 8 and max(channels, filters) <= _MOST_CHANNELS and size <= _LARGEST_MATRIX


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
    form = _form(*shapes, spec)
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
    source = x((last, *space, 0))
    kernel = w((*range(last - 1), last, last - 1)).reshape(-1, channels)
    products = (kernel @ source.reshape(channels, -1)).reshape(-1, filters, *source.shape[1:])
    total = None
    for number, place in enumerate(itertools.product(*map(range, window))):
        config = []
        geometry = zip(place, outs, x_shape[1:-1], spec.padding, spec.input_dilation, spec.kernel_dilation, strict=True)
        for at, out, size, (before, _), gap, spread in geometry:
            low = before - at * spread
            config.append((low, out - low - (size - 1) * gap - 1, gap - 1))
        part = lax.pad(products[number], jnp.zeros((), source.dtype), [(0, 0, 0), *config, (0, 0, 0)])
        total = part if total is None else total + part
    assert total is not None
    return total, (last, *space, 0)


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
