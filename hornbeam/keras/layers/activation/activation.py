"""``Activation``: an activation function as a layer."""

from __future__ import annotations

from typing import Any

from hornbeam.keras import activations
from hornbeam.keras.layers.base.elementwise import Elementwise


class Activation(Elementwise):
    """Applies an activation function.

    Args:
        activation: function, or the name of a built-in one.

    Input shape: any.
    Output shape: that of the inputs.

    References: Keras ``layers.Activation``.
    """

    pure = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        """``activation(inputs)``."""
        return self.activation(inputs)
