"""RMSprop: steps divided by the root of a moving mean of squared gradients."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.keras.optimizers.rule import Slot
from hornbeam.keras.optimizers.rule_optimizer import RuleOptimizer


class RMSprop(RuleOptimizer):
    """RMSprop.

    ``v = rho * v + (1 - rho) * g²`` and ``w -= rate * g / sqrt(v + epsilon)``. Centered: the square of the moving mean
    of the gradients is taken off ``v`` under the root. With momentum the steps are summed up as in ``SGD``.

    Args:
        learning_rate: step size, see ``Optimizer`` for this and for the arguments that are not listed.
        rho: share of the old mean of squares.
        momentum: share of the last step that is kept.
        epsilon: added under the root.
        centered: divide by an estimate of the standard deviation instead of the root mean square.

    References: Keras ``optimizers.RMSprop``; Hinton, 2012 (lecture 6e); Graves, 2013, equations 38 to 45 (centered).
    """

    pure = True
    config_keys = ("rho", "momentum", "epsilon", "centered")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def slot_groups(self) -> tuple[tuple[Slot, ...], ...]:
        groups = [(Slot("velocity", "_velocities"),)]
        if self.momentum > 0:
            groups.append((Slot("momentum", "_momentums"),))
        if self.centered:
            groups.append((Slot("average_gradient", "_average_gradients"),))
        return tuple(groups)

    def rule(self, gradient: Any, value: Any, slots: tuple, learning_rate: Any, step: Any) -> tuple[Any, tuple]:
        velocity = self.rho * slots[0] + (1 - self.rho) * jnp.square(gradient)
        if self.centered:
            average = self.rho * slots[-1] + (1 - self.rho) * gradient
            increment = learning_rate * gradient / jnp.sqrt(velocity - jnp.square(average) + self.epsilon)
        else:
            average = None
            increment = learning_rate * gradient / jnp.sqrt(velocity + self.epsilon)
        momentum = None
        if self.momentum > 0:
            increment = momentum = self.momentum * slots[1] + increment
        return value - increment, tuple(slot for slot in (velocity, momentum, average) if slot is not None)
