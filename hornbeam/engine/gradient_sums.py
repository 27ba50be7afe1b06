"""Sums per channel of a gradient and of its products with an array, chosen by platform.

The gradient of BatchNormalization begins with both. XLA on the CPU takes a pass over memory for each, and writes
bfloat16 out as float32 before; where oneDNN's package is, one pass reads what is there.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from hornbeam.engine import onednn
from hornbeam.engine.jax_compat import undifferentiated_primitive

NAME = "hornbeam_gradient_sums"
"""Name of the operation in programs: a gradient and an array to two sums over all axes but the last."""


def gradient_sums(gradient: Array, x: Array) -> tuple[Array, Array]:
    """Sums over all axes but the last, in float32: of the gradient, and of its products with ``x``; no derivatives.

    Args:
        gradient: float32 or bfloat16.
        x: the same shape.
    """
    total, of_products = _run(gradient, x)
    return total, of_products


def _by_reductions(gradient: Array, x: Array) -> tuple[Array, Array]:
    gradient, x, axes = gradient.astype(jnp.float32), x.astype(jnp.float32), tuple(range(x.ndim - 1))
    return jnp.sum(gradient, axis=axes), jnp.sum(gradient * x, axis=axes)


def _on_cpu(gradient: Array, x: Array) -> tuple[Array, Array]:
    if gradient.dtype != x.dtype:
        gradient, x = gradient.astype(jnp.float32), x.astype(jnp.float32)
    return onednn.gradient_sums(gradient, x) if onednn.takes_moments(x.shape, x.dtype) else _by_reductions(gradient, x)


def _results(gradient: Any, x: Any) -> list[Any]:
    return [((x.shape[-1],), jnp.dtype("float32"))] * 2


_run = undifferentiated_primitive(NAME, results=_results, lowerings={None: _by_reductions, "cpu": _on_cpu})
