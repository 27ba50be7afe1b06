"""Schedules that fall: exponentially, as the inverse of time, as a polynomial, in steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from hornbeam.keras.optimizers.schedules.base import FormulaSchedule, check_decay_steps, number


class ExponentialDecay(FormulaSchedule):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``.

    Args:
        initial_learning_rate: rate at step 0.
        decay_steps: steps over which the rate is multiplied by ``decay_rate`` once; above 0.
        decay_rate: the factor.
        staircase: use the whole part of the exponent, so that the rate falls in stairs.
        name: name.

    References: Keras ``optimizers.schedules.ExponentialDecay``.
    """

    pure = True
    config_keys = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        check_decay_steps(decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def rate(self, step: Any) -> Any:
        initial, exponent = _start(self, step)
        return initial * jnp.power(number(self.decay_rate, initial.dtype), exponent)


class InverseTimeDecay(FormulaSchedule):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``.

    Args:
        initial_learning_rate: rate at step 0.
        decay_steps: unit of the step; above 0.
        decay_rate: how much the divisor grows in ``decay_steps`` steps.
        staircase: use the whole part of ``step / decay_steps``.
        name: name.

    References: Keras ``optimizers.schedules.InverseTimeDecay``.
    """

    pure = True
    config_keys = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        check_decay_steps(decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def rate(self, step: Any) -> Any:
        initial, time = _start(self, step)
        return initial / (1 + number(self.decay_rate, initial.dtype) * time)


class PolynomialDecay(FormulaSchedule):
    """``(initial - end) * (1 - step / decay_steps) ** power + end``, constant from ``decay_steps`` on.

    Args:
        initial_learning_rate: rate at step 0.
        decay_steps: step at which the end is reached; above 0.
        end_learning_rate: rate at the end.
        power: exponent; 1 is a straight line.
        cycle: instead of staying at the end, go on with the next multiple of ``decay_steps`` above the step.
        name: name.

    References: Keras ``optimizers.schedules.PolynomialDecay``.
    """

    pure = True
    config_keys = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        check_decay_steps(decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def rate(self, step: Any) -> Any:
        initial = number(self.initial_learning_rate)
        end = number(self.end_learning_rate, initial.dtype)
        length = number(self.decay_steps, initial.dtype)
        step = step.astype(initial.dtype)
        if self.cycle:
            length = length * jnp.where(step == 0, 1.0, jnp.ceil(step / length))
        else:
            step = jnp.minimum(step, length)
        return (initial - end) * jnp.power(1 - step / length, number(self.power, initial.dtype)) + end


class PiecewiseConstantDecay(FormulaSchedule):
    """``values[0]`` up to and with step ``boundaries[0]``, then ``values[1]`` up to ``boundaries[1]``, and so on.

    Args:
        boundaries: steps, rising.
        values: rates, one more than boundaries.
        name: name.

    Raises:
        ValueError: the lengths do not fit.

    References: Keras ``optimizers.schedules.PiecewiseConstantDecay``.
    """

    pure = True
    config_keys = ("boundaries", "values", "name")

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"{type(self).__name__}: {len(boundaries)} boundaries part {len(boundaries) + 1} values, but "
                f"{len(values)} are given. Received: boundaries={boundaries}, values={values}"
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def rate(self, step: Any) -> Any:
        rate = number(self.values[-1], number(self.values[0]).dtype)
        for boundary, value in zip(reversed(self.boundaries), reversed(self.values[:-1]), strict=True):
            # The boundary takes the step's dtype, so that equality with a whole step is exact.
            rate = jnp.where(step <= number(boundary, step.dtype), number(value, rate.dtype), rate)
        return rate


def _start(schedule: Any, step: Any) -> tuple[Any, Any]:
    """Initial rate, and time in units of ``decay_steps``."""
    initial = number(schedule.initial_learning_rate)
    time = step.astype(initial.dtype) / number(schedule.decay_steps, initial.dtype)
    return initial, jnp.floor(time) if schedule.staircase else time
