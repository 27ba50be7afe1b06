"""Convolution, pooling, normalisation, losses."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base.errors import UnsupportedFileError
from hornbeam.saving.saved_model.graph.table import Node, op, static


def _layout(node: Node, default: str = "NHWC") -> tuple[str, list[int]]:
    """The data format, and which axes are spatial."""
    text = node.text("data_format", default) or default
    return text, [axis for axis, letter in enumerate(text) if letter in "DHW"]


def _spatial(node: Node, name: str, axes: list[int], rank: int) -> list[int]:
    values = node.numbers(name, (1,) * rank)
    return [int(values[axis]) for axis in axes]


def _padding(node: Node, axes: list[int]) -> Any:
    kind = node.text("padding", "VALID")
    if kind == "EXPLICIT":
        listed = node.numbers("explicit_paddings")
        return [(int(listed[2 * axis]), int(listed[2 * axis + 1])) for axis in axes]
    return kind


@op("Conv2D", "Conv3D")
def _conv(node: Node, x: Any, kernel: Any) -> Any:
    default = "NHWC" if node.op == "Conv2D" else "NDHWC"
    layout, axes = _layout(node, default)
    window = "".join(letter for letter in layout if letter in "DHW")
    groups = x.shape[layout.index("C")] // kernel.shape[-2]
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        _spatial(node, "strides", axes, np.ndim(x)),
        _padding(node, axes),
        rhs_dilation=_spatial(node, "dilations", axes, np.ndim(x)),
        dimension_numbers=(layout, f"{window}IO", layout),
        feature_group_count=groups,
    )


@op("_FusedConv2D")
def _fused_conv(node: Node, x: Any, kernel: Any, *extra: Any) -> Any:
    steps = node.texts("fused_ops")
    result = _conv(node, x, kernel)
    queue = list(extra)
    for step in steps:
        if step == "BiasAdd":
            result = _bias_add(node, result, queue.pop(0))
        elif step in ("Relu", "Relu6", "Elu"):
            result = {"Relu": jax.nn.relu, "Relu6": jax.nn.relu6, "Elu": jax.nn.elu}[step](result)
        else:
            raise UnsupportedFileError(f"Node {node.name!r} fuses {step!r} with a convolution, which is not read.")
    return result


@op("DepthwiseConv2dNative")
def _depthwise(node: Node, x: Any, kernel: Any) -> Any:
    layout, axes = _layout(node)
    rows, columns, channels, multiplier = kernel.shape
    return jax.lax.conv_general_dilated(
        x,
        kernel.reshape(rows, columns, 1, channels * multiplier),
        _spatial(node, "strides", axes, 4),
        _padding(node, axes),
        rhs_dilation=_spatial(node, "dilations", axes, 4),
        dimension_numbers=(layout, "HWIO", layout),
        feature_group_count=channels,
    )


@op("Conv2DBackpropInput", "Conv3DBackpropInputV2")
def _conv_transpose(node: Node, sizes: Any, kernel: Any, gradient: Any) -> Any:
    default = "NHWC" if node.op.startswith("Conv2D") else "NDHWC"
    layout, axes = _layout(node, default)
    window = "".join(letter for letter in layout if letter in "DHW")
    shape = tuple(int(size) for size in static(node, sizes, "input sizes"))
    strides, dilations = (_spatial(node, name, axes, len(shape)) for name in ("strides", "dilations"))
    padding = _padding(node, axes)
    groups = shape[layout.index("C")] // kernel.shape[-2]

    def forward(x: Any) -> Any:
        return jax.lax.conv_general_dilated(
            x,
            kernel,
            strides,
            padding,
            rhs_dilation=dilations,
            dimension_numbers=(layout, f"{window}IO", layout),
            feature_group_count=groups,
        )

    zeros = jax.ShapeDtypeStruct(shape, gradient.dtype)
    return jax.linear_transpose(forward, zeros)(gradient)[0]


@op("BiasAdd", "BiasAddV1")
def _bias_add(node: Node, x: Any, bias: Any) -> Any:
    if node.text("data_format", "NHWC").startswith("NC"):
        return x + jnp.reshape(bias, (1, -1) + (1,) * (np.ndim(x) - 2))
    return x + bias


# --- pooling -------------------------------------------------------------------------------------
@op("MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D", "MaxPoolV2")
def _pool(node: Node, x: Any, window: Any = None, strides: Any = None) -> Any:
    rank = np.ndim(x)
    sizes = node.numbers("ksize") if window is None else static(node, window, "window").tolist()
    steps = node.numbers("strides") if strides is None else static(node, strides, "strides").tolist()
    kind = node.text("padding", "VALID")
    if kind == "EXPLICIT":
        listed = node.numbers("explicit_paddings")
        padding: Any = [(int(listed[2 * axis]), int(listed[2 * axis + 1])) for axis in range(rank)]
    else:
        padding = kind
    if node.op.startswith("Max"):
        low = -jnp.inf if x.dtype.kind == "f" or x.dtype == jnp.bfloat16 else jnp.iinfo(x.dtype).min
        return jax.lax.reduce_window(x, jnp.asarray(low, x.dtype), jax.lax.max, sizes, steps, padding)
    zero = jnp.zeros((), x.dtype)
    total = jax.lax.reduce_window(x, zero, jax.lax.add, sizes, steps, padding)
    if kind == "VALID":
        return total / math.prod(sizes)
    count = jax.lax.reduce_window(jnp.ones_like(x), zero, jax.lax.add, sizes, steps, padding)
    return total / count


# --- normalisation -------------------------------------------------------------------------------
_NORM_OUTPUTS = ("y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2", "reserve_space_3")


@op("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", outputs=_NORM_OUTPUTS)
def _batch_norm(node: Node, x: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> Any:
    layout, _ = _layout(node)
    channel = layout.index("C")
    shape = [1] * np.ndim(x)
    shape[channel] = -1
    axes = tuple(axis for axis in range(np.ndim(x)) if axis != channel)
    epsilon = node.number("epsilon", 1e-4)
    value = jnp.asarray(x, jnp.float32)
    given_mean, given_variance = mean, variance
    if node.number("is_training", True):
        mean, variance = jnp.mean(value, axes), jnp.var(value, axes)
        count = value.size // value.shape[channel]
        unbiased = variance * (count / max(count - 1, 1))
        share = node.number("exponential_avg_factor", 1.0)
        new_mean, new_variance = mean, unbiased
        if share != 1.0:
            new_mean = (1 - share) * given_mean + share * mean
            new_variance = (1 - share) * given_variance + share * unbiased
    else:
        new_mean, new_variance = mean, variance
    factor = scale * jax.lax.rsqrt(variance + epsilon)
    result = (value - mean.reshape(shape)) * factor.reshape(shape) + offset.reshape(shape)
    rest = [mean, variance, jnp.zeros((0,), jnp.float32)]
    return [result.astype(jnp.asarray(x).dtype), new_mean, new_variance, *rest]


@op("LRN")
def _local_response(node: Node, x: Any) -> Any:
    radius, bias = node.number("depth_radius", 5), node.number("bias", 1.0)
    alpha, beta = node.number("alpha", 1.0), node.number("beta", 0.5)
    zero = jnp.zeros((), x.dtype)
    squares = jax.lax.reduce_window(jnp.square(x), zero, jax.lax.add, (1, 1, 1, 2 * radius + 1), (1, 1, 1, 1), "SAME")
    return x / jnp.power(bias + alpha * squares, beta)


# --- losses --------------------------------------------------------------------------------------
@op("SoftmaxCrossEntropyWithLogits", outputs=("loss", "backprop"))
def _cross_entropy(node: Node, logits: Any, labels: Any) -> Any:
    log = jax.nn.log_softmax(logits)
    return [-jnp.sum(labels * log, axis=-1), jnp.exp(log) - labels]


@op("SparseSoftmaxCrossEntropyWithLogits", outputs=("loss", "backprop"))
def _sparse_cross_entropy(node: Node, logits: Any, labels: Any) -> Any:
    return _cross_entropy(node, logits, jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype))
