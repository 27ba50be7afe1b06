"""Mean and variance of each channel, chosen by platform.

XLA on the CPU reads the array for the mean, writes it again without its mean, and reads that for the variance. Where
oneDNN's package is, both take one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from hornbeam.engine import onednn, platform
from hornbeam.engine.jax_compat import undifferentiated_primitive

NAME = "hornbeam_moments"
"""Name of the operation in programs: an array to the means and biased variances along its last axis."""


def takes(shape: Sequence[Any], dtype: Any) -> bool:
    """True if there is a better way than reductions for the statistics of all axes but the last."""
    return platform.is_cpu() and onednn.takes_moments(shape, dtype)


@jax.custom_jvp
def moments(x: Array, stored: Array) -> tuple[Array, Array]:
    """Mean and biased variance of all axes but the last, in float32.

    Args:
        x: float32.
        stored: the same as it lies in memory, of what ``takes`` says; it is read, and derivatives are those by ``x``.
    """
    return measured(stored)


@moments.defjvp
def _slope(
    primals: tuple[Array, Array], tangents: tuple[Array, Array]
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    (x, stored), (dx, _) = primals, tangents
    axes = tuple(range(x.ndim - 1))
    mean, variance = moments(x, stored)
    # The mean moves with x too, but what that adds to the variance's derivative is zero.
    return (mean, variance), (jnp.mean(dx, axis=axes), 2 * jnp.mean((x - mean) * dx, axis=axes))


def measured(stored: Array) -> tuple[Array, Array]:
    """The same without derivatives."""
    mean, variance = _run(stored)
    return mean, variance


def _by_reductions(x: Array) -> tuple[Array, Array]:
    x, axes = x.astype(jnp.float32), tuple(range(x.ndim - 1))
    return jnp.mean(x, axis=axes), jnp.var(x, axis=axes)


def _on_cpu(x: Array) -> tuple[Array, Array]:
    return onednn.moments(x) if onednn.takes_moments(x.shape, x.dtype) else _by_reductions(x)


def _results(x: Any) -> list[Any]:
    return [((x.shape[-1],), jnp.dtype("float32"))] * 2


_run = undifferentiated_primitive(NAME, results=_results, lowerings={None: _by_reductions, "cpu": _on_cpu})
