"""Schedule-free AdamW: averaging of the weights in place of a schedule."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.rule import Slot, power, toward
from hornbeam.keras.optimizers.rule_optimizer import RuleOptimizer


class ScheduleFreeAdamW(RuleOptimizer):
    """Schedule-free AdamW.

    ``z`` takes the steps of RMSprop with bias correction, ``x`` is the mean of all ``z``, and the weights are
    ``y = (1 - beta_1) * z + beta_1 * x``, where the gradient is taken. ``x`` is not stored: it follows from
    ``y`` and ``z``.

    Args:
        learning_rate: step size, see ``Optimizer`` for this and for the arguments that are not listed.
        beta_1: share of the mean in the weights, above 0.
        beta_2: share of the old mean of squares.
        epsilon: added to the root.
        warmup_steps: steps over which the rate grows from 0 to ``learning_rate``.

    References: Keras ``optimizers.ScheduleFreeAdamW``; Defazio et al., 2024, algorithm 1.
    """

    pure = True
    config_keys = ("beta_1", "beta_2", "epsilon", "warmup_steps")

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warmup_steps = warmup_steps

    def slot_groups(self) -> tuple[tuple[Slot, ...], ...]:
        return ((Slot("momentum", "_momentums", _value_now), Slot("velocity", "_velocities")),)

    def rule(self, gradient: Any, value: Any, slots: tuple, learning_rate: Any, step: Any) -> tuple[Any, tuple]:
        old = slots[0]
        now = step.astype(value.dtype)
        beta_1, beta_2 = jnp.asarray(self.beta_1, value.dtype), jnp.asarray(self.beta_2, value.dtype)
        if self.warmup_steps > 0:
            learning_rate = learning_rate * jnp.minimum(now / self.warmup_steps, 1.0)
        square = toward(slots[1], jnp.square(gradient), 1 - beta_2)
        root = jnp.sqrt(square / (1 - power(beta_2, step, value))) + self.epsilon
        moved = old - learning_rate * gradient / root
        mean = (value - (1 - beta_1) * old) / beta_1
        share = 1.0 / now
        mean = (1 - share) * mean + share * moved
        return (1 - beta_1) * moved + beta_1 * mean, (moved, square)


def _value_now(variable: Variable) -> Any:
    # The concrete array, also while a step is being traced: slots are made outside of the trace.
    return variable._array
