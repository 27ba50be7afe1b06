"""How XLA compiles a whole program on the CPU.

XLA has two libraries for convolutions there. Its default, YNNPACK, leaves all but one core idle where a convolution
has few filters, and is no faster elsewhere; only tiny networks gain from it, by its lower cost of a call. So programs
with much work in convolutions have them done by the other one, Eigen (``docs/decisions.md``).

And by default its loops use half of each register of processors with AVX-512, as the first ones became slower with
whole ones. Later ones do not, so there loops use all of it: inference of EfficientNetB0, where ``exp`` is a third of
the work, takes 0.75 of the time.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.engine import loops, platform

_LIBRARY, _WIDTH = "xla_cpu_experimental_ynn_fusion_type", "xla_cpu_prefer_vector_width"
_ALL_BUT_CONVOLUTIONS = {_LIBRARY: "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,LIBRARY_FUSION_TYPE_REDUCE"}
_WHOLE_REGISTERS = {_WIDTH: "512"}
_MUCH_WORK = 1e9
"""Operations of the convolutions of one run."""
_LATER_FEATURE = "avx512_vbmi2"
"""Of processors with AVX-512, those since Ice Lake and Zen 4 have it."""


def options(closed_jaxpr: Any) -> dict[str, str] | None:
    """``compiler_options`` of ``jax.jit`` for a program that is compiled as a whole; None for the usual ones."""
    if not platform.is_cpu():
        return None
    chosen: dict[str, str] = {}
    if _has_wide_registers() and _may_choose(_WHOLE_REGISTERS):
        chosen |= _WHOLE_REGISTERS
    if loops.work_in_convolutions(closed_jaxpr) >= _MUCH_WORK and _may_choose(_ALL_BUT_CONVOLUTIONS):
        chosen |= _ALL_BUT_CONVOLUTIONS
    return chosen or None


def _may_choose(option: dict[str, str]) -> bool:
    """False if the user has, or if this XLA has no such option."""
    ((name, value),) = option.items()
    return name not in os.environ.get("XLA_FLAGS", "") and _is_known(name, value)


@functools.cache
def _has_wide_registers() -> bool:
    try:
        return _LATER_FEATURE in Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:  # not on Linux
        return False


@functools.cache
def _is_known(name: str, value: str) -> bool:
    """True if this XLA has an option; none of them is a part of its interface."""
    try:
        jax.jit(lambda: jnp.zeros(()), compiler_options={name: value}).lower().compile()
    except (jax.errors.JaxRuntimeError, ValueError):
        return False
    return True
