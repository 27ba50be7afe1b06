"""From whatever stands for a regularizer to the regularizer."""

from __future__ import annotations

from typing import Any

from hornbeam.base import names
from hornbeam.keras.regularizers.penalties import L1, L1L2, L2, OrthogonalRegularizer, Regularizer
from hornbeam.keras.saving.identifiers import interpret
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize", "get", "serialize"]

_CLASSES = (Regularizer, L1, L2, L1L2, OrthogonalRegularizer)
OBJECTS: dict[str, Any] = {
    **{kind.__name__: kind for kind in _CLASSES},
    **{names.to_snake_case(kind.__name__): kind for kind in _CLASSES},
}
OBJECTS["l1_l2"] = L1L2


def serialize(regularizer: Any) -> Any:
    """Config of a regularizer.

    References: Keras ``keras.regularizers.serialize``.
    """
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Regularizer of a config.

    References: Keras ``keras.regularizers.deserialize``.
    """
    return deserialize_keras_object(config, module_objects=OBJECTS, custom_objects=custom_objects)


def get(identifier: Any) -> Any:
    """The regularizer that an identifier means.

    Args:
        identifier: ``None`` (gives ``None``), a name such as ``"l2"``, a config, a class, or a function of a tensor.

    Raises:
        ValueError: it is none of these.

    References: Keras ``keras.regularizers.get``.
    """
    if identifier == "l1_l2":
        # The name alone asks for both penalties; the class without arguments would give none.
        return L1L2(l1=0.01, l2=0.01)
    return interpret("regularizer", identifier, OBJECTS)
