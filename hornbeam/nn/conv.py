"""Convolutions and pooling with TensorFlow's arguments: strides with or without those of batch and channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam import ops
from hornbeam.base.errors import NotSupportedError, ShapeError
from hornbeam.core.arguments import static_value
from hornbeam.engine.conv_geometry import Geometry, pads_of
from hornbeam.tensors.face import face, tensor, tensors

__all__ = [
    "atrous_conv2d",
    "avg_pool",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "conv1d",
    "conv1d_transpose",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "conv_transpose",
    "convolution",
    "depthwise_conv2d",
    "max_pool",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "pool",
    "separable_conv2d",
]


# --- arguments -----------------------------------------------------------------------------------
def _order(data_format: str | None) -> str:
    """Keras's name for a data format such as "NHWC" or "NCHW"."""
    if data_format is None:
        return "channels_last"
    if data_format[:1] != "N" or "C" not in (data_format[1:2], data_format[-1:]):
        raise ValueError(f"`data_format` must be like 'NHWC' or 'NCHW'. Received: data_format={data_format!r}")
    return "channels_first" if data_format[1] == "C" else "channels_last"


def _steps(value: Any, space: int, order: str, name: str) -> tuple[int, ...]:
    """One int per spatial axis, from an int or a list with or without those of batch and channels."""
    value = static_value(1 if value is None else value, name)
    given = tuple(value) if isinstance(value, tuple) else (value,)
    if len(given) == 1:
        return given * space
    if len(given) == space + 2:
        channels = given[1] if order == "channels_first" else given[-1]
        if (given[0], channels) != (1, 1):
            raise NotSupportedError(
                f"`{name}` must be 1 for the axes of batch and channels; moving along these is not offered. "
                f"Received: {name}={value}"
            )
        return given[2:] if order == "channels_first" else given[1:-1]
    if len(given) != space:
        raise ValueError(f"`{name}` must have 1, {space} or {space + 2} elements. Received: {name}={value}")
    return given


def _padding(padding: Any, space: int, order: str) -> Any:
    """Padding as ops take it, from a name or a list of pairs for all axes."""
    if isinstance(padding, str):
        return padding.lower()
    pairs = tuple(tuple(pair) for pair in static_value(padding, "padding"))
    if len(pairs) != space + 2:
        raise ValueError(f"Explicit `padding` must have {space + 2} pairs. Received: padding={padding}")
    outer = (pairs[0], pairs[1] if order == "channels_first" else pairs[-1])
    if any(map(any, outer)):
        raise ValueError(f"`padding` must be 0 for the axes of batch and channels. Received: padding={padding}")
    return pairs[2:] if order == "channels_first" else pairs[1:-1]


def _convolved(
    function: Any, operands: Sequence[Any], strides: Any, padding: Any, data_format: str | None, dilations: Any
) -> Any:
    inputs, *kernels = tensors(*operands)
    space = len(inputs.shape) - 2
    order = _order(data_format)
    return function(
        inputs,
        *kernels,
        strides=_steps(strides, space, order, "strides"),
        padding=_padding(padding, space, order),
        data_format=order,
        dilation_rate=_steps(dilations, space, order, "dilations"),
    )


