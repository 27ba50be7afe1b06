"""LAMB: Adam's direction with steps in proportion to the norm of the weights."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.keras.optimizers.rule import Slot, power, toward
from hornbeam.keras.optimizers.rule_optimizer import RuleOptimizer


class Lamb(RuleOptimizer):
    """LAMB.

    ``u`` is Adam's bias-corrected direction; ``w -= |w| / |u| * rate * u``, where the ratio is 1 if a norm is 0.

    Args:
        learning_rate: step size, see ``Optimizer`` for this and for the arguments that are not listed.
        beta_1: share of the old mean of gradients.
        beta_2: share of the old mean of squares.
        epsilon: added to the root.

    References: Keras ``optimizers.Lamb``; You et al., 2019, algorithm 2.
    """

    pure = True
    config_keys = ("beta_1", "beta_2", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def slot_groups(self) -> tuple[tuple[Slot, ...], ...]:
        return ((Slot("momentum", "_momentums"), Slot("velocity", "_velocities")),)

    def rule(self, gradient: Any, value: Any, slots: tuple, learning_rate: Any, step: Any) -> tuple[Any, tuple]:
        mean = toward(slots[0], gradient, 1 - self.beta_1)
        square = toward(slots[1], jnp.square(gradient), 1 - self.beta_2)
        root = jnp.sqrt(square / (1.0 - power(self.beta_2, step, value))) + self.epsilon
        update = mean / (1.0 - power(self.beta_1, step, value)) / root
        weight_norm = jnp.sqrt(jnp.sum(jnp.square(value)))
        update_norm = jnp.sqrt(jnp.sum(jnp.square(update)))
        both = (weight_norm > 0) & (update_norm > 0)
        ratio = jnp.where(both, weight_norm / update_norm, jnp.ones_like(weight_norm))
        return value - ratio * learning_rate * update, (mean, square)
