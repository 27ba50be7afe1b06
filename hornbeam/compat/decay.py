"""``decay=`` of optimizers: a rate that falls with every step and that can still be set."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.schedules import InverseTimeDecay, LearningRateSchedule


def falling(rate: Any, decay: float) -> LearningRateSchedule:
    """``rate / (1 + decay * step)``, with a rate that programs may change between steps.

    Args:
        rate: the rate at step 0; a schedule stays as it is, divided in the same way.
        decay: how much the divisor grows with each step.
    """
    if callable(rate) and not isinstance(rate, Variable):
        raise ValueError(
            "An optimizer takes a schedule as `learning_rate`, or a number with `decay`, not both. Received: "
            f"learning_rate={rate!r}, decay={decay}. Leave `decay` out."
        )
    start: Any = Variable(float(rate), dtype="float32", trainable=False, name="learning_rate")
    return SettableInverseTimeDecay(start, 1, decay)


class SettableInverseTimeDecay(InverseTimeDecay):
    """``InverseTimeDecay`` whose first rate is a variable. In files it is a plain ``InverseTimeDecay``."""

    def get_config(self) -> dict[str, Any]:
        """The config of the plain schedule."""
        return {**super().get_config(), "initial_learning_rate": float(np.asarray(self.initial_learning_rate))}


def start_rate(optimizer: Any) -> Variable | None:
    """The variable behind the rate of an optimizer that was made with ``decay``; None for others."""
    rate: Any = vars(optimizer).get("_learning_rate")
    start: Any = rate.initial_learning_rate if isinstance(rate, SettableInverseTimeDecay) else None
    return start
