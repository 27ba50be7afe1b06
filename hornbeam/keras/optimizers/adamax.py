"""Adamax: Adam with the largest gradient in place of the mean of squares."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.keras.optimizers.rule import Slot, power, toward
from hornbeam.keras.optimizers.rule_optimizer import RuleOptimizer


class Adamax(RuleOptimizer):
    """Adamax.

    ``m`` as in Adam, ``u = max(beta_2 * u, |g|)``, ``w -= rate * m / ((1 - beta_1^t) * (u + epsilon))``.

    Args:
        learning_rate: step size, see ``Optimizer`` for this and for the arguments that are not listed.
        beta_1: share of the old mean of gradients.
        beta_2: decay of the largest gradient.
        epsilon: added to the divisor.

    References: Keras ``optimizers.Adamax``; Kingma and Ba, 2014, section 7.1.
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
        return ((Slot("momentum", "_m"), Slot("norm", "_u")),)

    def rule(self, gradient: Any, value: Any, slots: tuple, learning_rate: Any, step: Any) -> tuple[Any, tuple]:
        mean = toward(slots[0], gradient, 1 - self.beta_1)
        norm = jnp.maximum(self.beta_2 * slots[1], jnp.abs(gradient))
        divisor = (1 - power(self.beta_1, step, value)) * (norm + self.epsilon)
        return value - learning_rate * mean / divisor, (mean, norm)
