"""Nadam: Adam with Nesterov momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.base import settings
from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.rule import Slot, cast, power, toward
from hornbeam.keras.optimizers.rule_optimizer import RuleOptimizer


class Nadam(RuleOptimizer):
    """Nadam.

    With ``u_t = beta_1 * (1 - 0.96^(pace * t) / 2)``, where ``pace`` is 1, and ``U_t`` the product of all ``u`` so far:
    ``n = u_(t+1) * m / (1 - U_t * u_(t+1)) + (1 - u_t) * g / (1 - U_t)`` and
    ``w -= rate * n / (sqrt(v / (1 - beta_2^t)) + epsilon)``.

    Args:
        learning_rate: step size, see ``Optimizer`` for this and for the arguments that are not listed.
        beta_1: share of the old mean of gradients.
        beta_2: share of the old mean of squares.
        epsilon: added to the root.

    References: Keras ``optimizers.Nadam``; Dozat, 2015.
    """

    pure = True
    config_keys = ("beta_1", "beta_2", "epsilon")
    pace = 1.0

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

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(var_list)
        dtype = var_list[0].dtype if var_list else settings.floatx()
        self._u_product = self._own(1.0, "u_product", dtype)

    def _update_all(self, gradients: list, variables: list[Variable], learning_rate: Any) -> None:
        product = self._u_product.read_array()
        self._u_product.assign(product * self._share(self._updates_made() + 1, product))
        super()._update_all(gradients, variables, learning_rate)

    def _share(self, step: Any, like: Any) -> Any:
        """``u`` of a step."""
        return self.beta_1 * (1.0 - 0.5 * jnp.power(0.96, step.astype(like.dtype) * self.pace))

    def product_after(self, steps: int, times: int = 1) -> np.float32:
        """``U`` after a number of steps, each of them counted ``times`` times."""
        shares = self.beta_1 * (1.0 - 0.5 * 0.96 ** (np.arange(1, steps + 1, dtype=np.float64) * self.pace))
        return np.float32(np.prod(np.maximum(shares, 0.0) ** times))

    def rule(self, gradient: Any, value: Any, slots: tuple, learning_rate: Any, step: Any) -> tuple[Any, tuple]:
        beta_1, beta_2 = jnp.asarray(self.beta_1, value.dtype), jnp.asarray(self.beta_2, value.dtype)
        now, then = (cast(self._share(at, value), value) for at in (step, step + 1))
        product = cast(self._u_product.read_array(), value)
        mean = toward(slots[0], gradient, 1 - beta_1)
        square = toward(slots[1], jnp.square(gradient), 1 - beta_2)
        ahead = then * mean / (1 - product * then) + (1 - now) * gradient / (1 - product)
        root = jnp.sqrt(square / (1 - power(beta_2, step, value)))
        return value - ahead * learning_rate / (root + self.epsilon), (mean, square)
