"""Adagrad: steps divided by the root of the sum of all squared gradients."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.keras.optimizers.rule import Slot
from hornbeam.keras.optimizers.rule_optimizer import RuleOptimizer


class Adagrad(RuleOptimizer):
    """Adagrad.

    ``a += g²`` and ``w -= rate * g / sqrt(a + epsilon)``.

    Args:
        learning_rate: step size, see ``Optimizer`` for this and for the arguments that are not listed.
        initial_accumulator_value: what ``a`` starts with, not negative.
        epsilon: added under the root.

    References: Keras ``optimizers.Adagrad``; Duchi et al., 2011.
    """

    pure = True
    config_keys = ("initial_accumulator_value", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
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
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def slot_groups(self) -> tuple[tuple[Slot, ...], ...]:
        return ((Slot("accumulator", "_accumulators", self.initial_accumulator_value),),)

    def rule(self, gradient: Any, value: Any, slots: tuple, learning_rate: Any, step: Any) -> tuple[Any, tuple]:
        total = slots[0] + jnp.square(gradient)
        return value - learning_rate * gradient / jnp.sqrt(total + self.epsilon), (total,)
