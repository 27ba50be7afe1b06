"""Convolutions, chosen by platform.

On CPU, XLA has fast code only for convolutions whose dimensions lie in the canonical order (batch, space, channels)
by (window, input channels, filters). It brings others into that order, but only outside of loops: the gradients that
JAX derives run 10 to 50 times slower in a loop over training steps. So convolution is an operation of our own there,
``canonical``, whose gradients are canonical convolutions again; ``engine.loops`` knows it by name.
Convolutions that are really matrix products or sums of products are lowered as such.

Measured in PERFORMANCE notes on XLA 0.10; benchmarks decide when a special case may go.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from hornbeam.engine import batch_minor, conv_gradients, depthwise, onednn, patches, platform
from hornbeam.engine.conv_geometry import Geometry, Pairs
from hornbeam.engine.jax_compat import bilinear_primitive

CANONICAL = "hornbeam_conv"
"""Name of the operation in programs."""

# An explicit transpose makes this product fast from these sizes on; below, XLA's own handling is faster.
_LEAST_ROWS, _LEAST_WIDTH = 256, 64
_POINT = Geometry((1,), ((0, 0),), (1,), (1,))


# --- the operation -------------------------------------------------------------------------------
def dimension_names(ndim: int, channels_first: bool = False) -> tuple[str, str, str]:
    """Dimension letters of input, kernel and result for ``lax``."""
    space = "DHW"[3 - ndim :]
    data = f"NC{space}" if channels_first else f"N{space}C"
    return data, f"{space}IO", data


def _shape(x: Sequence[int], w: Sequence[int], geometry: Geometry) -> tuple[int, ...]:
    return (x[0], *geometry.out_sizes(x[1:-1], w[:-2]), w[-1])


def _direct(x: Array, w: Array, spec: Geometry) -> Array:
    """The convolution as XLA's own, for any platform."""
    x, spec = _cropped(x, spec)
    if 0 in x.shape:
        return jnp.zeros((x.shape[0], *spec.out_sizes(x.shape[1:-1], w.shape[:-2]), w.shape[-1]), x.dtype)
    return lax.conv_general_dilated(
        x,
        w,
        spec.strides,
        spec.padding,
        lhs_dilation=spec.input_dilation,
        rhs_dilation=spec.kernel_dilation,
        dimension_numbers=dimension_names(x.ndim - 2),
        feature_group_count=spec.groups,
    )


