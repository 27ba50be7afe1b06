"""Activation functions, elementwise and over an axis.

Floating inputs keep their dtype; integers become float32, except where the function only clips (``relu``,
``hard_tanh``), which keeps them. Parameters such as ``alpha`` may be Python numbers or tensors.
"""

from __future__ import annotations

import warnings
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.door import op
from hornbeam.ops.promotion import as_float, promote
from hornbeam.ops.rectified import rectified, rectified_up_to_6
from hornbeam.ops.swish import swish_of

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh_shrink",
    "threshold",
]


@op
def relu(x: Any) -> jax.Array:
    """Rectified linear unit: ``max(x, 0)``; its gradient at 0 is 0."""
    return promote(rectified(promote(x)[0]))[0]


@op
def relu6(x: Any) -> jax.Array:
    """Rectified linear unit capped at 6: ``min(max(x, 0), 6)``; its gradient at 0 and at 6 is 0."""
    return rectified_up_to_6(as_float(x))


@op
def sigmoid(x: Any) -> jax.Array:
    """Logistic function: ``1 / (1 + exp(-x))``."""
    return jax.nn.sigmoid(as_float(x))


@op
def sparse_sigmoid(x: Any) -> jax.Array:
    """Piecewise linear sigmoid: 0 below -1, 1 above 1, ``(x + 1) / 2`` between."""
    return jax.nn.sparse_sigmoid(as_float(x))


@op
def tanh_shrink(x: Any) -> jax.Array:
    """What the hyperbolic tangent takes away: ``x - tanh(x)``."""
    x = as_float(x)
    return x - jnp.tanh(x)


@op
def softplus(x: Any) -> jax.Array:
    """Smooth relu: ``log(1 + exp(x))``, without overflow for large ``x``."""
    return jax.nn.softplus(as_float(x))


@op
def softsign(x: Any) -> jax.Array:
    """Soft sign: ``x / (1 + |x|)``."""
    return jax.nn.soft_sign(as_float(x))


@op(adapt=True)
def soft_shrink(x: Any, threshold: Any = 0.5) -> jax.Array:
    """Move ``x`` towards 0 by ``threshold``; 0 where ``|x| <= threshold``."""
    x, threshold = promote(x, threshold, at_least=float)
    return jnp.where(x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, jnp.zeros((), x.dtype)))


@op(adapt=True)
def hard_shrink(x: Any, threshold: Any = 0.5) -> jax.Array:
    """``x`` where ``|x| > threshold``, else 0."""
    x, threshold = promote(x, threshold, at_least=float)
    return jnp.where(jnp.abs(x) > threshold, x, jnp.zeros((), x.dtype))


@op(adapt=True)
def threshold(x: Any, threshold: Any, default_value: Any) -> jax.Array:
    """``x`` where ``x > threshold``, else ``default_value``."""
    kept, other = promote(x, default_value)
    return jnp.where(jnp.greater(*promote(x, threshold)), kept, other)


@op
def sparse_plus(x: Any) -> jax.Array:
    """Piecewise quadratic softplus: 0 below -1, ``x`` above 1, ``(x + 1)^2 / 4`` between."""
    return jax.nn.sparse_plus(as_float(x))


@op
def silu(x: Any) -> jax.Array:
    """Sigmoid linear unit (swish): ``x * sigmoid(x)``."""
    return swish_of(as_float(x))


@op(adapt=True)
def squareplus(x: Any, b: Any = 4) -> jax.Array:
    """Algebraic softplus: ``(x + sqrt(x^2 + b)) / 2``."""
    x, b = promote(x, b, at_least=float)
    return jax.nn.squareplus(x, b=b)


@op
def log_sigmoid(x: Any) -> jax.Array:
    """Logarithm of the logistic function: ``-softplus(-x)``."""
    return jax.nn.log_sigmoid(as_float(x))


@op(adapt=True)
def leaky_relu(x: Any, negative_slope: Any = 0.2) -> jax.Array:
    """``x`` where ``x >= 0``, else ``negative_slope * x``."""
    x, negative_slope = promote(x, negative_slope, at_least=float)
    return jax.nn.leaky_relu(x, negative_slope=negative_slope)


