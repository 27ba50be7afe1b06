"""Adafactor: a mean of squares that is kept as row and column means."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.rule import Slot
from hornbeam.keras.optimizers.rule_optimizer import RuleOptimizer


class Adafactor(RuleOptimizer):
    """Adafactor.

    With ``b = 1 - t^beta_2_decay`` the means over rows and columns of ``g² + epsilon_1`` are kept for variables of two
    or more axes, and ``v`` is their product; for others ``v`` is kept. ``u = g / sqrt(v)``, clipped to a root mean
    square of ``clip_threshold``; ``w -= max(epsilon_2, rms(w)) * min(rate, 1 / sqrt(t)) * u``.

    Args:
        learning_rate: step size, see ``Optimizer`` for this and for the arguments that are not listed.
        beta_2_decay: exponent of the decay, below 0.
        epsilon_1: added to the squares.
        epsilon_2: smallest root mean square of the weights that scales the step.
        clip_threshold: largest root mean square of ``u``.
        relative_step: let a fixed learning rate fall at least as ``1 / sqrt(t)``. As in Keras the formula above bounds
            the rate in any case, so that both values give the same numbers.

    References: Keras ``optimizers.Adafactor``; Shazeer and Stern, 2018, algorithms 4 and 5.
    """

    pure = True
    config_keys = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def slot_groups(self) -> tuple[tuple[Slot, ...], ...]:
        return ((_ROWS, _COLUMNS, _SQUARES),)

    def slots_of(self, variable: Variable) -> tuple[Slot, ...]:
        return (_ROWS, _COLUMNS, _SQUARES) if variable.ndim >= 2 else (_SQUARES,)

    def _add_slots(self, variables: Any) -> None:
        # Not by slot, but by variable; and where rows and columns are not needed, a scalar holds their place in the
        # order of the variables, as in Keras's files.
        lists = [self.__dict__.setdefault(slot.attribute, []) for slot in (_ROWS, _COLUMNS, _SQUARES)]
        for variable in variables:
            if variable.overwrite_with_gradient:
                made: tuple = (None, None, None)
            else:
                shape, name, dtype = tuple(variable.shape), variable.name, variable.dtype
                if len(shape) < 2:
                    rows, columns = self._own(0, name, "int32"), self._own(0, name, "int32")
                else:
                    rows = self.add_variable(shape[:-1], dtype=dtype, name=name)
                    columns = self.add_variable(shape[:-2] + shape[-1:], dtype=dtype, name=name)
                made = (rows, columns, self.add_variable_from_reference(variable, _SQUARES.name))
            for slots, slot in zip(lists, made, strict=True):
                slots.append(slot)

    def rule(self, gradient: Any, value: Any, slots: tuple, learning_rate: Any, step: Any) -> tuple[Any, tuple]:
        now = step.astype(value.dtype)
        # The rate falls so whatever `relative_step` says: Keras applies this bound twice, the second time always.
        rate = jnp.minimum(learning_rate, 1 / jnp.sqrt(now))
        scale = jnp.maximum(jnp.asarray(self.epsilon_2, value.dtype), _rms(value)) * rate
        squares = jnp.square(gradient) + self.epsilon_1
        beta_2 = 1 - jnp.power(now, self.beta_2_decay)
        if value.ndim >= 2:
            rows = beta_2 * slots[0] + (1 - beta_2) * jnp.mean(squares, axis=-1)
            columns = beta_2 * slots[1] + (1 - beta_2) * jnp.mean(squares, axis=-2)
            share = rows / jnp.mean(rows, axis=-1, keepdims=True)
            product = share[..., None] * columns[..., None, :]
            new_slots: tuple = (rows, columns, product)
        else:
            product = beta_2 * slots[0] + (1 - beta_2) * squares
            new_slots = (product,)
        update = gradient / jnp.sqrt(product)
        update = update / jnp.maximum(1.0, _rms(update) / self.clip_threshold)
        return value - scale * update, new_slots


_ROWS, _COLUMNS, _SQUARES = Slot("r", "_r"), Slot("c", "_c"), Slot("velocity", "_v")


def _rms(array: Any) -> Any:
    return jnp.sqrt(jnp.mean(jnp.square(array)))
