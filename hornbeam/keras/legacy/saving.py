"""Objects to configs ``{"class_name", "config"}`` and back, by a table of classes that the caller passes."""

from __future__ import annotations

import inspect
import types
from typing import Any

from hornbeam.base import dtypes
from hornbeam.keras.saving.registration import get_registered_name, get_registered_object
from hornbeam.keras.saving.scopes import CustomObjectScope

__all__ = ["deserialize_keras_object", "serialize_keras_object"]

_NESTED = "__passive_serialization__"


def serialize_keras_object(instance: Any) -> Any:
    """The config of an object in the form before Keras 3.

    Args:
        instance: layer, initializer ... (gives class name and config), function (gives its name), or None.

    Raises:
        ValueError: the object has neither config nor name.

    Example:
        >>> serialize_keras_object(keras.initializers.Zeros())
        {'class_name': 'Zeros', 'config': {}}

    References: Keras ``legacy.saving.serialize_keras_object``.
    """
    if instance is None:
        return None
    instance = inspect.unwrap(instance) if callable(instance) else instance
    if hasattr(instance, "get_config"):
        found = {key: _inner(value) for key, value in instance.get_config().items()}
        return {"class_name": get_registered_name(type(instance)), "config": found}
    if hasattr(instance, "__name__"):
        return get_registered_name(instance)
    raise ValueError(
        f"{instance!r} of type {type(instance).__name__} has no config. Give its class a `get_config()` method that "
        "returns the arguments of its constructor."
    )


def _inner(value: Any) -> Any:
    """A value in a config: objects in it are marked, so that they are rebuilt with it."""
    if isinstance(value, dtypes.DType):
        return value.name
    if isinstance(value, (str, dict)) or not (hasattr(value, "get_config") or hasattr(value, "__name__")):
        return value
    stored = serialize_keras_object(value)
    return {**stored, _NESTED: True} if isinstance(stored, dict) else stored


def deserialize_keras_object(
    identifier: Any,
    module_objects: dict[str, Any] | None = None,
    custom_objects: dict[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object for a config or a name.

    Args:
        identifier: what ``serialize_keras_object`` gave, a name, or a function, which comes back as it is.
        module_objects: name to class or function; there is no other table but that of registered objects.
        custom_objects: the same for the caller's own ones, which win.
        printable_module_name: what messages call the kind of object.

    Raises:
        ValueError: the name is unknown, or the config has another form.

    References: Keras ``legacy.saving.deserialize_keras_object``.
    """
    if identifier is None or isinstance(identifier, types.FunctionType):
        return identifier
    custom = custom_objects or {}
    if isinstance(identifier, str):
        found = custom.get(identifier) or get_registered_object(identifier) or (module_objects or {}).get(identifier)
        if found is None:
            raise _unknown(printable_module_name, identifier)
        return found() if inspect.isclass(found) else found
    if not isinstance(identifier, dict) or not {"class_name", "config"} <= identifier.keys():
        raise ValueError(
            f"A config of this form is a dict with `class_name` and `config`; received {identifier!r} for a "
            f"{printable_module_name}."
        )
    kind = get_registered_object(identifier["class_name"], custom, module_objects)
    if kind is None:
        raise _unknown(printable_module_name, identifier["class_name"])
    config = identifier["config"]
    if isinstance(config, dict):
        config = {key: _rebuilt(key, value, module_objects, custom) for key, value in config.items()}
    with CustomObjectScope(custom):
        if not hasattr(kind, "from_config"):
            return kind(**config)
        takes_custom = "custom_objects" in inspect.signature(kind.from_config).parameters
        return kind.from_config(config, custom_objects=custom) if takes_custom else kind.from_config(config)


def _rebuilt(key: str, value: Any, module_objects: dict[str, Any] | None, custom: dict[str, Any]) -> Any:
    if isinstance(value, dict) and _NESTED in value:
        rest = {name: part for name, part in value.items() if name != _NESTED}
        return deserialize_keras_object(rest, module_objects, custom, "config item")
    if isinstance(value, str) and key != "name":
        found = get_registered_object(value, custom, module_objects)
        return found if isinstance(found, types.FunctionType) else value
    return value


def _unknown(kind: str, name: Any) -> ValueError:
    return ValueError(
        f"There is no {kind} {name!r} in the table that was passed, and nothing of that name is registered. Pass it in "
        "`custom_objects`, or decorate it with `@keras.saving.register_keras_serializable()`."
    )
