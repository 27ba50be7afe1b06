"""Convolutions, pooling, padding and resizing."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.base.check import one_of
from hornbeam.keras.ops import image
from hornbeam.nn import conv as nn_conv


def _format(data_format: str | None) -> str:
    return settings.standardize_data_format(data_format)


def _sizes(value: Any, rank: int, name: str) -> tuple[int, ...]:
    sizes = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(sizes) != rank:
        raise ValueError(f"`{name}` must have {rank} numbers. Received: {name}={value!r}")
    return sizes


# --- convolutions --------------------------------------------------------------------------------
def conv1d(
    x: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Any:
    """1D convolution; ``padding`` may be "causal" too: no output sees a later input.

    Args:
        x: (batch, steps, channels).
        kernel: (length, channels, filters).
        strides: steps between windows.
        padding: "valid", "same" or "causal".
        data_format: order of the axes.
        dilation_rate: steps between the window's elements.
    """
    order, rate = _format(data_format), _sizes(dilation_rate, 1, "dilation_rate")[0]
    if padding == "causal":
        before = rate * (kernel.shape[0] - 1)
        axis = 1 if order == "channels_last" else 2
        x = ops.pad(x, [(before, 0) if index == axis else (0, 0) for index in range(3)])
        padding = "valid"
    return ops.conv(x, kernel, strides, padding, order, rate)


def conv2d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """2D convolution with a kernel (rows, columns, channels, filters)."""
    return ops.conv(x, kernel, strides, padding, _format(data_format), dilation_rate)


def conv3d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = (1, 1, 1),
) -> Any:
    """3D convolution with a kernel (planes, rows, columns, channels, filters)."""
    return ops.conv(x, kernel, strides, padding, _format(data_format), dilation_rate)


def conv2d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """Gradient of a 2D convolution with respect to its input.

    Args:
        x: (batch, rows, columns, filters).
        kernel: (rows, columns, channels of the result, filters).
        output_shape: sizes of the result; the batch size may be None.
        strides: strides of the convolution.
        padding: padding of the convolution.
        data_format: order of the axes.
        dilation_rate: gaps of the convolution's windows.
    """
    order = _format(data_format)
    sizes = (x.shape[0] if output_shape[0] is None else output_shape[0], *output_shape[1:])
    return nn_conv.conv2d_transpose(
        x,
        kernel,
        sizes,
        _sizes(strides, 2, "strides"),
        padding.upper(),
        "NHWC" if order == "channels_last" else "NCHW",
        _sizes(dilation_rate, 2, "dilation_rate"),
    )


def depthwise_conv2d(
    x: Any,
    depthwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """2D convolution of each channel by itself, with a kernel (rows, columns, channels, multiplier)."""
    return ops.depthwise_conv(x, depthwise_kernel, strides, padding, _format(data_format), dilation_rate)


def separable_conv1d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:
    """1D convolution of each channel, then a mixture of channels at each place."""
    step = _sizes(strides, 1, "strides")[0]
    return ops.separable_conv(x, depthwise_kernel, pointwise_kernel, step, padding, _format(data_format), dilation_rate)


def separable_conv2d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """2D convolution of each channel, then a mixture of channels at each place."""
    return ops.separable_conv(
        x, depthwise_kernel, pointwise_kernel, strides, padding, _format(data_format), dilation_rate
    )


def bias_add(x: Any, bias: Any, data_format: Any = None) -> Any:
    """A bias added to each place: (channels,), or a bias of its own for each place."""
    order = _format(data_format)
    if len(bias.shape) not in (1, len(x.shape) - 1):
        raise ValueError(
            f"bias_add() takes a bias of 1 or {len(x.shape) - 1} axes. Received: shape {tuple(bias.shape)} for "
            "a tensor "
            f"of shape {tuple(x.shape)}."
        )
    if order == "channels_last" or len(x.shape) < 3:
        return x + bias
    if len(bias.shape) == 1:
        return x + ops.reshape(bias, (1, -1, *[1] * (len(x.shape) - 2)))
    return x + ops.expand_dims(ops.moveaxis(bias, -1, 0), 0)


# --- convolutions with weights for each place ----------------------------------------------------
def local_conv(
    inputs: Any, kernel: Any, kernel_size: Any, strides: Any, output_shape: Any, data_format: Any = None
) -> Any:
    """Each window times a kernel of its own.

    Args:
        inputs: (batch, *spatial, channels), or with the channels second.
        kernel: (places, elements of a window, filters).
        kernel_size: sizes of the window.
        strides: steps between windows.
        output_shape: number of windows along each spatial axis.
        data_format: order of the axes.

    Returns:
        (batch, *output_shape, filters), or with the filters second.
    """
    order = _format(data_format)
    places, window, steps = tuple(output_shape), tuple(kernel_size), tuple(strides)
    first = 1 if order == "channels_last" else 2
    parts = []
    for offset in _offsets(window):
        cut: list[Any] = [slice(None)] * len(inputs.shape)
        for axis, (start, step, count) in enumerate(zip(offset, steps, places, strict=True)):
            cut[first + axis] = slice(start, start + step * (count - 1) + 1, step)
        part = inputs[tuple(cut)]
        parts.append(part if order == "channels_last" else ops.moveaxis(part, 1, -1))
    # (batch, *places, window, channels); the window's elements go before or behind the channels, as the order says.
    patches = ops.stack(parts, axis=-2)
    if order == "channels_first":
        patches = ops.swapaxes(patches, -1, -2)
    patches = ops.reshape(patches, (-1, math.prod(places), kernel.shape[1]))
    found = ops.reshape(ops.einsum("bpi,pio->bpo", patches, kernel), (-1, *places, kernel.shape[2]))
    return found if order == "channels_last" else ops.moveaxis(found, -1, 1)


def _offsets(window: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Places inside a window, the last axis running fastest."""
    found: list[tuple[int, ...]] = [()]
    for size in window:
        found = [(*before, place) for before in found for place in range(size)]
    return found


