"""``LeakyReLU``: a rectifier that lets a little through."""

from __future__ import annotations

import warnings
from typing import Any

from hornbeam.keras.layers.base.elementwise import Elementwise
from hornbeam.ops.activations import leaky_relu


class LeakyReLU(Elementwise):
    """``x`` where ``x >= 0``, else ``negative_slope * x``.

    Args:
        negative_slope: slope of the negative side, at least 0. ``alpha`` is an old name of it.

    Input shape: any.
    Output shape: that of the inputs.

    References: Keras ``layers.LeakyReLU``.
    """

    pure = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
            warnings.warn("Argument `alpha` is deprecated. Use `negative_slope` instead.", stacklevel=2)
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ValueError(
                f"LeakyReLU: `negative_slope` is a number of at least 0. Received: negative_slope={negative_slope}"
            )
        self.negative_slope = negative_slope

    def call(self, inputs: Any) -> Any:
        """``leaky_relu(inputs, negative_slope)``."""
        return leaky_relu(inputs, self.negative_slope)
