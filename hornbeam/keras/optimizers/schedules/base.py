"""``LearningRateSchedule``: a learning rate that depends on the step."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.base import settings
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable


class LearningRateSchedule:
    """Base of learning rate schedules; override ``__call__`` and ``get_config``.

    Example:
        ```python
        class Halving(LearningRateSchedule):
            def __init__(self, initial):
                self.initial = initial

            def __call__(self, step):
                return self.initial * 0.5 ** tf.cast(step, "float32")

            def get_config(self):
                return {"initial": self.initial}
        ```

    References: Keras ``optimizers.schedules.LearningRateSchedule``.
    """

    def __call__(self, step: Any) -> Any:
        """The learning rate at ``step`` (number of batches seen so far, from 0)."""
        raise NotImplementedError(
            f"The learning rate schedule {type(self).__name__} has no `__call__(self, step)`; define it."
        )

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal schedule."""
        raise NotImplementedError(
            f"The learning rate schedule {type(self).__name__} has no `get_config()`, so it cannot be saved; define it."
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """A schedule from what ``get_config`` gave."""
        return cls(**config)


class FormulaSchedule(LearningRateSchedule):
    """Base of the built-in schedules, whose rate is a pure formula of the step.

    Attributes:
        config_keys: attributes that ``get_config`` gives, in order.
    """

    config_keys: tuple[str, ...] = ()

    def rate(self, step: Any) -> Any:
        """The rate as an array, from the step as an array."""
        raise NotImplementedError(f"{type(self).__name__} must override `rate(step)`.")

    def __call__(self, step: Any) -> Any:
        if isinstance(step, Variable):
            step = step.read_array()
        elif isinstance(step, Tensor):
            step = step._value
        elif not hasattr(step, "aval"):
            step = jnp.asarray(step, jnp.int32 if isinstance(step, int) else settings.floatx())
        return wrap(self.rate(step))

    def get_config(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in self.config_keys}


def number(value: Any, dtype: Any = None) -> Any:
    """A schedule's parameter (number, tensor or variable) as an array; default dtype its own, floatx for numbers."""
    if isinstance(value, Variable):
        value = value.read_array()
    elif isinstance(value, Tensor):
        value = value._value
    if hasattr(value, "aval"):
        return value if dtype is None else value.astype(dtype)
    return jnp.asarray(value, dtype or settings.floatx())


def check_decay_steps(value: Any, argument: str = "decay_steps") -> None:
    """Refuse a number of steps that is not positive."""
    if value <= 0:
        raise ValueError(f"Argument `{argument}` must be > 0. Received: {argument}={value}")
