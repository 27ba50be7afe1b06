"""Objects to configs and back: the form that Keras 3 reads and writes.

A config is ``{"module", "class_name", "config", "registered_name"}``, with ``"build_config"`` and ``"compile_config"``
where the object gives them. Module strings are Keras's public ones, never Hornbeam's.
"""

from __future__ import annotations

import inspect
import types
import warnings
from typing import Any

from hornbeam.base import check, dtypes, shapes
from hornbeam.base.errors import CorruptFileError
from hornbeam.keras.saving import registration
from hornbeam.keras.saving.errors import UnresolvedNameError
from hornbeam.keras.saving.functions import dump_function, load_function, refuse_lambda
from hornbeam.keras.saving.scopes import CustomObjectScope, SafeModeScope, state
from hornbeam.keras.saving.special import MARKERS, UNKNOWN, read_special, write_special

__all__ = ["deserialize_keras_object", "serialize_keras_object"]

_PLAIN = (str, int, float, bool)


# --- objects to configs --------------------------------------------------------------------------
def serialize_keras_object(obj: Any) -> Any:
    """The config of an object: JSON-ready dicts, lists and numbers.

    Args:
        obj: layer, initializer, function, tensor, array, nesting of these, or a plain value.

    Raises:
        TypeError: the object has no ``get_config`` method.

    References: Keras ``keras.saving.serialize_keras_object``.
    """
    if obj is None or (isinstance(obj, _PLAIN) and type(obj) is not dtypes.DType):
        return obj
    if isinstance(obj, dtypes.DType):
        return obj.name
    if isinstance(obj, shapes.TensorShape):
        return None if obj.rank is None else obj.as_list()
    if isinstance(obj, (list, tuple)):
        items = [serialize_keras_object(item) for item in obj]
        return tuple(items) if isinstance(obj, tuple) else items
    if isinstance(obj, dict):
        return _serialize_dict(obj)
    special = write_special(obj, serialize_keras_object)
    if special is not UNKNOWN:
        return special
    if isinstance(obj, types.FunctionType) and obj.__name__ == "<lambda>":
        return _serialize_lambda(obj)
    config = _object_config(obj)
    for key, method in (("build_config", "get_build_config"), ("compile_config", "get_compile_config")):
        part = getattr(obj, method)() if hasattr(obj, method) else None
        if part is not None:
            config[key] = _serialize_dict(part)
    _note_written(obj, config)
    return config


def _serialize_dict(mapping: dict) -> dict:
    found = {key: serialize_keras_object(value) for key, value in mapping.items()}
    number = state.owners.get(id(mapping))
    if number is not None and state.configs is not None and state.configs.get(number) is mapping:
        # The config of an object is copied into that of its model: the number goes where the file will show it.
        state.owners[id(found)] = number
        state.configs[number] = found
        state.kept.append(mapping)
    return found


def _serialize_lambda(function: types.FunctionType) -> dict[str, Any]:
    try:
        source = inspect.getsource(function).strip()
    except (OSError, TypeError):
        source = "(source not available)"
    warnings.warn(
        "A `lambda` is stored as bytecode, which others can only load with `safe_mode=False`, and only in the same "
        f"version of Python. Use a named function instead. The lambda: {source}",
        stacklevel=3,
    )
    return {"class_name": "__lambda__", "config": {"value": dump_function(function)}}


def _object_config(obj: Any) -> dict[str, Any]:
    if isinstance(obj, types.FunctionType):
        # Functions carry their name alone; Keras writes "builtins" whatever the function.
        name = registration.get_registered_name(obj)
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
    kind = type(obj)
    public = registration.public_name(kind)
    if public is not None and public[2]:
        module, name, registered = public[0], public[1], None
    else:
        module, name = (public[0], public[1]) if public is not None else (kind.__module__, kind.__name__)
        registered = registration.get_registered_name(kind)
    return {"module": module, "class_name": name, "config": _inner_config(obj), "registered_name": registered}