def _cropped(x: Array, spec: Geometry) -> tuple[Array, Geometry]:
    """Negative padding carried out: XLA on CPU gets -1 before with +1 after wrong (jaxlib 0.10.2)."""
    if all(min(pads) >= 0 for pads in spec.padding):
        return x, spec
    pads = []
    for axis, ((before, after), gap) in enumerate(zip(spec.padding, spec.input_dilation, strict=True), 1):
        # Of a spread-out input whole elements go, and the zeros that went too much come back.
        first, last = -(min(before, 0) // gap), -(min(after, 0) // gap)
        size = x.shape[axis]
        if first + last >= size:
            # Nothing but zeros is left of it.
            reach = (size - 1) * gap + 1 + before + after
            x, width = lax.slice_in_dim(x, 0, 0, axis=axis), (reach + gap - 1, 0)
        else:
            x, width = lax.slice_in_dim(x, first, size - last, axis=axis), (before + first * gap, after + last * gap)
        pads.append(width)
    return x, Geometry(spec.strides, tuple(pads), spec.input_dilation, spec.kernel_dilation, spec.groups)


def _is_one_window(x: Array, w: Array, spec: Geometry) -> bool:
    return spec.groups == 1 and spec.is_plain and w.shape[:-2] == x.shape[1:-1]


def _on_cpu(x: Array, w: Array, spec: Geometry) -> Array:
    """The fastest form that was found for the CPU."""
    if onednn.takes(onednn.FORWARD, x.shape, w.shape, spec, (x.dtype, w.dtype)):
        return onednn.forward(x, w, spec)
    if depthwise.fits(x.shape, w.shape, spec):
        return depthwise.forward(x, w, spec)
    if _is_one_window(x, w, spec):
        # A matrix product.
        rows = x.reshape(x.shape[0], -1) @ w.reshape(-1, w.shape[-1])
        return rows.reshape(x.shape[0], *[1] * (x.ndim - 2), w.shape[-1])
    if patches.fits(x.shape, w.shape, spec):
        return patches.forward(x, w, spec)
    if patches.has_few_places(x.shape, w.shape, spec):
        return patches.place_by_place(x, w, spec)
    if patches.spreads(x.shape, w.shape, spec):
        return patches.spread(x, w, spec)
    if _is_pointwise(w.shape, spec):
        return jnp.matmul(x, w.reshape(w.shape[-2:]))
    return _direct(x, w, spec)


def _turned(w: Array, groups: int) -> Array:
    """The kernel with its window turned round and input and output channels swapped, group by group."""
    space = tuple(range(w.ndim - 2))
    channels, filters = w.shape[-2], w.shape[-1] // groups
    w = lax.rev(w, space).reshape(*w.shape[:-1], groups, filters)
    w = jnp.swapaxes(w, -1, -3).reshape(*w.shape[:-3], filters, groups * channels)
    # The barrier keeps XLA from folding the turn into a convolution that is not canonical any more.
    return lax.optimization_barrier(w)


def _input_gradient(dy: Array, w: Array, x_shape: Sequence[int], spec: Geometry) -> Array:
    if not dy.size:
        return jnp.zeros(tuple(x_shape), dy.dtype)
    gradient = spec.of_input_gradient(x_shape[1:-1], w.shape[:-2])
    return canonical(dy, _turned(w, spec.groups), gradient)


def _kernel_gradient(dy: Array, x: Array, w_shape: Sequence[int], spec: Geometry) -> Array:
    if not dy.size:
        return jnp.zeros(tuple(w_shape), dy.dtype)
    if platform.is_cpu() and depthwise.fits(x.shape, w_shape, spec):
        return depthwise.kernel_gradient(dy, x, w_shape, spec)
    batch, groups = x.shape[0], spec.groups
    per_group = w_shape[-2]
    if _is_pointwise(w_shape, spec) and min(w_shape[-2:]) >= _LEAST_WIDTH:
        # Operands turned by hand would be computed anew, with all that leads to them, to be written the other way.
        rows, slopes = x.reshape(-1, per_group), dy.reshape(-1, w_shape[-1])
        return lax.dot_general(rows, slopes, (((0,), (0,)), ((), ()))).reshape(w_shape)
    if _is_pointwise(w_shape, spec) and max(w_shape[-2:]) > batch_minor.MOST_CHANNELS and x.ndim > 3:
        # One long row of places: the product takes both operands as they lie. With the batch last they stay apart.
        rows, slopes = x.reshape(1, -1, per_group), dy.reshape(1, -1, w_shape[-1])
        return _kernel_gradient(slopes, rows, (1, *w_shape[-2:]), _POINT).reshape(w_shape)
    # Channels play the batch, and samples (within their group of channels) the channels.
    if groups == 1:
        x = jnp.moveaxis(x, (-1, 0), (0, -1))
    else:
        x = jnp.moveaxis(x.reshape(*x.shape[:-1], groups, per_group), (-1, 0), (0, -1))
        x = x.reshape(*x.shape[:-2], groups * batch)
    kernel = jnp.moveaxis(dy, 0, -2)
    rows = math.prod(dy.shape[:-1])
    if (rows >= _LEAST_ROWS and per_group >= _LEAST_WIDTH) or math.prod(w_shape[:-2]) > 1:
        x = lax.optimization_barrier(x)
    out = canonical(x, kernel, spec.of_kernel_gradient(_sizes_of(x), w_shape[:-2]))
    return jnp.moveaxis(out, 0, -2)


def _is_pointwise(w_shape: Sequence[int], spec: Geometry) -> bool:
    """True for a matrix product at every place."""
    return spec.groups == 1 and spec.is_plain and math.prod(w_shape[:-2]) == 1 and set(spec.strides) == {1}


def _sizes_of(x: Array) -> tuple[int, ...]:
    return x.shape[1:-1]


def _batched(x: Array, w: Array, axes: tuple, spec: Geometry) -> tuple[Array, int]:
    """A further axis of the input joins its batch; one of the kernel joins the filters, group by group."""
    at_x, at_w = axes
    groups = spec.groups
    if at_w is None:
        x = jnp.moveaxis(x, at_x, 0)
        out = canonical(x.reshape(-1, *x.shape[2:]), w, spec)
        return out.reshape(*x.shape[:2], *out.shape[1:]), 0
    w = jnp.moveaxis(w, at_w, -3)  # (*window, B, channels per group, filters)
    count, per_group, filters = w.shape[-3:]
    if at_x is None:
        w = w.reshape(*w.shape[:-1], groups, filters // groups)
        w = jnp.moveaxis(w, -4, -2).reshape(*w.shape[:-4], per_group, groups * count * (filters // groups))
        out = canonical(x, w, spec)
        out = out.reshape(*out.shape[:-1], groups, count, filters // groups)
        return jnp.swapaxes(out, -3, -2).reshape(*out.shape[:-3], count, filters), out.ndim - 3
    x = jnp.moveaxis(x, at_x, -2)
    x = x.reshape(*x.shape[:-2], count * x.shape[-1])
    w = jnp.moveaxis(w, -3, -2).reshape(*w.shape[:-3], per_group, count * filters)
    spec = Geometry(spec.strides, spec.padding, spec.input_dilation, spec.kernel_dilation, groups * count)
    out = canonical(x, w, spec)
    return out.reshape(*out.shape[:-1], count, filters), out.ndim - 1


def _has_gradient_kernels() -> bool:
    """True if gradients should stand in programs as operations of their own, for kernels that compute them."""
    return platform.is_cpu() and onednn.is_available()


def _to_input(dy: Array, x_shape: Sequence[int], w: Array, spec: Geometry) -> Array:
    gradient = input_gradient if _has_gradient_kernels() else _input_gradient
    return gradient(dy, w, x_shape, spec)


def _to_kernel(dy: Array, x: Array, w_shape: Sequence[int], spec: Geometry) -> Array:
    gradient = kernel_gradient if _has_gradient_kernels() else _kernel_gradient
    return gradient(dy, x, w_shape, spec)


canonical = bilinear_primitive(
    CANONICAL,
    shape=_shape,
    lowerings={None: _direct, "cpu": _on_cpu},
    left=_to_input,
    right=_to_kernel,
    batch=_batched,
)
input_gradient, kernel_gradient = conv_gradients.operations(canonical, _input_gradient, _kernel_gradient)


def flops(x_shape: Sequence[int], w_shape: Sequence[int], spec: Geometry) -> float:
    """Floating point operations, without those on the zeros of a spread-out input."""
    out = _shape(x_shape, w_shape, spec)
    return 2.0 * math.prod(out) * math.prod(w_shape[:-1]) / math.prod(spec.input_dilation)


# --- for the ops ---------------------------------------------------------------------------------
def conv(
    x: Array,
    w: Array,
    strides: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    channels_first: bool = False,
) -> Array:
    """Convolution (cross-correlation) with 1 to 3 spatial axes; the number of groups follows from the shapes.

    Args:
        x: (batch, *space, channels), or with the channels second.
        w: (*window, channels // groups, filters), of the same dtype.
        strides: steps of the window.
        padding: zeros (before, after) per spatial axis.
        dilation: distances between elements of the window.
        channels_first: where the channels of ``x`` and of the result are.
    """
    channels = x.shape[1 if channels_first else -1]
    spec = Geometry(tuple(strides), padding, (1,) * (x.ndim - 2), tuple(dilation), channels // w.shape[-2])
    return _run(x, w, spec, channels_first)


def conv_transpose(
    x: Array,
    w: Array,
    strides: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    channels_first: bool = False,
) -> Array:
    """Transposed convolution: what a convolution does to gradients.

    Args:
        x: (batch, *space, channels), or with the channels second.
        w: (*window, filters, channels).
        strides: outputs per input.
        padding: zeros (before, after) per spatial axis of the spread-out input; see ``transposed_pads``.
        dilation: distances between elements of the window.
        channels_first: where the channels of ``x`` and of the result are.
    """
    spec = Geometry((1,) * (x.ndim - 2), padding, tuple(strides), tuple(dilation))
    if _has_gradient_kernels():
        data = jnp.moveaxis(x, 1, -1) if channels_first else x
        forward = _undone(data.shape, w.shape, spec)
        if forward is not None:
            shape = (data.shape[0], *spec.out_sizes(data.shape[1:-1], w.shape[:-2]), w.shape[-2])
            out = input_gradient(data, w, shape, forward)
            return jnp.moveaxis(out, -1, 1) if channels_first else out
    return _run(x, _turned(w, 1), spec, channels_first)


def _undone(x: Sequence[Any], w: Sequence[int], spec: Geometry) -> Geometry | None:
    """The convolution whose input gradient a transposed one is, if there is one without cutting anything off."""
    if not all(isinstance(size, int) for size in x):
        return None
    strides, outs, pads = spec.input_dilation, spec.out_sizes(x[1:-1], w[:-2]), []
    axes = zip(x[1:-1], outs, w[:-2], strides, spec.padding, spec.kernel_dilation, strict=True)
    for size, out, window, stride, (given, _), gap in axes:
        before = (window - 1) * gap - given
        pads.append((before, (size - 1) * stride + (window - 1) * gap + 1 - out - before))
    if min(map(min, pads)) < 0 or 0 in outs:
        return None
    return Geometry(strides, tuple(pads), (1,) * len(pads), spec.kernel_dilation)


def _run(x: Array, w: Array, spec: Geometry, channels_first: bool) -> Array:
    if not platform.is_cpu():
        return lax.conv_general_dilated(
            x,
            w,
            spec.strides,
            spec.padding,
            lhs_dilation=spec.input_dilation,
            rhs_dilation=spec.kernel_dilation,
            dimension_numbers=dimension_names(x.ndim - 2, channels_first),
            feature_group_count=spec.groups,
        )
    if channels_first:
        x = jnp.moveaxis(x, 1, -1)
    if spec.is_plain and math.prod(w.shape[:-2]) == 1 and max(spec.strides) > 1:
        # A window of one element skips elements: leave them out first, and a matrix product is left.
        x = x[(slice(None), *(slice(None, None, stride) for stride in spec.strides))]
        spec = Geometry((1,) * len(spec.strides), spec.padding, spec.input_dilation, spec.kernel_dilation, spec.groups)
    out = canonical(x, w, spec)
    return jnp.moveaxis(out, -1, 1) if channels_first else out
