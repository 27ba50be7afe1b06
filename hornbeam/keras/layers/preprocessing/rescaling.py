"""``Rescaling``: a change of units."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.base.layer import Layer


class Rescaling(Layer):
    """``inputs * scale + offset``, for pictures mostly: ``Rescaling(1 / 127.5, offset=-1)`` maps 0..255 to -1..1.

    Args:
        scale: factor, a number or one per channel.
        offset: what is added after the product, a number or one per channel.

    Input shape: any.
    Output shape: that of the input, in the layer's compute dtype.

    References: Keras ``layers.Rescaling``.
    """

    pure = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """``inputs * scale + offset``."""
        dtype = self.compute_dtype
        scale, offset = ops.cast(self.scale, dtype), ops.cast(self.offset, dtype)
        return ops.cast(inputs, dtype) * scale + offset

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape."""
        return input_shape