def _inner_config(obj: Any) -> Any:
    if hasattr(obj, "get_config"):
        config = obj.get_config()
        if not isinstance(config, dict):
            raise TypeError(f"`get_config()` of {obj} has to return a dict. Received: {config}")
        return _serialize_dict(config)
    if hasattr(obj, "__name__"):
        return registration.get_registered_name(obj)
    raise TypeError(
        f"No config can be made of {obj} (type {type(obj).__name__}): give its class a `get_config()` method that "
        "returns the constructor's arguments."
    )


def _note_written(obj: Any, config: dict[str, Any]) -> None:
    if config["module"] == "__main__":
        config["module"] = None
    if state.configs is None:
        return
    number = id(obj)
    first = state.configs.setdefault(number, config)
    state.owners[id(first)] = number
    if first is not config:
        config["shared_object_id"] = first["shared_object_id"] = number


# --- configs to objects --------------------------------------------------------------------------
def deserialize_keras_object(
    config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """Rebuild what ``serialize_keras_object`` wrote.

    Args:
        config: config dict, or a nesting of configs and plain values.
        custom_objects: name to class or function, for objects that are not registered.
        safe_mode: True refuses code stored in the config. An enclosing loading call's flag wins.
        **kwargs: ``module_objects``, a table of names tried first (a name alone is then a config too).

    Returns:
        The object. Names resolve only to Hornbeam's own classes and pure functions, to registered and to passed ones.

    Raises:
        UnresolvedNameError: a name that is none of these (a ``TypeError`` and a ``ValueError``).
        UnsafeFileError: a stored lambda, in safe mode.

    References: Keras ``keras.saving.deserialize_keras_object``.
    """
    module_objects = kwargs.pop("module_objects", None)
    check.no_unknown(kwargs, owner="deserialize_keras_object()", known=("module_objects",))
    if state.safe_mode is not None:
        safe_mode = state.safe_mode
    custom = {**(custom_objects or {}), **state.custom_objects, **registration.get_custom_objects()}
    if config is None:
        return None
    if isinstance(config, str) and custom.get(config) is not None:
        return custom[config]
    if isinstance(config, (list, tuple)):
        return [deserialize_keras_object(item, custom, safe_mode) for item in config]
    if module_objects is not None and not _names_custom(config, custom):
        return _from_table(config, module_objects, custom, safe_mode)
    if isinstance(config, _PLAIN):
        return config
    if not isinstance(config, dict):
        raise TypeError(f"Could not parse config: {config}")
    if config.get("class_name") == "__tuple__" and "items" in config:
        return tuple(deserialize_keras_object(item, custom, safe_mode) for item in config["items"])
    if "class_name" not in config or "config" not in config:
        return {key: deserialize_keras_object(value, custom, safe_mode) for key, value in config.items()}
    return _from_entry(config, custom, safe_mode)


def _names_custom(config: Any, custom: dict[str, Any]) -> bool:
    if not isinstance(config, dict) or not custom:
        return False
    inner = config.get("config")
    names = (config.get("class_name"), config.get("registered_name"), inner if isinstance(inner, str) else None)
    return any(isinstance(name, str) and name in custom for name in names)


def _from_table(config: Any, table: dict[str, Any], custom: dict[str, Any], safe_mode: bool) -> Any:
    """Rebuild from a folder's own table of names; what is not in the table comes back as its name."""
    inner: Any = None
    name = config
    if isinstance(config, dict):
        if "class_name" not in config:
            raise ValueError(f"Unknown `config` as a `dict`, config={config}")
        inner = config.get("config")
        name = config["class_name"]
        if name == "function":
            name = inner if config.get("module") == "builtins" else config.get("registered_name")
        elif config.get("module", "") is None:
            raise _unresolved("class", name, config)
    if not isinstance(name, str) or name not in table:
        return name
    found = table[name]
    if isinstance(found, types.FunctionType):
        return found
    entry = config if isinstance(config, dict) else {"class_name": name, "config": {}}
    return _instance(found, entry, inner if inner is not None else {}, custom, safe_mode)


def _from_entry(config: dict[str, Any], custom: dict[str, Any], safe_mode: bool) -> Any:
    name, inner = config["class_name"], config["config"]

    def recurse(part: Any) -> Any:
        return deserialize_keras_object(part, custom, safe_mode)

    if name in MARKERS or name == "__typespec__":
        return read_special(config, recurse)
    if name == "__lambda__":
        if safe_mode:
            raise refuse_lambda()
        if not isinstance(inner, dict) or "value" not in inner:
            raise CorruptFileError(f"The config entry '__lambda__' is not complete. Received: {config}")
        return load_function(inner["value"])
    if name == "function":
        if not isinstance(inner, str):
            raise TypeError(
                f"The 'config' of a function is its name, a string. Received: {type(inner).__name__}. Full "
                f"config: {config}"
            )
        return _resolve("function", inner, config, custom)
    inner = {} if inner is None else inner
    if not isinstance(inner, dict):
        raise TypeError(f"The 'config' of {name} has to be a dict. Received: {inner!r}. Full config: {config}")
    shared = config.get("shared_object_id")
    if shared is not None and state.objects is not None and shared in state.objects:
        return state.objects[shared]
    found = _resolve("class", name, config, custom)
    if isinstance(found, types.FunctionType):
        return found
    instance = _instance(found, config, inner, custom, safe_mode)
    if shared is not None and state.objects is not None:
        state.objects[shared] = instance
    return instance


def _resolve(kind: str, name: str, config: dict[str, Any], custom: dict[str, Any]) -> Any:
    """Class or function that a config names: registered or passed ones first, then Hornbeam's own."""
    registered = name if kind == "function" else config.get("registered_name", name)
    found = registration.get_registered_object(registered, custom) if isinstance(registered, str) else None
    if found is not None:
        return found
    if isinstance(registered, str) and ">" in registered:
        # Passed under the name of the class alone.
        found = custom.get(registered.rpartition(">")[2])
        if found is not None:
            return found
    module = config.get("module", "builtins" if kind == "function" else None)
    if "module" in config and module is None:
        raise _unresolved(kind, name, config)
    if module is None or isinstance(module, str):
        found = registration.builtin(module, name)
    if found is None and kind == "function" and module == "builtins":
        # Early Keras 3 wrote registered functions by their bare name.
        found = next((obj for known, obj in custom.items() if known.endswith(f">{name}")), None)
        if found is not None:
            return found
    if found is None or (kind == "function") != isinstance(found, types.FunctionType):
        raise _unresolved(kind, name, config)
    claimed = config.get("registered_name")
    if claimed and claimed not in (name, config["class_name"]):
        raise ValueError(
            f"The config says `registered_name={claimed!r}`, but {name!r} belongs to the library and goes by its "
            f"class name alone. Delete `registered_name` from it. Full config: {config}"
        )
    return found


def _unresolved(kind: str, name: Any, config: dict[str, Any]) -> UnresolvedNameError:
    return UnresolvedNameError(
        f"Could not locate {kind} {name!r}: it is not one of the built-in ones that a config may name, and nothing of "
        "that name is registered.\n"
        "  fix:      decorate your own classes and functions with `@keras.saving.register_keras_serializable()` and "
        "import them before loading, or pass them in `custom_objects`\n"
        f"  received: {config}"
    )


def _instance(kind: Any, config: dict[str, Any], inner: dict, custom: dict[str, Any], safe_mode: bool) -> Any:
    name = config["class_name"]
    if not hasattr(kind, "from_config"):
        raise TypeError(f"Class '{name}' has no `from_config`, so no object can be made from its config: {config}")
    with CustomObjectScope(custom), SafeModeScope(safe_mode):
        try:
            instance = kind.from_config(inner)
        except UnresolvedNameError:
            raise
        except TypeError as error:
            raise TypeError(
                f"{kind} could not be deserialized properly. Make sure that objects that `get_config()` returns as "
                f"configs are deserialized in `from_config()`.\n  received: {config}\n  error:    {error}"
            ) from error
        if config.get("build_config") and not instance.built:
            instance.build_from_config(config["build_config"])
            instance.built = True
        if config.get("compile_config"):
            instance.compile_from_config(config["compile_config"])
            instance.compiled = True
    return instance
