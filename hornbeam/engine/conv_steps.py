"""Convolutions that add, scale and rectify their result before they write it.

Inference of a network with BatchNormalization is a chain of convolutions, each followed by numbers per filter (bias,
scale, shift), often by a sum with an earlier array, and ReLU. oneDNN does these steps on results that are still in
registers; as loops of XLA's they read and write the whole array once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from hornbeam.engine import conv, onednn
from hornbeam.engine.conv_geometry import Geometry
from hornbeam.engine.jax_compat import bind_equation, final_operation
from hornbeam.engine.lazy_values import Elementwise, Lazy, Spread, shape_of

NAME = "hornbeam_conv_steps"
"""Name of the operation in programs."""
_EACH = {"add": "add", "mul": "multiply", "sub": "subtract"}


@dataclass(frozen=True)
class Steps:
    """A convolution and what is done to its result.

    Attributes:
        geometry: the window.
        steps: names of ``hornbeam_onednn.STEPS``.
    """

    geometry: Geometry
    steps: tuple[str, ...]


class Convolution(Lazy):
    """The result of a convolution alone."""

    def __init__(self, equation: Any, parts: Sequence[Lazy]) -> None:
        super().__init__(shape_of(equation), lambda: bind_equation(equation, [part.get() for part in parts])[0], parts)
        self.geometry, self.dtype = equation.params["spec"], equation.outvars[0].aval.dtype


def _written_out(x: Array, w: Array, *operands: Array, spec: Steps) -> Array:
    out, rest = conv.canonical(x, w, spec.geometry), iter(operands)
    for step in spec.steps:
        if step == "relu":
            out = lax.max(out, jnp.zeros((), out.dtype))
        elif step == "multiply":
            out = out * next(rest)
        else:
            out = out - next(rest) if step == "subtract" else out + next(rest)
    return out


def _on_cpu(x: Array, w: Array, *operands: Array, spec: Steps) -> Array:
    if onednn.takes(onednn.FORWARD, x.shape, w.shape, spec.geometry, (x.dtype, w.dtype), spec.steps):
        return onednn.forward(x, w, spec.geometry, spec.steps, operands)
    return _written_out(x, w, *operands, spec=spec)


_run = final_operation(
    NAME,
    shape=lambda x, w, *_, spec: conv._shape(x, w, spec.geometry),
    lowerings={None: _written_out, "cpu": _on_cpu},
)


# --- in programs ---------------------------------------------------------------------------------
def fused(value: Elementwise) -> Array | None:
    """The value by one call, if it is the end of such a chain and nobody else wants what lies between."""
    if value.dtype != jnp.float32 or len(value.shape) < 3 or value.name not in ("add", "max"):
        return None
    # Numbers per filter at the end are better left to what reads the result.
    is_end = value.name == "max" or all(_each(part, value) is None for part in value.parts)
    found = _chain(value) if is_end else None
    if found is None:
        return None
    source, steps, operands = found
    x, w = source.parts
    spec = Steps(source.geometry, tuple(steps))
    arrays = x.get(), w.get()
    dtypes = [array.dtype for array in arrays]
    if not onednn.takes(onednn.FORWARD, x.shape, w.shape, spec.geometry, dtypes, spec.steps):
        return None
    numbers = [operand.get() if each is None else each() for operand, each in operands]
    return _run(*arrays, *numbers, spec=spec)


def _chain(value: Lazy) -> tuple[Convolution, list[str], list[tuple[Lazy, Any]]] | None:
    """The convolution that a chain begins with, its steps, and their operands (with a maker of numbers per filter)."""
    if isinstance(value, Convolution):
        return (value, [], []) if value.dtype == jnp.float32 else None
    if not isinstance(value, Elementwise) or value.dtype != jnp.float32:
        return None
    for at in (1, 0) if value.name == "add" else (0, 1):
        before, other = value.parts[at], value.parts[1 - at] if len(value.parts) == 2 else value.parts[0]
        if len(value.parts) != 2 or before.users != 1 or before.shape != value.shape or isinstance(before, Spread):
            continue
        each, step, operand = _each(other, value), None, []
        if value.name == "max" and other.number is not None and other.number == 0:
            step = "relu"
        elif each is not None and (value.name in ("add", "mul") or (value.name == "sub" and at == 0)):
            step, operand = _EACH[value.name], [(other, each)]
        elif value.name == "add" and other.shape == value.shape:
            step, operand = "add array", [(other, None)]
        found = _chain(before) if step is not None else None
        if step is None or found is None or len(found[1]) == onednn.MOST_STEPS:
            continue
        return found[0], [*found[1], step], [*found[2], *operand]
    return None


def _each(value: Lazy, like: Lazy) -> Any:
    """What gives a value as one number per filter; None if it is none."""
    size = like.shape[-1]
    if value.shape == (*[1] * (len(like.shape) - 1), size):
        return lambda: value.get().reshape(size)
    is_spread = isinstance(value, Spread) and value.axes == (len(like.shape) - 1,) and value.source.shape == (size,)
    return value.source.get if is_spread and isinstance(value, Spread) else None
