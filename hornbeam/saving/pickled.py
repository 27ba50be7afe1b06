"""Models in pickles: the bytes of a ``.keras`` file, read back in safe mode.

Pickles themselves are code and are never to be loaded from strangers; what they hold of a model is data.
"""

from __future__ import annotations

import inspect
from typing import Any

from hornbeam.base.errors import NotSupportedError
from hornbeam.keras.saving.registration import get_registered_name
from hornbeam.saving.keras_file import keras_bytes, prepare, read_keras_bytes
from hornbeam.saving.walk import walk

__all__ = ["reduce_model", "unpickle_model"]


def reduce_model(model: Any) -> tuple[Any, tuple[Any, ...]] | None:
    """What ``pickle`` shall store of a model; None if it has no config.

    Raises:
        NotSupportedError: it holds Python code (lambdas), which is not read back in safe mode.
    """
    try:
        config = prepare(model).config
    except NotImplementedError:
        return None
    if b'"__lambda__"' in config:
        raise NotSupportedError(
            f"Model '{model.name}' holds a lambda, whose code is not read back from a pickle. Give the Lambda layer a "
            "named function and register it (`@keras.saving.register_keras_serializable()`); or use "
            "`model.save('m.keras')` and `load_model('m.keras', safe_mode=False)`."
        )
    own = _own_objects(model)
    return unpickle_model, ((keras_bytes(model), own) if own else (keras_bytes(model),))


def unpickle_model(content: bytes, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model again.

    Args:
        content: bytes of a ``.keras`` file.
        custom_objects: the user's own classes and functions, which the pickle names by their modules.
    """
    return read_keras_bytes(content, custom_objects)


def _own_objects(model: Any) -> dict[str, Any]:
    """The user's own classes and functions in a model, by the names under which configs know them."""
    found: dict[str, Any] = {}
    arguments = getattr(getattr(model, "_training", None), "arguments", {})
    values = [value for _, item in walk(model) for value in (type(item), *vars(item).values())]
    values += [one for value in arguments.values() for one in (value if isinstance(value, (list, tuple)) else [value])]
    for value in values:
        kind = value if inspect.isclass(value) or inspect.isfunction(value) else type(value)
        module = getattr(kind, "__module__", None) or ""
        if not module.startswith(_KNOWN) and "<" not in kind.__qualname__:
            found[get_registered_name(kind)] = kind
            found[kind.__name__] = kind
    return found


_KNOWN = ("hornbeam.", "builtins", "numpy", "jax", "collections", "functools")
