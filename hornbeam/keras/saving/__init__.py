"""Objects to configs and back, and the names that configs may use. File formats stand above, in ``hornbeam.saving``.

References: Keras ``keras.saving``.
"""

from typing import Any

from hornbeam.base import registry
from hornbeam.keras.saving.registration import (
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from hornbeam.keras.saving.scopes import CustomObjectScope, custom_object_scope
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = [
    "CustomObjectScope",
    "KerasFileEditor",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

_FILES = ("load_model", "load_weights", "save_model", "save_weights")


def __getattr__(name: str) -> Any:
    if name in _FILES:
        return registry.find("saving", name)
    if name == "KerasFileEditor":
        return registry.find("saving", "file editor")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
