"""Schedules along a cosine, once or with restarts."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from hornbeam.keras.optimizers.schedules.base import FormulaSchedule, check_decay_steps, number


class CosineDecay(FormulaSchedule):
    """Half a cosine from the initial rate to ``alpha`` times it, with a linear warm-up before if wanted.

    Args:
        initial_learning_rate: rate at step 0.
        decay_steps: length of the decay; above 0.
        alpha: share of the rate that is left at the end.
        name: name.
        warmup_target: rate at the end of the warm-up, from which the decay starts; None for no warm-up.
        warmup_steps: length of the warm-up.

    References: Keras ``optimizers.schedules.CosineDecay``; Loshchilov and Hutter, 2016, equation 5.
    """

    pure = True
    config_keys = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        check_decay_steps(decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def rate(self, step: Any) -> Any:
        initial = number(self.initial_learning_rate)
        length = number(self.decay_steps, initial.dtype)
        step = step.astype(initial.dtype)
        if self.warmup_target is None:
            return self._decayed(jnp.minimum(step, length), length, initial)
        target = number(self.warmup_target, initial.dtype)
        warmup = number(self.warmup_steps, initial.dtype)
        step = jnp.minimum(step, length + warmup)
        # Without warm-up steps the first form divides by 0, but is never chosen.
        rising = (target - initial) * (step / warmup) + initial
        return jnp.where(step < warmup, rising, self._decayed(step - warmup, length, target))

    def _decayed(self, step: Any, length: Any, start: Any) -> Any:
        return start * ((1 - self.alpha) * (0.5 * (1.0 + jnp.cos(math.pi * (step / length)))) + self.alpha)


class CosineDecayRestarts(FormulaSchedule):
    """Half a cosine that starts again and again, each time over more steps and from a lower rate.

    Args:
        initial_learning_rate: rate at step 0.
        first_decay_steps: length of the first period; above 0.
        t_mul: length of a period relative to the one before.
        m_mul: initial rate of a period relative to the one before.
        alpha: share of the initial rate that is left at the end of a period.
        name: name.

    References: Keras ``optimizers.schedules.CosineDecayRestarts``; Loshchilov and Hutter, 2016.
    """

    pure = True

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        check_decay_steps(first_decay_steps, "first_decay_steps")
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self._t_mul = t_mul
        self._m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def rate(self, step: Any) -> Any:
        initial = number(self.initial_learning_rate)
        dtype = initial.dtype
        growth = number(self._t_mul, dtype)
        done = step.astype(dtype) / number(self.first_decay_steps, dtype)
        if self._t_mul == 1.0:
            restarts = jnp.floor(done)
            done = done - restarts
        else:
            # Number of whole periods: the geometric series of their lengths, solved for its length.
            restarts = jnp.floor(jnp.log(1.0 - done * (1.0 - growth)) / jnp.log(growth))
            before = (1.0 - jnp.power(growth, restarts)) / (1.0 - growth)
            done = (done - before) / jnp.power(growth, restarts)
        height = jnp.power(number(self._m_mul, dtype), restarts)
        cosine = 0.5 * height * (1.0 + jnp.cos(math.pi * done))
        alpha = number(self.alpha, dtype)
        return initial * ((1 - alpha) * cosine + alpha)

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self._t_mul,
            "m_mul": self._m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }
