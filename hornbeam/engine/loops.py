"""How many training steps one XLA call should run.

A step of a small network takes less time than launching it from Python, so several are run in one program.
On CPU, XLA compiles convolutions whose dimensions are not in the canonical order much worse inside a loop body than
outside (``docs/decisions.md``), so programs with such convolutions in them run step by step there. Those of
``engine.conv`` and their gradients are canonical.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from hornbeam.engine import conv

CHUNK_SECONDS = 0.05
"""Length of a chunk to aim at: long enough to hide Python, short enough for live progress and Ctrl-C."""
_LEAST_STEP_SECONDS = 1e-4
_STEP_WORTH_LOOPING_SECONDS = 3e-3
_RATE = {"cpu": 5e10, "gpu": 5e12, "tpu": 2e13}
"""Assumed floating point operations per second, on the low side."""


def steps_per_call(closed_jaxpr: Any, platform: str | None = None) -> int:
    """Steps to run per XLA call, from an estimate of the work in one step; 1 is always right.

    Args:
        closed_jaxpr: one training step.
        platform: ``"cpu"``, ``"gpu"`` ...; that of the default backend if not given.
    """
    platform = platform or jax.default_backend()
    work = _work(closed_jaxpr.jaxpr)
    flops, is_slow_in_loops = work.products + work.convolutions, work.is_slow_in_loops
    if is_slow_in_loops and platform == "cpu":
        return 1
    seconds = max(flops / _RATE.get(platform, _RATE["gpu"]), _LEAST_STEP_SECONDS)
    if seconds > _STEP_WORTH_LOOPING_SECONDS:
        return 1
    return max(1, int(CHUNK_SECONDS / seconds))


def work_in_convolutions(closed_jaxpr: Any) -> float:
    """Operations that one run of a program spends in dense convolutions."""
    return _work(closed_jaxpr.jaxpr).convolutions


@dataclass
class _Work:
    """Operations in a program and in all programs inside of it.

    Attributes:
        products: those of matrix products, and of convolutions in many groups, which are no work for a library.
        convolutions: those of the other convolutions.
        is_slow_in_loops: whether one is much slower inside a loop.
    """

    products: float = 0.0
    convolutions: float = 0.0
    is_slow_in_loops: bool = False


def _work(jaxpr: Any) -> _Work:
    work = _Work()
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        if name == "dot_general":
            (contract, _), _ = equation.params["dimension_numbers"]
            left = equation.invars[0].aval.shape
            size = float(np.prod([left[axis] for axis in contract], dtype=np.float64))
            work.products += 2.0 * size * float(np.prod(equation.outvars[0].aval.shape, dtype=np.float64))
        elif name == conv.CANONICAL:
            x, w = (operand.aval.shape for operand in equation.invars)
            flops, groups = conv.flops(x, w, equation.params["spec"]), equation.params["spec"].groups
            if groups == 1:
                work.convolutions += flops
            else:
                work.products += flops
        elif name == "conv_general_dilated":
            kernel, numbers = equation.invars[1].aval.shape, equation.params["dimension_numbers"]
            per_output = np.prod(kernel, dtype=np.float64) / kernel[numbers.rhs_spec[0]]
            work.convolutions += 2.0 * float(per_output * np.prod(equation.outvars[0].aval.shape, dtype=np.float64))
            work.is_slow_in_loops |= not _is_canonical(equation.params)
        repeats = equation.params.get("length", 1) if name == "scan" else 1
        for value in equation.params.values():
            for inner in value if isinstance(value, (list, tuple)) else (value,):
                inner = getattr(inner, "jaxpr", inner)
                if hasattr(inner, "eqns"):
                    more = _work(inner)
                    work.products += more.products * repeats
                    work.convolutions += more.convolutions * repeats
                    work.is_slow_in_loops |= more.is_slow_in_loops
    return work


def _is_canonical(params: dict[str, Any]) -> bool:
    """True for a convolution that XLA on CPU takes as it is."""
    numbers = params["dimension_numbers"]
    last = len(numbers.lhs_spec) - 1
    space = tuple(range(1, last))
    data, kernel = (0, last, *space), (last, last - 1, *range(last - 1))
    return (
        params["batch_group_count"] == 1
        and tuple(numbers.lhs_spec) == tuple(numbers.out_spec) == data
        and tuple(numbers.rhs_spec) == kernel
    )
