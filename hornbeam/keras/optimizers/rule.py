"""Arithmetic that optimizers share: slots, gradient clipping, weight decay, moving averages.

A rule is a pure function of arrays: ``(gradient, value, slots, learning_rate, step) -> (value, slots)``. It
holds no state and reads no variable, so that it runs alike in an eager step, in a compiled training step
and in ``stateless_apply``. The classes in the files beside this one give it a state and a face.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from hornbeam.core.frame import isolated
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import Tracer


class Slot(NamedTuple):
    """State that a rule keeps for each variable.

    Attributes:
        name: last part of the names of its variables, as Keras spells it.
        attribute: attribute of the optimizer that lists them.
        initial: number that every element starts with, or a function ``(variable) -> array``.
    """

    name: str
    attribute: str
    initial: float | Callable[[Variable], Any] = 0.0


def cast(number: Any, like: Any) -> Any:
    """A number or array as an array of the dtype of ``like``."""
    return jnp.asarray(number, like.dtype) if isinstance(number, (int, float)) else number.astype(like.dtype)


# --- gradients -----------------------------------------------------------------------------------
def clip_by_norm(gradient: Any, limit: float) -> Any:
    """Scale one gradient down so that its Euclidean norm is at most ``limit``."""
    square = jnp.sum(jnp.square(gradient), keepdims=True)
    norm = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, jnp.ones_like(square))), square)
    return gradient * limit / jnp.maximum(norm, limit)


def clip_by_global_norm(gradients: Sequence[Any], limit: float) -> list:
    """Scale all gradients by one factor so that their common Euclidean norm is at most ``limit``."""
    norm = jnp.sqrt(sum(jnp.sum(jnp.square(gradient)) for gradient in gradients))
    # The difference is 0 for a finite norm; for an infinite one it is NaN and makes the failure visible.
    scale = limit * jnp.minimum(1.0 / norm, 1.0 / limit) + (norm - norm)
    return [gradient * scale for gradient in gradients]


# --- values --------------------------------------------------------------------------------------
def decayed(value: Any, weight_decay: float, learning_rate: Any) -> Any:
    """``value - value * weight_decay * learning_rate``: decay that does not pass through the rule's slots."""
    return value - value * cast(weight_decay, value) * cast(learning_rate, value)


def moving_average(average: Any, value: Any, momentum: Any) -> Any:
    """``momentum * average + (1 - momentum) * value``."""
    return momentum * average + (1 - momentum) * value


def power(base: Any, step: Any, like: Any) -> Any:
    """``base ** step`` in the dtype of ``like``."""
    return jnp.power(cast(base, like), step.astype(like.dtype))


def toward(average: Any, target: Any, rate: Any) -> Any:
    """``average + (target - average) * rate``: the form in which Keras writes Adam's moments."""
    return average + (target - average) * rate


# --- conditions ----------------------------------------------------------------------------------
def run_either(predicate: Any, on_true: Callable[[], None], on_false: Callable[[], None] | None = None) -> None:
    """Run one of two functions that write variables, also where the predicate is traced.

    A traced predicate becomes one ``lax.cond``. Each function is traced once beforehand, outside of the
    condition: this shows which variables it reads, so that the frame around meets them at its own level, and which
    it writes. What that trace computes is dropped, and the compiler removes it.
    """
    on_false = on_false or _nothing
    if not isinstance(predicate, Tracer):
        (on_true if predicate else on_false)()
        return
    written: dict[Variable, Any] = {}
    for function in (on_true, on_false):
        written.update(isolated(function, {})[1])
    variables = list(written)
    before = [variable.read_array() for variable in variables]

    def branch(function: Callable[[], None]) -> Callable[[], list]:
        def run() -> list:
            after = isolated(function, {})[1]
            return [after.get(variable, old) for variable, old in zip(variables, before, strict=True)]

        return run

    for variable, value in zip(variables, jax.lax.cond(predicate, branch(on_true), branch(on_false)), strict=True):
        variable._write(value)


def _nothing() -> None:
    """The branch that changes no variable."""
