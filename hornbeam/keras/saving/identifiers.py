"""What the ``get`` functions of the folders share: from a name, config, class or object to the object."""

from __future__ import annotations

import inspect
from typing import Any

from hornbeam.base import check
from hornbeam.keras.saving.registration import get_registered_object
from hornbeam.keras.saving.serialization import deserialize_keras_object

__all__ = ["interpret", "not_understood"]


def interpret(kind: str, identifier: Any, table: dict[str, Any]) -> Any:
    """The object that an identifier means.

    Args:
        kind: what is looked for, for the message: ``"regularizer"`` ...
        identifier: ``None``, a name, a config dict, a class (called without arguments), or the object itself.
        table: the folder's names.

    Raises:
        ValueError: it is none of these.
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        found = deserialize_keras_object(identifier, module_objects=table)
    elif isinstance(identifier, str):
        found = table.get(str(identifier)) or get_registered_object(str(identifier))
    else:
        found = identifier
    if not callable(found):
        raise not_understood(kind, identifier, table)
    return found() if inspect.isclass(found) else found


def not_understood(kind: str, identifier: Any, table: dict[str, Any]) -> ValueError:
    """The error for an identifier that means nothing; names the closest known name."""
    hint = check.closest(identifier, table) if isinstance(identifier, str) else ""
    fix = (
        "\n  fix:      your own functions and classes are found by name after "
        "`@keras.saving.register_keras_serializable()`, or inside `keras.saving.custom_object_scope`"
        if isinstance(identifier, str)
        else ""
    )
    return ValueError(f"Unknown {kind}: {identifier}{hint}{fix}")
