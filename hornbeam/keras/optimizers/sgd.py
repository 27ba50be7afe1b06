"""Stochastic gradient descent, with momentum and Nesterov momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.rule import Slot
from hornbeam.keras.optimizers.rule_optimizer import RuleOptimizer
from hornbeam.keras.optimizers.settings import is_number


class SGD(RuleOptimizer):
    """Stochastic gradient descent.

    ``w -= rate * g``; with momentum ``m = momentum * m - rate * g`` and ``w += m``, or for Nesterov's form
    ``w += momentum * m - rate * g`` with the new ``m``.

    Args:
        learning_rate: step size, see ``Optimizer`` for this and for the arguments that are not listed.
        momentum: share of the last step that is kept, 0..1.
        nesterov: look ahead along the momentum.

    Raises:
        ValueError: ``momentum`` is not in 0..1.

    References: Keras ``optimizers.SGD``; Sutskever et al., 2013, section 2.
    """

    pure = True
    config_keys = ("momentum", "nesterov")

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        if not is_number(momentum) or not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be a float between [0, 1]. Received: momentum={momentum!r}")
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
        self.momentum = momentum
        self.nesterov = nesterov

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)

    def slot_groups(self) -> tuple[tuple[Slot, ...], ...]:
        return ((Slot("momentum", "momentums"),),) if self.momentum else ()

    def rule(self, gradient: Any, value: Any, slots: tuple, learning_rate: Any, step: Any) -> tuple[Any, tuple]:
        if not self.momentum:
            return value - gradient * learning_rate, ()
        momentum = slots[0] * self.momentum - gradient * learning_rate
        if self.nesterov:
            return value + (momentum * self.momentum - gradient * learning_rate), (momentum,)
        return value + momentum, (momentum,)
