"""``Wrapper``: a layer around another."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.layers.base.layer import Layer


class Wrapper(Layer):
    """Base of layers that do something with one other layer.

    Args:
        layer: the other layer.

    Raises:
        ValueError: it is no layer.

    References: Keras ``layers.Wrapper``.
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Layer {layer} supplied to Wrapper isn't a supported layer type. Please ensure wrapped layer is a "
                "valid Keras layer."
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Build the other layer for inputs of the same shape."""
        if not self.layer.built:
            self.layer.build_from_config({"input_shape": input_shape})
        self.built = True
