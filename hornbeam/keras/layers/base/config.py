"""``get_config`` and ``from_config`` of layers, derived from the constructor's signature; pickling."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np

from hornbeam.base import check
from hornbeam.core.tensor import Tensor
from hornbeam.keras import activations, dtype_policies
from hornbeam.keras.saving import serialization

_COMMON = ("name", "trainable", "dtype", "activity_regularizer", "autocast")


def init_parameters(kind: type) -> list[str]:
    """Names of the constructor's parameters, with those that ``**kwargs`` passes on to ``Layer``."""
    own = _own_parameters(kind)
    return [*own, *(name for name in _COMMON if name not in own)]


def _own_parameters(kind: type) -> tuple[str, ...]:
    return _parameters_of(kind.__init__)


@functools.lru_cache(maxsize=1024)  # Each layer made asks; large models make hundreds.
def _parameters_of(function: Any) -> tuple[str, ...]:
    parameters = inspect.signature(function).parameters.values()
    return tuple(p.name for p in parameters if p.name != "self" and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL))


def layer_config(layer: Any) -> dict[str, Any]:
    """Config of a layer: the common part, and for built-in classes the constructor's own arguments."""
    config: dict[str, Any] = {"name": layer.name, "trainable": layer._trainable, "dtype": policy_config(layer)}
    if layer.activity_regularizer is not None:
        config["activity_regularizer"] = serialization.serialize_keras_object(layer.activity_regularizer)
    kind = next(base for base in type(layer).__mro__ if _is_builtin(base))
    if kind.__name__ != "Layer":
        for name in _own_parameters(kind):
            if name not in _COMMON and name not in kind.unserialized:
                config[name] = serialized(getattr(layer, name), name)
            elif name == "activity_regularizer" and name not in kind.unserialized:
                config[name] = serialized(layer.activity_regularizer, name)
    if type(layer) is not kind and type(layer).get_config is kind.get_config:
        _add_user_arguments(layer, kind, config)
        if not _takes_any(type(layer)):
            accepted = _own_parameters(type(layer))
            config = {name: value for name, value in config.items() if name in accepted}
    return config


def _takes_any(kind: type) -> bool:
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(kind.__init__).parameters.values())


def _is_builtin(kind: type) -> bool:
    return kind.__module__.startswith("hornbeam.")


def policy_config(layer: Any) -> Any:
    """The dtype policy as stored in configs."""
    return serialization.serialize_keras_object(layer._dtype_policy)


def serialized(value: Any, name: str = "") -> Any:
    """A constructor argument as a JSON-able value."""
    if callable(value) and (name == "activation" or name.endswith("_activation")):
        return activations.serialize(value)
    if isinstance(value, tuple) and all(isinstance(item, (int, float, str, type(None))) for item in value):
        return value
    if isinstance(value, (np.ndarray, Tensor)):
        return np.asarray(value).tolist()
    return serialization.serialize_keras_object(value)


def _add_user_arguments(layer: Any, kind: type, config: dict[str, Any]) -> None:
    """A user's subclass without ``get_config``: its arguments as they were passed, if they can be stored."""
    names = [name for name in _own_parameters(type(layer)) if name not in _COMMON]
    own = [name for name in names if name not in config]
    if not own:
        return
    args, kwargs = layer._call_arguments
    positional = _own_parameters(type(layer))
    passed = dict(zip(positional, args, strict=False)) | kwargs
    for name in own:
        if name not in passed:
            continue
        value = passed[name]
        try:
            config[name] = serialized(value, name)
        except (TypeError, ValueError) as error:
            raise NotImplementedError(_no_config(layer, name, value)) from error
        if hasattr(value, "call") or (
            type(value).__module__ not in ("builtins", "numpy") and not isinstance(config[name], dict)
        ):
            raise NotImplementedError(_no_config(layer, name, value))


def _no_config(layer: Any, name: str, value: Any) -> str:
    return (
        f"{type(layer).__name__} got an argument that no config can hold, {name}={value!r}, so it must override "
        f"`get_config()` and put something storable there:\n\n"
        f"    def get_config(self):\n        return {{**super().get_config(), {name!r}: ...}}"
    )


def from_config(kind: type, config: dict[str, Any]) -> Any:
    """An object of a class from its config."""
    config = dict(config)
    dtype = config.get("dtype")
    if isinstance(dtype, dict):
        config["dtype"] = dtype_policies.deserialize(dtype)
    for name, value in config.items():
        if isinstance(value, dict) and "class_name" in value and name != "dtype":
            config[name] = serialization.deserialize_keras_object(value)
    try:
        return kind(**config)
    except TypeError as error:
        close = check.closest(str(error), init_parameters(kind))
        raise TypeError(
            f"{kind.__name__} could not be made from its config: {error}{close}\n  received: config={config}"
        ) from error


# --- pickling ------------------------------------------------------------------------------------
_NOT_PICKLED = frozenset({"_plans", "_losses", "_purity"})


def pickled(layer: Any) -> dict[str, Any]:
    """State of a layer for ``pickle`` and ``copy``: everything but compiled programs."""
    return {name: value for name, value in vars(layer).items() if name not in _NOT_PICKLED}


def unpickled(kind: type) -> Any:
    """An empty layer of a class."""
    layer: Any = kind.__new__(kind)  # pyright: ignore[reportCallIssue]
    layer._start_state()
    return layer


def restore_pickled(layer: Any, state: dict[str, Any]) -> None:
    """Put the state back."""
    vars(layer).update(state)
