"""Moments, normalization, biases, embeddings and dropout."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam import ops
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.arguments import static_value
from hornbeam.core.door import op
from hornbeam.math.counting import in_top_k, top_k
from hornbeam.math.norms import clip_by_norm, l2_normalize
from hornbeam.math.reduce import zero_fraction
from hornbeam.ops.promotion import as_float
from hornbeam.random.seeds import operation_key
from hornbeam.tensors.face import face, shape_of, tensor, tensors
from hornbeam.tensors.indexing import gather

__all__ = [
    "batch_normalization",
    "bias_add",
    "dropout",
    "embedding_lookup",
    "in_top_k",
    "l2_normalize",
    "local_response_normalization",
    "lrn",
    "moments",
    "top_k",
    "weighted_moments",
    "zero_fraction",
]


@face
def moments(x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None) -> tuple[Any, Any]:
    """Mean and variance over axes, 16-bit floats through float32; ``shift`` changes no result in TensorFlow either."""
    x, axes = tensor(x), static_value(axes, "axes")
    held = x.dtype
    if held.is_integer:
        return tuple(ops.cast(part, held) for part in _whole_moments(x, axes, bool(keepdims)))
    wide = ops.cast(x, "float32") if held.size < 4 else x
    mean = ops.mean(wide, axis=axes, keepdims=bool(keepdims))
    variance = ops.var(wide, axis=axes, keepdims=bool(keepdims))
    return ops.cast(mean, held), ops.cast(variance, held)


def _whole_moments(x: Any, axes: Any, keepdims: bool) -> tuple[Any, Any]:
    """Moments of integers, cut off towards zero after each step, as integer arithmetic does."""
    mean = ops.trunc(ops.mean(x, axis=axes, keepdims=True))
    variance = ops.mean(ops.square(ops.subtract(x, mean)), axis=axes, keepdims=True)
    return (mean, variance) if keepdims else (ops.squeeze(mean, axes), ops.squeeze(variance, axes))


@op(static=("axes", "keepdims"))
def _weighted_moments(x: Any, weights: Any, axes: Any, keepdims: bool) -> tuple[Any, Any]:
    x = as_float(x)
    weights = jnp.broadcast_to(weights.astype(x.dtype), x.shape)
    total = jnp.sum(weights, axis=axes, keepdims=True)
    mean = jnp.sum(weights * x, axis=axes, keepdims=True) / total
    variance = jnp.sum(weights * jnp.square(x - mean), axis=axes, keepdims=True) / total
    return (mean, variance) if keepdims else (jnp.squeeze(mean, axes), jnp.squeeze(variance, axes))


@face
def weighted_moments(
    x: Any, axes: Any, frequency_weights: Any, keepdims: bool = False, name: str | None = None
) -> tuple[Any, Any]:
    """Mean and variance over axes, in which each element counts as often as its weight says."""
    return _weighted_moments(*tensors(x, frequency_weights), static_value(axes, "axes"), bool(keepdims))


@op
def _normalized(x: Any, mean: Any, variance: Any, offset: Any, scale: Any, epsilon: Any) -> Any:
    x = as_float(x)
    inverse = 1 / jnp.sqrt(variance + epsilon)
    inverse = inverse if scale is None else inverse * scale
    shift = -mean * inverse if offset is None else offset - mean * inverse
    return x * inverse.astype(x.dtype) + shift.astype(x.dtype)


@face
def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: Any, name: str | None = None
) -> Any:
    """``scale * (x - mean) / sqrt(variance + epsilon) + offset``; statistics broadcast to ``x``."""
    return _normalized(
        *(None if v is None else tensor(v) for v in (x, mean, variance, offset, scale)), variance_epsilon
    )


@face
def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Any:
    """A vector added along the channels: the last axis, or axis 1 for data formats that begin with ``"NC"``."""
    value, bias = tensors(value, bias)
    if data_format is not None and not (data_format.startswith("NC") or data_format[0] + data_format[-1] == "NC"):
        raise ValueError(
            f"tf.nn.bias_add: `data_format` has C last (`N...C`) or second (`NC...`), received {data_format!r}."
        )
    if data_format is not None and data_format.startswith("NC"):
        bias = ops.reshape(bias, (-1, *(1 for _ in range(len(value.shape) - 2))))
    elif len(bias.shape) != 1:
        raise ValueError(f"tf.nn.bias_add: the bias must be a vector, received shape {tuple(bias.shape)}.")
    return ops.add(value, bias)


@face
def embedding_lookup(params: Any, ids: Any, max_norm: Any = None, name: str | None = None) -> Any:
    """Rows of a matrix by number; rows longer than ``max_norm`` are scaled down to it."""
    if isinstance(params, (list, tuple)):
        if len(params) != 1:
            raise NotSupportedError(
                "tf.nn.embedding_lookup: a matrix in several parts is not offered; concat them first."
            )
        params = params[0]
    rows = gather(params, ids)
    if max_norm is None:
        return rows
    start = len(shape_of(ids))
    return clip_by_norm(rows, max_norm, axes=list(range(start, len(rows.shape))))


@op(static=("depth_radius",))
def _local_response(x: Any, bias: Any, alpha: Any, beta: Any, depth_radius: int) -> Any:
    x = as_float(x)
    square = jnp.pad(x * x, [(0, 0)] * (x.ndim - 1) + [(depth_radius, depth_radius)])
    total = sum(square[..., i : i + x.shape[-1]] for i in range(2 * depth_radius + 1))
    return x / (bias + alpha * total) ** beta


@face
def local_response_normalization(
    input: Any, depth_radius: int = 5, bias: float = 1, alpha: float = 1, beta: float = 0.5, name: str | None = None
) -> Any:
    """Divided by ``(bias + alpha * s)**beta``, with the sum ``s`` of squares over the neighbouring channels."""
    return _local_response(tensor(input), float(bias), float(alpha), float(beta), depth_radius=int(depth_radius))


lrn = local_response_normalization


@op(static=("noise_shape",))
def _dropped(seed: Any, x: Any, rate: Any, noise_shape: Any) -> Any:
    x = as_float(x)
    sizes = x.shape if noise_shape is None else noise_shape
    sizes = tuple(x.shape[axis] if size is None else size for axis, size in enumerate(sizes))
    key = jax.random.wrap_key_data(seed, impl="threefry2x32")
    mask = jax.random.uniform(key, sizes, jnp.float32) >= jnp.asarray(rate, jnp.float32)
    return jnp.where(mask, x / (1 - jnp.asarray(rate, x.dtype)), jnp.zeros((), x.dtype))


@face
def dropout(x: Any, rate: Any, noise_shape: Any = None, seed: int | None = None, name: str | None = None) -> Any:
    """Zeros with probability ``rate``, the rest divided by ``1 - rate``.

    Args:
        x: tensor.
        rate: probability of a zero, 0 to 1 (not included).
        noise_shape: sizes of the mask, which is broadcast to ``x``.
        seed: int, for the same sequence of masks in every run; see ``tf.random.set_seed``.
    """
    x = tensor(x)
    shape = None if noise_shape is None else static_value(noise_shape, "noise_shape")
    if isinstance(rate, (int, float)) and not 0 <= rate < 1:
        raise ValueError(f"tf.nn.dropout: `rate` must lie in [0, 1), received {rate}.")
    return _dropped(operation_key(seed, "dropout"), x, rate, noise_shape=shape)
