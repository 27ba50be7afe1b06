"""FTRL: follow the regularized leader."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.keras.optimizers.rule import Slot
from hornbeam.keras.optimizers.rule_optimizer import RuleOptimizer


class Ftrl(RuleOptimizer):
    """Follow the regularized leader.

    With ``p = -learning_rate_power``: ``a' = a + g²``; ``z += g + 2 * shrinkage * w - (a'^p - a^p) / rate * w``;
    ``w = (clip(z, -l1, l1) - z) / (a'^p / rate + 2 * (l2 + beta / (2 * rate)))``.

    Args:
        learning_rate: step size, see ``Optimizer`` for this and for the arguments that are not listed.
        learning_rate_power: how the step size falls with ``a``, at most 0; 0 for a fixed one.
        initial_accumulator_value: what ``a`` starts with, not negative.
        l1_regularization_strength: not negative.
        l2_regularization_strength: not negative.
        l2_shrinkage_regularization_strength: not negative; L2 on the gradient alone.
        beta: the paper's beta.

    Raises:
        ValueError: an argument is out of its range.

    References: Keras ``optimizers.Ftrl``; McMahan et al., 2013, algorithm 1.
    """

    pure = True
    config_keys = (
        "learning_rate_power",
        "initial_accumulator_value",
        "l1_regularization_strength",
        "l2_regularization_strength",
        "l2_shrinkage_regularization_strength",
        "beta",
    )

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        strengths = {
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
        }
        for argument, strength in strengths.items():
            if strength < 0.0:
                raise ValueError(f"`{argument}` needs to be positive or zero. Received: {argument}={strength}.")
        if learning_rate_power > 0.0:
            raise ValueError(
                f"Ftrl: `learning_rate_power` must not be above 0. Received: learning_rate_power={learning_rate_power}."
            )
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
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    def slot_groups(self) -> tuple[tuple[Slot, ...], ...]:
        accumulator = Slot("accumulator", "_accumulators", self.initial_accumulator_value)
        return ((accumulator, Slot("linear", "_linears")),)

    def rule(self, gradient: Any, value: Any, slots: tuple, learning_rate: Any, step: Any) -> tuple[Any, tuple]:
        total, linear = slots
        power = -self.learning_rate_power
        l1, l2 = self.l1_regularization_strength, self.l2_regularization_strength + self.beta / (2.0 * learning_rate)
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * value
        new_total = total + jnp.square(gradient)
        raised = jnp.power(new_total, power)
        linear = linear + (shrunk - (raised - jnp.power(total, power)) / learning_rate * value)
        quadratic = raised / learning_rate + 2 * l2
        return (jnp.clip(linear, -l1, l1) - linear) / quadratic, (new_total, linear)
