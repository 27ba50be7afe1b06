"""RMSprop as it was before Keras 2.11: without momentum, epsilon stands outside of the root."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.keras.optimizers import rmsprop


class RMSprop(rmsprop.RMSprop):
    """RMSprop that divides by ``sqrt(velocity) + epsilon`` unless it has momentum, see ``keras.optimizers.RMSprop``.

    References: Keras 2 ``optimizers.legacy.RMSprop``.
    """

    def rule(self, gradient: Any, value: Any, slots: tuple, learning_rate: Any, step: Any) -> tuple[Any, tuple]:
        if self.momentum > 0:
            return super().rule(gradient, value, slots, learning_rate, step)
        spread = velocity = self.rho * slots[0] + (1 - self.rho) * jnp.square(gradient)
        kept = (velocity,)
        if self.centered:
            average = self.rho * slots[1] + (1 - self.rho) * gradient
            spread, kept = velocity - jnp.square(average), (velocity, average)
        return value - learning_rate * gradient / (jnp.sqrt(spread) + self.epsilon), kept
