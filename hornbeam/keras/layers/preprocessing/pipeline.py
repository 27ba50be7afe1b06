"""``Pipeline``: preprocessing layers one after the other."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.layers.base.call_spec import call_spec
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.saving import serialization


class Pipeline(Layer):
    """Apply layers one after the other, for example the steps of an augmentation.

    Args:
        layers: list of layers.
        name: name of the pipeline.

    References: Keras ``layers.Pipeline``.
    """

    pure = True

    def __init__(self, layers: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        self._pipeline_layers = list(layers)

    @property
    def layers(self) -> list[Any]:
        """The layers."""
        return self._pipeline_layers

    def call(self, inputs: Any, training: Any = True, mask: Any = None) -> Any:
        """The last layer's output."""
        outputs = inputs
        for layer in self._pipeline_layers:
            spec = call_spec(layer)
            options: dict[str, Any] = {}
            if "mask" in spec.mask_names:
                options["mask"] = mask
            if spec.has_training and training is not None:
                options["training"] = training
            outputs = layer(outputs, **options)
            mask = getattr(outputs, "_keras_mask", None)
        return outputs

    def get_config(self) -> dict[str, Any]:
        return {"layers": serialization.serialize_keras_object(self._pipeline_layers), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Pipeline:
        layers = config.get("layers")
        if not isinstance(layers, (list, tuple)):
            raise ValueError(
                f"A Pipeline's config holds its layers as a list under 'layers'. Received: layers={layers!r}"
            )
        made = [serialization.deserialize_keras_object(layer) for layer in layers]
        return cls(**{**config, "layers": made})
