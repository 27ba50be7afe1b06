"""``serialize`` and ``deserialize`` of layers."""

from __future__ import annotations

import importlib
from typing import Any

from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.saving import serialization


def serialize(layer: Layer) -> dict[str, Any]:
    """The config of a layer, as JSON-ready dict.

    References: Keras ``layers.serialize``.
    """
    return serialization.serialize_keras_object(layer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """A layer from what ``serialize`` gave, or from ``{"class_name": ..., "config": ...}``.

    Args:
        config: the config.
        custom_objects: name to class, for layers that are not registered.

    Raises:
        ValueError: no config, or an unknown class.

    References: Keras ``layers.deserialize``.
    """
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError(f"layers.deserialize() takes a dict with `class_name` and `config`. Received: {config!r}")
    # The package itself lists this module, so it is looked at when a config comes.
    layers = importlib.import_module("hornbeam.keras.layers")
    models = importlib.import_module("hornbeam.keras.models")
    known = {
        name: found
        for home in (layers, models)
        for name in home.__all__
        if name == config["class_name"] and isinstance(found := getattr(home, name), type)
    }
    found = serialization.deserialize_keras_object(config, custom_objects=custom_objects, module_objects=known)
    if not isinstance(found, Layer):
        raise ValueError(f"layers.deserialize(): the config is not one of a layer. Received: {config!r}")
    return found