@op
def hard_sigmoid(x: Any) -> jax.Array:
    """Piecewise linear sigmoid: ``relu6(x + 3) / 6``."""
    return jax.nn.hard_sigmoid(as_float(x))


@op
def hard_silu(x: Any) -> jax.Array:
    """Hard swish: ``x * hard_sigmoid(x)``."""
    return jax.nn.hard_silu(as_float(x))


@op(adapt=True)
def elu(x: Any, alpha: Any = 1.0) -> jax.Array:
    """Exponential linear unit: ``x`` where ``x > 0``, else ``alpha * (exp(x) - 1)``."""
    x, alpha = promote(x, alpha, at_least=float)
    return jax.nn.elu(x, alpha=alpha)


@op
def selu(x: Any) -> jax.Array:
    """Scaled exponential linear unit, whose constants keep mean 0 and variance 1 through a network."""
    return jax.nn.selu(as_float(x))


@op(static=("approximate",))
def gelu(x: Any, approximate: bool = True) -> jax.Array:
    """Gaussian error linear unit: ``x * P(N(0, 1) <= x)``.

    Args:
        x: tensor.
        approximate: use the formula with ``tanh``; False uses the error function.
    """
    return jax.nn.gelu(as_float(x), approximate=bool(approximate))


@op(adapt=True)
def celu(x: Any, alpha: Any = 1.0) -> jax.Array:
    """Continuously differentiable exponential linear unit: ``max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))``."""
    x, alpha = promote(x, alpha, at_least=float)
    return jax.nn.celu(x, alpha=alpha)


@op(static=("axis",))
def glu(x: Any, axis: int = -1) -> jax.Array:
    """Gated linear unit: first half of ``axis`` times the sigmoid of the second half.

    Raises:
        ValueError: the size of the axis is odd.
    """
    x = as_float(x)
    if x.shape[axis] % 2:
        raise ValueError(f"glu() halves axis {axis}, so its size must be even. Received: x.shape={tuple(x.shape)}")
    return jax.nn.glu(x, axis=axis)


@op
def hard_tanh(x: Any) -> jax.Array:
    """Clip to [-1, 1]."""
    return promote(jax.nn.hard_tanh(promote(x)[0]))[0]


@op(static=("axis",))
def softmax(x: Any, axis: Any = -1) -> jax.Array:
    """Exponentials divided by their sum along ``axis`` (an int, a tuple of ints, or None for all)."""
    x = as_float(x)
    if isinstance(axis, int) and -x.ndim <= axis < x.ndim and x.shape[axis] == 1:
        warnings.warn(
            f"softmax over axis {axis} of shape {tuple(x.shape)}: the axis has size 1, so every result is 1. For one "
            "output take `sigmoid`.",
            stacklevel=2,
        )
    return jax.nn.softmax(x, axis=axis)


@op(static=("axis",))
def log_softmax(x: Any, axis: Any = -1) -> jax.Array:
    """Logarithm of ``softmax``: ``x - logsumexp(x)`` along ``axis``."""
    return jax.nn.log_softmax(as_float(x), axis=axis)


@op(static=("axis",))
def sparsemax(x: Any, axis: int = -1) -> jax.Array:
    """Euclidean projection onto the probability simplex along ``axis``: a softmax with exact zeros.

    References: Martins and Astudillo 2016, algorithm 1; Keras `ops.sparsemax`.
    """
    x = as_float(x)
    ordered = -jnp.sort(-x, axis=axis)
    total = jnp.cumsum(ordered, axis=axis, dtype=x.dtype)
    rank = jnp.arange(1, x.shape[axis] + 1, dtype=x.dtype)
    rank = jnp.expand_dims(rank, [a for a in range(x.ndim) if a != axis % x.ndim])
    support = ordered - (total - 1) / rank > 0
    size = jnp.sum(support, axis=axis, keepdims=True, dtype=x.dtype)
    # Keras adds up all partial sums of the support, where the paper takes the last one; its numbers are the contract.
    tau = (jnp.sum(jnp.where(support, total, 0), axis=axis, keepdims=True) - 1) / size
    return jnp.maximum(x - tau, 0)
