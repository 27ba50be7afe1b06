"""``ELU``: exponential linear unit."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.layers.base.elementwise import Elementwise
from hornbeam.ops.activations import elu


class ELU(Elementwise):
    """``x`` where ``x > 0``, else ``alpha * (exp(x) - 1)``.

    Args:
        alpha: limit of the negative side, with the sign changed.

    Input shape: any.
    Output shape: that of the inputs.

    References: Clevert et al. 2016. Keras ``layers.ELU``.
    """

    pure = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Any) -> Any:
        """``elu(inputs, alpha)``."""
        return elu(inputs, self.alpha)
