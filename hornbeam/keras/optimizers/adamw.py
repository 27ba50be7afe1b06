"""AdamW: Adam with weight decay that does not pass through the moments."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.optimizers.adam import Adam


class AdamW(Adam):
    """Adam with decoupled weight decay: ``w -= weight_decay * rate * w`` before Adam's step.

    Args:
        learning_rate: step size, see ``Optimizer`` for this and for the arguments that are not listed.
        weight_decay: the decay; required.
        beta_1: see ``Adam``.
        beta_2: see ``Adam``.
        epsilon: see ``Adam``.
        amsgrad: see ``Adam``.

    Raises:
        ValueError: ``weight_decay`` is None.

    References: Keras ``optimizers.AdamW``; Loshchilov and Hutter, 2019, algorithm 2.
    """

    pure = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        if weight_decay is None:
            raise ValueError("AdamW: `weight_decay` takes a float; 0.0 means none. Received: None")
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
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
