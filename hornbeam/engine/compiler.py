"""How XLA compiles a whole program on the CPU.

XLA has two libraries for convolutions there. Its default, YNNPACK, leaves all but one core idle where a convolution
has few filters, and is no faster elsewhere; only tiny networks gain from it, by its lower cost of a call. So programs
with much work in convolutions have them done by the other one, Eigen (``docs/decisions.md``).
"""

from __future__ import annotations

import functools
import os
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.engine import loops, platform

_OPTION = "xla_cpu_experimental_ynn_fusion_type"
_ALL_BUT_CONVOLUTIONS = {_OPTION: "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,LIBRARY_FUSION_TYPE_REDUCE"}
_MUCH_WORK = 1e9
"""Operations of the convolutions of one run."""


def options(closed_jaxpr: Any) -> dict[str, str] | None:
    """``compiler_options`` of ``jax.jit`` for a program that is compiled as a whole; None for the usual ones."""
    if not platform.is_cpu() or _OPTION in os.environ.get("XLA_FLAGS", ""):
        return None
    much = loops.work_in_convolutions(closed_jaxpr) >= _MUCH_WORK
    return _ALL_BUT_CONVOLUTIONS if much and _is_known() else None


@functools.cache
def _is_known() -> bool:
    """True if this XLA has the option, which is marked as experimental."""
    try:
        jax.jit(lambda: jnp.zeros(()), compiler_options=_ALL_BUT_CONVOLUTIONS).lower().compile()
    except (jax.errors.JaxRuntimeError, ValueError):
        return False
    return True