def local_conv1d(inputs: Any, kernel: Any, kernel_size: Any, strides: Any, data_format: Any = None) -> Any:
    """1D windows, each times a kernel of its own: (places, length * channels, filters)."""
    return local_conv(inputs, kernel, kernel_size, strides, (kernel.shape[0],), data_format)


def local_conv2d(
    inputs: Any, kernel: Any, kernel_size: Any, strides: Any, output_shape: Any, data_format: Any = None
) -> Any:
    """2D windows, each times a kernel of its own: (places, rows * columns * channels, filters)."""
    return local_conv(inputs, kernel, kernel_size, strides, output_shape, data_format)


# --- pooling -------------------------------------------------------------------------------------
def _pool(x: Any, sizes: Any, strides: Any, padding: str, data_format: Any, mode: str) -> Any:
    one_of("pool_mode", mode, ("max", "avg"))
    function = ops.max_pool if mode == "max" else ops.average_pool
    return function(x, sizes, strides, padding, _format(data_format))


def pool2d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: Any = None,
    pool_mode: str = "max",
) -> Any:
    """Largest value ("max") or mean ("avg") of 2D windows."""
    sizes, steps = _sizes(pool_size, 2, "pool_size"), _sizes(strides, 2, "strides")
    return _pool(x, sizes, steps, padding, data_format, pool_mode)


def pool3d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: Any = None,
    pool_mode: str = "max",
) -> Any:
    """Largest value ("max") or mean ("avg") of 3D windows."""
    sizes, steps = _sizes(pool_size, 3, "pool_size"), _sizes(strides, 3, "strides")
    return _pool(x, sizes, steps, padding, data_format, pool_mode)


# --- padding and resizing ------------------------------------------------------------------------
def _spatial_padding(x: Any, padding: Any, data_format: Any) -> Any:
    pairs = [tuple(pair) for pair in padding]
    rank = len(x.shape) - 2
    if len(pairs) != rank or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"`padding` must be {rank} pairs of numbers. Received: padding={padding!r}")
    around = [(0, 0), *pairs, (0, 0)] if _format(data_format) == "channels_last" else [(0, 0), (0, 0), *pairs]
    return ops.pad(x, around)


def temporal_padding(x: Any, padding: Any = (1, 1)) -> Any:
    """Zeros before and behind the steps of (batch, steps, channels)."""
    return _spatial_padding(x, (padding,), "channels_last")


def spatial_2d_padding(x: Any, padding: Any = ((1, 1), (1, 1)), data_format: Any = None) -> Any:
    """Zeros around pictures: ((above, below), (left, right))."""
    return _spatial_padding(x, padding, data_format)


def spatial_3d_padding(x: Any, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: Any = None) -> Any:
    """Zeros around volumes, a pair of numbers for each axis."""
    return _spatial_padding(x, padding, data_format)


def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest"
) -> Any:
    """Pictures made larger by whole factors.

    Args:
        x: pictures of 4 axes.
        height_factor: factor of the height.
        width_factor: factor of the width.
        data_format: order of the axes.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
    """
    order = _format(data_format)
    first = 1 if order == "channels_last" else 2
    if interpolation == "nearest":
        return ops.repeat(ops.repeat(x, height_factor, axis=first), width_factor, axis=first + 1)
    one_of("interpolation", interpolation, ("bilinear", "bicubic", "lanczos3", "lanczos5"))
    size = (x.shape[first] * height_factor, x.shape[first + 1] * width_factor)
    return image.resize(x, size, interpolation=interpolation, data_format=order)


def resize_volumes(x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str) -> Any:
    """Volumes made larger by whole factors, by repetition."""
    first = 1 if _format(data_format) == "channels_last" else 2
    for axis, factor in enumerate((depth_factor, height_factor, width_factor), start=first):
        x = ops.repeat(x, factor, axis=axis)
    return x
