"""How many training steps one XLA call should run.

A step of a small network takes less time than launching it from Python, so several are run in one program.
On CPU, XLA compiles convolutions inside a loop body much worse than outside (``docs/decisions.md``), so programs
with convolutions in them run step by step there.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

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
    flops, has_convolution = _work(closed_jaxpr.jaxpr)
    if has_convolution and platform == "cpu":
        return 1
    seconds = max(flops / _RATE.get(platform, _RATE["gpu"]), _LEAST_STEP_SECONDS)
    if seconds > _STEP_WORTH_LOOPING_SECONDS:
        return 1
    return max(1, int(CHUNK_SECONDS / seconds))


def _work(jaxpr: Any) -> tuple[float, bool]:
    """Operations in matrix products, and whether there is a convolution, in a program and all programs in it."""
    flops, convolution = 0.0, False
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        if name == "dot_general":
            (contract, _), _ = equation.params["dimension_numbers"]
            left = equation.invars[0].aval.shape
            size = float(np.prod([left[axis] for axis in contract], dtype=np.float64))
            flops += 2.0 * size * float(np.prod(equation.outvars[0].aval.shape, dtype=np.float64))
        elif name.startswith("conv_general"):
            convolution = True
        repeats = equation.params.get("length", 1) if name == "scan" else 1
        for value in equation.params.values():
            for inner in value if isinstance(value, (list, tuple)) else (value,):
                inner = getattr(inner, "jaxpr", inner)
                if hasattr(inner, "eqns"):
                    more, found = _work(inner)
                    flops += more * repeats
                    convolution = convolution or found
    return flops, convolution
