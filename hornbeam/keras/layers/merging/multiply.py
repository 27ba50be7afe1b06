"""``Multiply`` and ``multiply``: the product."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.layers.merging.merge import Merge, masks_of
from hornbeam.ops.merging import masked_product


class Multiply(Merge):
    """Multiplies tensors, element by element; masked steps count as 1.

    Input shape: list of tensors of one shape, or of shapes that broadcast.
    Output shape: the common shape.

    Raises:
        ValueError: shapes that do not fit.

    References: Keras ``layers.Multiply``.
    """

    pure = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def _merge_function(self, inputs: list[Any]) -> Any:
        outputs, mask = masked_product(inputs, masks_of(inputs))
        if mask is not None:
            outputs._keras_mask = mask
        return outputs


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """Multiply tensors, element by element.

    Args:
        inputs: list of tensors.
        **kwargs: arguments of the layer.

    References: Keras ``layers.multiply``.
    """
    return Multiply(**kwargs)(inputs)
