"""``Wrapper``: a layer around another."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.saving.scopes import CustomObjectScope


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
                f"{type(self).__name__}: `layer` must be an object of a layer class. Received: {layer!r}\n"
                "  fix:      give an instance such as `keras.layers.Dense(8)`, neither its class nor a tensor"
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Build the other layer for inputs of the same shape."""
        if not self.layer.built:
            self.layer.build_from_config({"input_shape": input_shape})
        self.built = True

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Wrapper:
        """A layer from its config; ``custom_objects`` holds classes of the wrapped layer by name."""
        with CustomObjectScope(custom_objects or {}):
            return super().from_config(config)  # type: ignore[return-value]
