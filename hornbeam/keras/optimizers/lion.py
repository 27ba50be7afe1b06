"""Lion: steps of one size in the direction of the sign of a mean gradient."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.keras.optimizers.rule import Slot
from hornbeam.keras.optimizers.rule_optimizer import RuleOptimizer


class Lion(RuleOptimizer):
    """Lion.

    ``w -= rate * sign(beta_1 * m + (1 - beta_1) * g)``, then ``m = beta_2 * m + (1 - beta_2) * g``.

    Args:
        learning_rate: step size, see ``Optimizer`` for this and for the arguments that are not listed; about a
            tenth of what suits Adam.
        beta_1: share of the mean in the direction, above 0 and at most 1.
        beta_2: share of the old mean of gradients.

    Raises:
        ValueError: ``beta_1`` is out of its range.

    References: Keras ``optimizers.Lion``; Chen et al., 2023.
    """

    pure = True
    config_keys = ("beta_1", "beta_2")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        if beta_1 <= 0 or beta_1 > 1:
            raise ValueError(f"Argument `beta_1` must be above 0 and at most 1. Received: beta_1={beta_1}")
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

    def slot_groups(self) -> tuple[tuple[Slot, ...], ...]:
        return ((Slot("momentum", "_momentums"),),)

    def rule(self, gradient: Any, value: Any, slots: tuple, learning_rate: Any, step: Any) -> tuple[Any, tuple]:
        beta_1, beta_2 = jnp.asarray(self.beta_1, value.dtype), jnp.asarray(self.beta_2, value.dtype)
        direction = jnp.sign(slots[0] * beta_1 + gradient * (1.0 - beta_1))
        return value - learning_rate * direction, (slots[0] * beta_2 + gradient * (1.0 - beta_2),)
