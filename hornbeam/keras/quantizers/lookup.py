"""From whatever stands for a quantizer to the quantizer."""

from __future__ import annotations

import inspect
from typing import Any

from hornbeam.base.errors import ArgumentError
from hornbeam.base.names import to_snake_case
from hornbeam.keras.quantizers.configs import (
    AWQConfig,
    Float8QuantizationConfig,
    GPTQConfig,
    Int4QuantizationConfig,
    Int8QuantizationConfig,
    QuantizationConfig,
)
from hornbeam.keras.quantizers.quantizer import AbsMaxQuantizer, Quantizer
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize", "get", "serialize"]

_KINDS: tuple[type, ...] = (
    AWQConfig,
    AbsMaxQuantizer,
    Float8QuantizationConfig,
    GPTQConfig,
    Int4QuantizationConfig,
    Int8QuantizationConfig,
    QuantizationConfig,
    Quantizer,
)
OBJECTS = {name: kind for kind in _KINDS for name in (kind.__name__, to_snake_case(kind.__name__))}


def serialize(initializer: Any) -> Any:
    """Config of a quantizer.

    References: Keras ``quantizers.serialize``.
    """
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Quantizer of a config.

    References: Keras ``quantizers.deserialize``.
    """
    return deserialize_keras_object(config, module_objects=OBJECTS, custom_objects=custom_objects)


def get(identifier: Any, **kwargs: Any) -> Any:
    """The quantizer that an identifier means.

    Args:
        identifier: a quantizer, its config, its class or the name of that; None stays None.
        **kwargs: arguments for the class.

    Raises:
        ValueError: it is none of these.

    References: Keras ``quantizers.get``.
    """
    if identifier is None:
        return None
    found = deserialize(identifier) if isinstance(identifier, dict) else identifier
    if isinstance(identifier, str):
        found = OBJECTS.get(identifier)
    if inspect.isclass(found):
        return found(**kwargs)
    if found is None or not (callable(found) or isinstance(found, QuantizationConfig)):
        raise ArgumentError(
            f"quantizers.get() takes a quantizer, its config or its name, one of {sorted(OBJECTS)}. Received: "
            f"{identifier!r}"
        )
    return found
