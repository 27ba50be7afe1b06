"""``serialize`` functions that also write the form before Keras 3, for ``use_legacy_format=True``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.compat.loading import load
from hornbeam.keras.legacy.saving import serialize_keras_object


def _serializer(home: str) -> Callable:
    def serialize(obj: Any, use_legacy_format: bool = False) -> Any:
        """The config of an object, or the name of a function.

        Args:
            obj: what the folder has: a layer, a loss ...
            use_legacy_format: give ``{"class_name", "config"}``, as before Keras 3.
        """
        return serialize_keras_object(obj) if use_legacy_format else load(home)(obj)

    return serialize


activations = _serializer("keras.activations.lookup:serialize")
constraints = _serializer("keras.constraints.lookup:serialize")
initializers = _serializer("keras.initializers.lookup:serialize")
layers = _serializer("keras.layers.lookup:serialize")
losses = _serializer("keras.losses.lookup:serialize")
metrics = _serializer("keras.metrics.lookup:serialize")
optimizers = _serializer("keras.saving.serialization:serialize_keras_object")
regularizers = _serializer("keras.regularizers.lookup:serialize")
schedules = _serializer("keras.saving.serialization:serialize_keras_object")
