"""``Maximum`` and ``maximum``: the maximum."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.layers.merging.merge import Merge, masks_of
from hornbeam.ops.merging import masked_extreme


class Maximum(Merge):
    """Elementwise maximum; a masked step never wins over one that counts.

    Input shape: list of tensors of one shape, or of shapes that broadcast.
    Output shape: the common shape.

    Raises:
        ValueError: shapes that do not fit.

    References: Keras ``layers.Maximum``.
    """

    pure = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def _merge_function(self, inputs: list[Any]) -> Any:
        outputs, mask = masked_extreme(inputs, masks_of(inputs), how="maximum")
        if mask is not None:
            outputs._keras_mask = mask
        return outputs


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """Elementwise maximum of tensors.

    Args:
        inputs: list of tensors.
        **kwargs: arguments of the layer.

    References: Keras ``layers.maximum``.
    """
    return Maximum(**kwargs)(inputs)
