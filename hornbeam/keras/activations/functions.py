"""Activation functions whose face differs from the op of that name, and those that are no op."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.door import op
from hornbeam.ops import activations as ops
from hornbeam.ops.numpy.elementwise import exp
from hornbeam.ops.promotion import as_float, promote, to_dtype
from hornbeam.ops.rectified import rectified, rectified_up_to_6

__all__ = ["exponential", "gelu", "linear", "mish", "relu"]


@op(static=("negative_slope", "max_value", "threshold"))
def _bent_relu(x: Any, negative_slope: float, max_value: float | None, threshold: float) -> jax.Array:
    x = promote(x)[0]
    below = rectified(to_dtype(threshold, x.dtype) - x)
    if threshold:
        out = jnp.where(x > to_dtype(threshold, x.dtype), x, jnp.zeros((), x.dtype))
    elif max_value == 6:
        out = rectified_up_to_6(x)
    else:
        out = rectified(x)
    if max_value is not None and (threshold or max_value != 6):
        out = jnp.clip(out, to_dtype(0.0, x.dtype), to_dtype(max_value, x.dtype))
    return out - negative_slope * below if negative_slope else out


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """Rectified linear unit: ``max(x, 0)`` by default.

    Args:
        x: tensor.
        negative_slope: slope below the threshold.
        max_value: largest value of the result, ``None`` for no limit.
        threshold: values up to it count as zero.

    References: Keras ``keras.activations.relu``.
    """
    if not threshold and max_value is None:
        return ops.leaky_relu(x, negative_slope=negative_slope) if negative_slope else ops.relu(x)
    return _bent_relu(x, negative_slope=negative_slope, max_value=max_value, threshold=threshold)


def gelu(x: Any, approximate: bool = False) -> Any:
    """Gaussian error linear unit: ``x`` times the probability that a standard normal value is below ``x``.

    Args:
        x: tensor.
        approximate: True uses the formula with tanh.

    References: Keras ``keras.activations.gelu``.
    """
    return ops.gelu(x, approximate=approximate)


def exponential(x: Any) -> Any:
    """``exp(x)``.

    References: Keras ``keras.activations.exponential``.
    """
    return exp(x)


def linear(x: Any) -> Any:
    """The input itself.

    References: Keras ``keras.activations.linear``.
    """
    return x


@op
def mish(x: Any) -> jax.Array:
    """``x * tanh(softplus(x))``.

    References: Misra 2019. Keras ``keras.activations.mish``.
    """
    x = as_float(x)
    return x * jnp.tanh(jax.nn.softplus(x))
