"""From whatever stands for a constraint to the constraint."""

from __future__ import annotations

from typing import Any

from hornbeam.base import names
from hornbeam.keras.constraints.projections import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from hornbeam.keras.saving.identifiers import interpret
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize", "get", "serialize"]

_CLASSES = (Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm)
OBJECTS: dict[str, Any] = {
    **{kind.__name__: kind for kind in _CLASSES},
    **{names.to_snake_case(kind.__name__): kind for kind in _CLASSES},
}


def serialize(constraint: Any) -> Any:
    """Config of a constraint.

    References: Keras ``keras.constraints.serialize``.
    """
    return serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Constraint of a config.

    References: Keras ``keras.constraints.deserialize``.
    """
    return deserialize_keras_object(config, module_objects=OBJECTS, custom_objects=custom_objects)


def get(identifier: Any) -> Any:
    """The constraint that an identifier means.

    Args:
        identifier: ``None`` (gives ``None``), a name such as ``"max_norm"``, a config, a class, or a function.

    Raises:
        ValueError: it is none of these.

    References: Keras ``keras.constraints.get``.
    """
    return interpret("constraint", identifier, OBJECTS)
