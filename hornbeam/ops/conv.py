"""Convolutions of 1 to 3 spatial axes, with the signatures of ``keras.ops``."""

from __future__ import annotations

import itertools
import operator
from typing import Any

import jax

from hornbeam.base import settings
from hornbeam.base.errors import ShapeError, explain
from hornbeam.core.door import op
from hornbeam.engine import conv as engine
from hornbeam.engine.conv_geometry import pads_of, transposed_pads
from hornbeam.engine.unknown_sizes import are_known, padded
from hornbeam.ops.composite import composite
from hornbeam.ops.promotion import to_dtype

__all__ = ["conv", "conv_transpose", "depthwise_conv", "separable_conv"]


def per_axis(value: Any, count: int, name: str) -> tuple[int, ...]:
    """One int for each of ``count`` spatial axes, from an int or a sequence.

    Raises:
        ValueError: another number of ints.
    """
    sizes = (value,) * count if not isinstance(value, (tuple, list)) else tuple(value)
    if len(sizes) != count:
        raise ValueError(f"`{name}` must be an int or {count} ints, one per spatial axis. Received: {name}={value}")
    return tuple(operator.index(size) for size in sizes)


def lowered(padding: Any) -> Any:
    """Padding in the form in which ops take it: small letters, or (before, after) per spatial axis."""
    return padding.lower() if isinstance(padding, str) else tuple(tuple(pair) for pair in padding)


def _ranks(x: Any, kernel: Any, name: str) -> int:
    """Number of spatial axes of operands that fit each other."""
    if not 3 <= x.ndim <= 5 or kernel.ndim != x.ndim:
        raise ShapeError(
            explain(
                f"{name}() cannot take these operands.",
                expected="inputs and kernel of equal rank, with 1 to 3 spatial axes",
                received=f"inputs of shape {tuple(x.shape)}, kernel of shape {tuple(kernel.shape)}",
                fix="add or remove axes; inputs have a batch axis and a channel axis besides the spatial ones",
            )
        )
    return x.ndim - 2


def _same_channels(channels: int, wanted: int, name: str, x: Any, kernel: Any) -> None:
    if channels != wanted:
        raise ShapeError(
            explain(
                f"{name}(): the kernel is made for another number of input channels.",
                expected=f"inputs with {wanted} channels, for a kernel of shape {tuple(kernel.shape)}",
                received=f"inputs of shape {tuple(x.shape)}, which have {channels} channels",
                fix="check `data_format`, or make a kernel for this number of channels",
            )
        )


def _run(x: Any, kernel: Any, strides: Any, padding: Any, data_format: str, dilation_rate: Any, name: str) -> jax.Array:
    space = x.ndim - 2
    strides = per_axis(strides, space, "strides")
    dilation = per_axis(dilation_rate, space, "dilation_rate")
    first = data_format == "channels_first"
    sizes = x.shape[2:] if first else x.shape[1:-1]
    pads = pads_of(padding, sizes, kernel.shape[:-2], strides, dilation)
    if not are_known(itertools.chain(*pads)):
        # Convolutions take numbers only.
        x, pads = padded(x, pads, 2 if first else 1), ((0, 0),) * space
    out = engine.conv(x, kernel, strides, pads, dilation, first)
    if 0 in out.shape and 0 not in x.shape and 0 not in kernel.shape:
        raise ShapeError(
            explain(
                f"{name}(): nothing is left of the output, because the window is larger than the input.",
                expected="spatial sizes of at least the window's, dilation included",
                received=f"inputs of shape {tuple(x.shape)}, kernel of shape {tuple(kernel.shape)}, "
                f"padding={padding!r}, dilation_rate={dilation_rate}",
                fix="give larger inputs, or use padding='same'",
            )
        )
    return out