# --- convolutions --------------------------------------------------------------------------------
@face
def convolution(
    input: Any,
    filters: Any,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """Convolution (cross-correlation) with 1 to 3 spatial axes; see ``keras.ops.conv``."""
    return _convolved(ops.conv, (input, filters), strides, padding, data_format, dilations)


@face
def conv1d(
    input: Any,
    filters: Any,
    stride: Any,
    padding: Any,
    data_format: str = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """Convolution of sequences ``(batch, steps, channels)`` with ``(window, channels, filters)``."""
    return _convolved(ops.conv, (input, filters), stride, padding, data_format, dilations)


@face
def conv2d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """Convolution of images ``(batch, rows, columns, channels)`` with ``(height, width, channels, filters)``."""
    return _convolved(ops.conv, (input, filters), strides, padding, data_format, dilations)


@face
def conv3d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """Convolution of volumes ``(batch, depth, rows, columns, channels)``."""
    return _convolved(ops.conv, (input, filters), strides, padding, data_format, dilations)


@face
def atrous_conv2d(value: Any, filters: Any, rate: int, padding: Any, name: str | None = None) -> Any:
    """Convolution of images whose window has gaps of ``rate - 1`` pixels."""
    return _convolved(ops.conv, (value, filters), 1, padding, None, rate)


@face
def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """Convolution of each channel with kernels of its own; ``filter`` is (height, width, channels, multiplier)."""
    return _convolved(ops.depthwise_conv, (input, filter), strides, padding, data_format, dilations)


@face
def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """A depthwise convolution, whose channels are then mixed by ``pointwise_filter`` (1, 1, channels, filters)."""
    operands = (input, depthwise_filter, pointwise_filter)
    return _convolved(ops.separable_conv, operands, strides, padding, data_format, dilations)


@face
def conv_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """Gradient of a convolution with respect to its inputs, which have the shape ``output_shape``.

    Args:
        input: gradient of the result; 1 to 3 spatial axes.
        filters: ``(*window, channels of the outputs, channels of input)``.
        output_shape: shape of the outputs, or their spatial sizes alone.
        strides: outputs per input.
        padding: that of the convolution: "SAME", "VALID", or pairs for all axes.
        data_format: such as "NHWC" or "NCHW".
        dilations: distances between elements of the window.

    Raises:
        InvalidArgumentError: such a convolution would not give a result of ``input``'s shape.
    """
    x, kernel = tensors(input, filters)
    space, order = len(x.shape) - 2, _order(data_format)
    first = order == "channels_first"
    wanted = tuple(static_value(output_shape, "output_shape"))
    sizes = wanted if len(wanted) == space else wanted[2:] if first else wanted[1:-1]
    steps, gaps = _steps(strides, space, order, "strides"), _steps(dilations, space, order, "dilations")
    window = tuple(kernel.shape)[:space]
    pads = pads_of(_padding(padding, space, order), sizes, window, steps, gaps)
    forward = Geometry(steps, pads, (1,) * space, gaps)
    given = tuple(x.shape)[2:] if first else tuple(x.shape)[1:-1]
    if forward.out_sizes(sizes, window) != given:
        raise ShapeError(
            f"conv_transpose: a convolution of {sizes} pixels with strides {steps} and padding {padding!r} gives "
            f"{forward.out_sizes(sizes, window)} pixels, not the input's {given}. Change `output_shape`."
        )
    return ops.conv_transpose(
        x,
        kernel,
        strides=steps,
        padding=forward.of_input_gradient(sizes, window).padding,
        data_format=order,
        dilation_rate=gaps,
    )


def conv1d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """``conv_transpose`` of sequences."""
    return conv_transpose(input, filters, output_shape, strides, padding, data_format, dilations)


def conv2d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """``conv_transpose`` of images."""
    return conv_transpose(input, filters, output_shape, strides, padding, data_format, dilations)


def conv3d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """``conv_transpose`` of volumes."""
    return conv_transpose(input, filters, output_shape, strides, padding, data_format, dilations)


# --- pooling -------------------------------------------------------------------------------------
def _pooled(function: Any, input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None) -> Any:
    x = tensor(input)
    space, order = len(x.shape) - 2, _order(data_format)
    return function(
        x,
        pool_size=_steps(ksize, space, order, "ksize"),
        strides=_steps(strides, space, order, "strides"),
        padding=_padding(padding, space, order),
        data_format=order,
    )


@face
def pool(
    input: Any,
    window_shape: Any,
    pooling_type: str,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """Largest values ("MAX") or means ("AVG") of windows over 1 to 3 spatial axes.

    Raises:
        NotSupportedError: windows with gaps (``dilations`` other than 1).
    """
    kinds = {"MAX": ops.max_pool, "AVG": ops.average_pool}
    if pooling_type not in kinds:
        raise ValueError(f"`pooling_type` must be 'MAX' or 'AVG'. Received: pooling_type={pooling_type!r}")
    gaps = static_value(1 if dilations is None else dilations, "dilations")
    if set(gaps if isinstance(gaps, tuple) else (gaps,)) != {1}:
        raise NotSupportedError(
            f"tf.nn.pool: windows with gaps are not offered. Received: dilations={dilations}. Leave `dilations` out, "
            "or pool every n-th pixel: slice the input first."
        )
    return _pooled(kinds[pooling_type], input, window_shape, strides, padding, data_format)


def _face_of(name: str, kind: str, space: int | None, data_format: str | None) -> Any:
    """One of TensorFlow's eight pooling functions."""
    function = ops.max_pool if kind == "max" else ops.average_pool
    what = "The largest value" if kind == "max" else "The mean"

    def pooling(
        input: Any,
        ksize: Any,
        strides: Any,
        padding: Any,
        data_format: str | None = data_format,
        name: str | None = None,
    ) -> Any:
        return _pooled(function, input, ksize, strides, padding, data_format)

    pooling.__name__ = pooling.__qualname__ = name
    over = {None: "1 to 3 spatial axes", 1: "sequences", 2: "images", 3: "volumes"}[space]
    pooling.__doc__ = f"{what} of each window of {over}; ``ksize`` and ``strides`` in steps or pixels."
    return face(pooling)


max_pool = _face_of("max_pool", "max", None, None)
max_pool1d = _face_of("max_pool1d", "max", 1, "NWC")
max_pool2d = _face_of("max_pool2d", "max", 2, "NHWC")
max_pool3d = _face_of("max_pool3d", "max", 3, "NDHWC")
avg_pool = _face_of("avg_pool", "average", None, None)
avg_pool1d = _face_of("avg_pool1d", "average", 1, "NWC")
avg_pool2d = _face_of("avg_pool2d", "average", 2, "NHWC")
avg_pool3d = _face_of("avg_pool3d", "average", 3, "NDHWC")
