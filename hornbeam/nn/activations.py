"""Activation functions."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.math.elementwise import tanh
from hornbeam.math.special import log_softmax, sigmoid, softmax, softplus, softsign
from hornbeam.tensors.face import face, tensor

__all__ = [
    "crelu",
    "elu",
    "gelu",
    "leaky_relu",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "swish",
    "tanh",
]


@face
def relu(features: Any, name: str | None = None) -> Any:
    """``max(x, 0)``."""
    return ops.relu(features)


@face
def relu6(features: Any, name: str | None = None) -> Any:
    """``min(max(x, 0), 6)``."""
    return ops.relu6(features)


@face
def crelu(features: Any, axis: int = -1, name: str | None = None) -> Any:
    """``relu(x)`` and ``relu(-x)`` side by side along an axis."""
    x = tensor(features)
    return ops.relu(ops.concatenate([x, ops.negative(x)], axis=axis))


@face
def leaky_relu(features: Any, alpha: Any = 0.2, name: str | None = None) -> Any:
    """``x`` where it is positive, else ``alpha * x``."""
    return ops.leaky_relu(features, alpha)


@face
def elu(features: Any, name: str | None = None) -> Any:
    """``x`` where it is positive, else ``exp(x) - 1``."""
    return ops.elu(features)


@face
def selu(features: Any, name: str | None = None) -> Any:
    """Scaled ``elu``, whose constants keep mean 0 and variance 1 through a network."""
    return ops.selu(features)


@face
def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Any:
    """``x`` times the probability that a standard normal number is below it; ``approximate`` uses ``tanh``."""
    return ops.gelu(features, approximate=bool(approximate))


@face
def silu(features: Any, beta: Any = 1.0) -> Any:
    """``x * sigmoid(beta * x)``."""
    x = tensor(features)
    if isinstance(beta, (int, float)) and beta == 1.0:
        return ops.silu(x)
    return ops.multiply(x, ops.sigmoid(ops.multiply(x, beta)))


swish = silu
