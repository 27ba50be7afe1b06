"""Adadelta: Adagrad with a moving mean, scaled by the size of former steps."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.rule import Slot
from hornbeam.keras.optimizers.rule_optimizer import RuleOptimizer


class Adadelta(RuleOptimizer):
    """Adadelta.

    ``a = rho * a + (1 - rho) * g²``, ``d = -sqrt(s + epsilon) / sqrt(a + epsilon) * g``,
    ``s = rho * s + (1 - rho) * d²``, ``w += rate * d``. The paper's form is ``learning_rate=1.0``.

    Args:
        learning_rate: step size, see ``Optimizer`` for this and for the arguments that are not listed.
        rho: share of the old means.
        epsilon: added under the roots.

    References: Keras ``optimizers.Adadelta``; Zeiler, 2012, algorithm 1.
    """

    pure = True
    config_keys = ("rho", "epsilon")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
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
        self.rho = rho
        self.epsilon = epsilon

    def slot_groups(self) -> tuple[tuple[Slot, ...], ...]:
        return (
            (
                Slot("accumulated_grad", "_accumulated_grads"),
                Slot("accumulated_delta_var", "_accumulated_delta_vars"),
            ),
        )

    def update_step(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, grad: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Update one variable and its slots from its gradient."""
        super().update_step(grad, variable, learning_rate)

    def rule(self, gradient: Any, value: Any, slots: tuple, learning_rate: Any, step: Any) -> tuple[Any, tuple]:
        squares = self.rho * slots[0] + (1 - self.rho) * jnp.square(gradient)
        delta = -(jnp.sqrt(slots[1] + self.epsilon) * gradient / jnp.sqrt(squares + self.epsilon))
        deltas = self.rho * slots[1] + (1 - self.rho) * jnp.square(delta)
        return value + learning_rate * delta, (squares, deltas)
