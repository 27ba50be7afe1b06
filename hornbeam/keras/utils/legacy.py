"""Another place of ``keras.legacy.saving``."""

from hornbeam.keras.legacy.saving import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]