@op(static=("strides", "padding", "data_format", "dilation_rate"))
def _conv(x: Any, kernel: Any, strides: Any, padding: Any, data_format: str, dilation_rate: Any) -> jax.Array:
    _ranks(x, kernel, "conv")
    channels = x.shape[1 if data_format == "channels_first" else -1]
    if channels % kernel.shape[-2]:
        raise ShapeError(
            f"A kernel for {kernel.shape[-2]} channels does not go into {channels} input channels without a rest "
            f"(inputs of shape {tuple(x.shape)}, kernel of shape {tuple(kernel.shape)}).\n"
            "  fix:      check `data_format`, or make a kernel for this number of channels"
        )
    if kernel.shape[-1] % (channels // kernel.shape[-2]):
        raise ShapeError(
            f"conv(): {channels} input channels and a kernel of shape {tuple(kernel.shape)} make "
            f"{channels // kernel.shape[-2]} groups, into which {kernel.shape[-1]} filters cannot be split evenly."
        )
    return _run(to_dtype(x, kernel.dtype), kernel, strides, padding, data_format, dilation_rate, "conv")


@composite
def conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: Any = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Any:
    """Convolution (cross-correlation).

    Args:
        inputs: ``(batch, *space, channels)``, or ``(batch, channels, *space)`` for "channels_first".
        kernel: ``(*window, channels // groups, filters)``; the number of groups follows from the shapes.
        strides: step of the window, an int or one per spatial axis, in pixels.
        padding: "valid", "same" (an odd zero goes to the end), or (before, after) per spatial axis.
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        dilation_rate: distance between elements of the window, an int or one per spatial axis, in pixels.

    Returns:
        ``(batch, *out_space, filters)``, of the kernel's dtype.

    Raises:
        ShapeError: ranks or channels do not fit, or nothing would be left.

    References: Keras ``ops.conv``.
    """
    data_format = settings.standardize_data_format(data_format)
    return _conv(
        inputs,
        kernel,
        strides=strides,
        padding=lowered(padding),
        data_format=data_format,
        dilation_rate=dilation_rate,
    )


def _depthwise(x: Any, kernel: Any, strides: Any, padding: Any, data_format: str, dilation_rate: Any) -> jax.Array:
    channels = x.shape[1 if data_format == "channels_first" else -1]
    _same_channels(channels, kernel.shape[-2], "depthwise_conv", x, kernel)
    kernel = kernel.reshape(*kernel.shape[:-2], 1, -1)
    return _run(to_dtype(x, kernel.dtype), kernel, strides, padding, data_format, dilation_rate, "depthwise_conv")


@op(static=("strides", "padding", "data_format", "dilation_rate"))
def _depthwise_conv(x: Any, kernel: Any, strides: Any, padding: Any, data_format: str, dilation_rate: Any) -> jax.Array:
    _ranks(x, kernel, "depthwise_conv")
    return _depthwise(x, kernel, strides, padding, data_format, dilation_rate)


@composite
def depthwise_conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: Any = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Any:
    """Convolution of each channel with ``multiplier`` kernels of its own.

    Args:
        inputs: ``(batch, *space, channels)``, or ``(batch, channels, *space)`` for "channels_first".
        kernel: ``(*window, channels, multiplier)``.
        strides: step of the window, an int or one per spatial axis, in pixels.
        padding: "valid", "same", or (before, after) per spatial axis.
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        dilation_rate: distance between elements of the window, an int or one per spatial axis, in pixels.

    Returns:
        ``(batch, *out_space, channels * multiplier)``, of the kernel's dtype; those of one channel side by side.

    References: Keras ``ops.depthwise_conv``.
    """
    data_format = settings.standardize_data_format(data_format)
    return _depthwise_conv(
        inputs,
        kernel,
        strides=strides,
        padding=lowered(padding),
        data_format=data_format,
        dilation_rate=dilation_rate,
    )


@op(static=("strides", "padding", "data_format", "dilation_rate"))
def _separable_conv(
    x: Any, depthwise: Any, pointwise: Any, strides: Any, padding: Any, data_format: str, dilation_rate: Any
) -> jax.Array:
    space = _ranks(x, depthwise, "separable_conv")
    out = _depthwise(x, depthwise, strides, padding, data_format, dilation_rate)
    channels = out.shape[1 if data_format == "channels_first" else -1]
    _same_channels(channels, pointwise.shape[-2], "separable_conv", out, pointwise)
    out = to_dtype(out, pointwise.dtype)
    return _run(out, pointwise, (1,) * space, "valid", data_format, dilation_rate, "separable_conv")


@composite
def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:
    """A depthwise convolution, whose channels are then mixed pixel by pixel.

    Args:
        inputs: ``(batch, *space, channels)``, or ``(batch, channels, *space)`` for "channels_first".
        depthwise_kernel: ``(*window, channels, multiplier)``.
        pointwise_kernel: ``(1, ..., 1, channels * multiplier, filters)``.
        strides: step of the depthwise window, an int or one per spatial axis, in pixels.
        padding: "valid", "same", or (before, after) per spatial axis.
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        dilation_rate: distance between elements of the window, an int or one per spatial axis, in pixels.

    Returns:
        ``(batch, *out_space, filters)``, of the pointwise kernel's dtype.

    References: Keras ``ops.separable_conv``.
    """
    data_format = settings.standardize_data_format(data_format)
    return _separable_conv(
        inputs,
        depthwise_kernel,
        pointwise_kernel,
        strides=strides,
        padding=lowered(padding),
        data_format=data_format,
        dilation_rate=dilation_rate,
    )


@op(static=("strides", "padding", "output_padding", "data_format", "dilation_rate"))
def _conv_transpose(
    x: Any, kernel: Any, strides: Any, padding: str, output_padding: Any, data_format: str, dilation_rate: Any
) -> jax.Array:
    space = _ranks(x, kernel, "conv_transpose")
    first = data_format == "channels_first"
    _same_channels(x.shape[1 if first else -1], kernel.shape[-1], "conv_transpose", x, kernel)
    strides = per_axis(strides, space, "strides")
    dilation = per_axis(dilation_rate, space, "dilation_rate")
    extra = None if output_padding is None else per_axis(output_padding, space, "output_padding")
    pads = padding
    if isinstance(padding, str):
        pads = transposed_pads(padding, kernel.shape[:-2], strides, dilation, extra)
    return engine.conv_transpose(to_dtype(x, kernel.dtype), kernel, strides, pads, dilation, first)


@composite
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    output_padding: Any = None,
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:
    """Transposed convolution: the map by which a convolution's gradients go back to its inputs.

    Args:
        inputs: ``(batch, *space, channels)``, or ``(batch, channels, *space)`` for "channels_first".
        kernel: ``(*window, filters, channels)``.
        strides: outputs per input, an int or one per spatial axis.
        padding: "valid" (all outputs that an input reaches) or "same" (``strides`` outputs per input); or zeros
            (before, after) per spatial axis around the inputs spread out by ``strides``.
        output_padding: further outputs at the end of an axis, instead of those that ``padding`` implies.
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        dilation_rate: distance between elements of the window, an int or one per spatial axis, in pixels.

    Returns:
        ``(batch, *out_space, filters)``, of the kernel's dtype.

    References: Keras ``ops.conv_transpose``.
    """
    data_format = settings.standardize_data_format(data_format)
    return _conv_transpose(
        inputs,
        kernel,
        strides=strides,
        padding=lowered(padding),
        output_padding=output_padding,
        data_format=data_format,
        dilation_rate=dilation_rate,
    )
