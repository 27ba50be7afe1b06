"""What is in force while objects are serialised or rebuilt, per thread: custom objects, safe mode, sharing."""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["CustomObjectScope", "ObjectSharingScope", "SafeModeScope", "custom_object_scope", "in_safe_mode", "state"]


class _State(threading.local):
    custom_objects: dict[str, Any] = {}
    """Objects of the open custom object scopes."""
    safe_mode: bool | None = None
    """Flag of the innermost safe mode scope, None outside of all."""
    objects: dict[Any, Any] | None = None
    """Rebuilt objects by sharing number, None outside of a sharing scope."""
    configs: dict[int, dict[str, Any]] | None = None
    """Written configs by ``id`` of their object, None outside of a sharing scope."""
    owners: dict[int, int] = {}
    """The way back: ``id`` of the object by ``id`` of its config."""
    kept: list[Any] = []
    """Configs that were copied, alive as long as their ``id`` is used."""


state = _State()


class CustomObjectScope:
    """Make classes and functions known by name while objects are rebuilt, for the length of a ``with`` block.

    Args:
        custom_objects: name to class or function. Scopes nest: the inner one adds to the outer.

    Example:
        >>> with CustomObjectScope({"my_penalty": my_penalty}):
        ...     layer = Dense.from_config(config)

    References: Keras ``keras.saving.CustomObjectScope``.
    """

    def __init__(self, custom_objects: dict[str, Any] | None) -> None:
        self.custom_objects = custom_objects or {}
        self.backup: dict[str, Any] | None = None

    def __enter__(self) -> CustomObjectScope:
        self.backup = state.custom_objects
        state.custom_objects = {**state.custom_objects, **self.custom_objects}
        return self

    def __exit__(self, *error: object) -> None:
        state.custom_objects = self.backup or {}


custom_object_scope = CustomObjectScope


class SafeModeScope:
    """Hand the ``safe_mode`` flag of a loading call down to every object that it rebuilds.

    Args:
        safe_mode: False allows code stored in the file to run.
    """

    def __init__(self, safe_mode: bool = True) -> None:
        self.safe_mode = safe_mode
        self.backup: bool | None = None

    def __enter__(self) -> SafeModeScope:
        self.backup = state.safe_mode
        state.safe_mode = self.safe_mode
        return self

    def __exit__(self, *error: object) -> None:
        state.safe_mode = self.backup


def in_safe_mode() -> bool:
    """True unless a call with ``safe_mode=False`` is in progress in this thread."""
    return state.safe_mode is not False


class ObjectSharingScope:
    """While open, an object met twice is written with one number and rebuilt as one object."""

    def __init__(self) -> None:
        self.backup: tuple[Any, ...] = (None, None, {}, [])

    def __enter__(self) -> ObjectSharingScope:
        self.backup = (state.objects, state.configs, state.owners, state.kept)
        state.objects, state.configs, state.owners, state.kept = {}, {}, {}, []
        return self

    def __exit__(self, *error: object) -> None:
        state.objects, state.configs, state.owners, state.kept = self.backup
