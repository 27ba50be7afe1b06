"""The one place that touches JAX interfaces which move between versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.core
import jax.extend.core
import numpy as np

try:
    # The class itself, because ``isinstance(x, jax.Array)`` is ten times slower than ``type(x) is``.
    from jaxlib._jax import ArrayImpl
except ImportError:  # the class moved: ask a real array, at the price of starting the backend now
    ArrayImpl = type(jax.device_put(np.zeros(())))  # type: ignore[misc,assignment]

Tracer = jax.core.Tracer
Array = jax.Array
wide_types = jax.enable_x64
"""Context manager; inside ``with wide_types(True)`` JAX keeps 64-bit dtypes."""


def capture_jaxpr(function: Callable, args: Sequence[Any]) -> tuple[Any, Any]:
    """Trace ``function(*args)`` once; returns (closed jaxpr, pytree of output structs)."""
    return jax.make_jaxpr(function, return_shape=True)(*args)


def eval_jaxpr(closed: Any, consts: Sequence[Any], flat_args: Sequence[Any]) -> list[Any]:
    """Run a captured program with other constants."""
    return jax.core.eval_jaxpr(closed.jaxpr, consts, *flat_args)


_EAGER_TRACE = type(jax.extend.core.find_top_trace(()))


def is_tracing() -> bool:
    """True inside ``jit``, ``grad``, ``vmap``, ``make_jaxpr`` and the like."""
    return type(jax.extend.core.find_top_trace(())) is not _EAGER_TRACE
