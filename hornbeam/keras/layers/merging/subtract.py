"""``Subtract`` and ``subtract``: the difference."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.layers.merging.merge import Merge
from hornbeam.ops.merging import fold


class Subtract(Merge):
    """Subtracts the second tensor from the first, element by element.

    Input shape: list of tensors of one shape, or of shapes that broadcast.
    Output shape: the common shape.

    Raises:
        ValueError: not exactly two tensors, or shapes that do not fit.

    References: Keras ``layers.Subtract``.
    """

    pure = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        """Check the shapes."""
        super().build(input_shape)
        self._check_two("input_shape", input_shape)

    def _check_two(self, name: str, value: Any) -> None:
        if len(value) != 2:
            raise ValueError(f"Subtract takes exactly 2 inputs, in a list. Received: {name}={value}")

    def _merge_function(self, inputs: list[Any]) -> Any:
        self._check_two("inputs", inputs)
        return fold(inputs, how="subtract")


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """Subtract the second tensor from the first.

    Args:
        inputs: list of tensors.
        **kwargs: arguments of the layer.

    References: Keras ``layers.subtract``.
    """
    return Subtract(**kwargs)(inputs)
