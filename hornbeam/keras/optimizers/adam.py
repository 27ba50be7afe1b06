"""Adam: steps from moving means of gradients and of their squares."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.keras.optimizers.rule import Slot, power, toward
from hornbeam.keras.optimizers.rule_optimizer import RuleOptimizer


class Adam(RuleOptimizer):
    """Adam.

    ``m`` and ``v`` are moving means of ``g`` and ``g²``; ``w -= rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m /
    (sqrt(v) + epsilon)``. Epsilon is thus the paper's "epsilon hat" of section 2, not the one of algorithm 1.

    Args:
        learning_rate: step size, see ``Optimizer`` for this and for the arguments that are not listed.
        beta_1: share of the old mean of gradients.
        beta_2: share of the old mean of squares.
        epsilon: added to the root.
        amsgrad: divide by the largest ``v`` so far.

    References: Keras ``optimizers.Adam``; Kingma and Ba, 2014; Reddi et al., 2018 (amsgrad).
    """

    pure = True
    config_keys = ("beta_1", "beta_2", "epsilon", "amsgrad")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.amsgrad = amsgrad

    def slot_groups(self) -> tuple[tuple[Slot, ...], ...]:
        moments = (Slot("momentum", "_momentums"), Slot("velocity", "_velocities"))
        return (moments, (Slot("velocity_hat", "_velocity_hats"),)) if self.amsgrad else (moments,)

    def rule(self, gradient: Any, value: Any, slots: tuple, learning_rate: Any, step: Any) -> tuple[Any, tuple]:
        rate = learning_rate * jnp.sqrt(1 - power(self.beta_2, step, value)) / (1 - power(self.beta_1, step, value))
        mean = toward(slots[0], gradient, 1 - self.beta_1)
        square = toward(slots[1], jnp.square(gradient), 1 - self.beta_2)
        if self.amsgrad:
            largest = jnp.maximum(slots[2], square)
            return value - mean * rate / (jnp.sqrt(largest) + self.epsilon), (mean, square, largest)
        return value - mean * rate / (jnp.sqrt(square) + self.epsilon), (mean, square)
