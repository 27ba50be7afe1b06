"""How a row of the tables turns old arguments into today's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hornbeam.base.errors import ArgumentError, NotSupportedError, explain
from hornbeam.compat.loading import load
from hornbeam.compat.notes import note

Translator = Callable[[tuple, dict[str, Any]], tuple[tuple, dict[str, Any]]]
"""From positional and keyword arguments (without ``self``) to those of today."""


def spell(
    owner: str,
    renamed: Mapping[str, str] | None = None,
    *,
    values: Mapping[str, Callable[[Any], Any]] | None = None,
    dropped: Sequence[str] = (),
    only: Mapping[str, tuple[Sequence[Any], str]] | None = None,
    before: Translator | None = None,
) -> Translator:
    """A translator from a few rules.

    Args:
        owner: class or function, for messages.
        renamed: old name to today's name.
        values: old name to a function from the old value to today's.
        dropped: old names that never changed results (hints on speed, for instance): taken and noted.
        only: old name to (values that mean "nothing special", advice): taken with these values, refused with others.
        before: a translator that runs first, for arguments by position.
    """
    renamed, values, only = dict(renamed or {}), dict(values or {}), dict(only or {})
    old = frozenset(renamed) | frozenset(dropped) | frozenset(only) | (frozenset(values) - frozenset(renamed.values()))

    def translate(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        if before is not None:
            args, kwargs = before(args, kwargs)
        if old.isdisjoint(kwargs):
            return args, kwargs
        result: dict[str, Any] = {}
        for name, value in kwargs.items():
            if name in dropped:
                note(f"{owner}: argument `{name}` has no effect any more; leave it out.")
                continue
            if name in only:
                _check_only(owner, name, value, *only[name])
                continue
            new = renamed.get(name, name)
            if new != name:
                if new in kwargs:
                    raise ArgumentError(
                        f"{owner}: arguments `{name}` and `{new}` mean the same. Received both: "
                        f"{name}={value!r}, {new}={kwargs[new]!r}. Keep `{new}`."
                    )
                note(f"{owner}: argument `{name}` is called `{new}` now.")
            result[new] = values[name](value) if name in values else value
        return args, result

    return translate


def chain(*translators: Translator) -> Translator:
    """One translator after the other."""

    def translate(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        for one in translators:
            args, kwargs = one(args, kwargs)
        return args, kwargs

    return translate


def _check_only(owner: str, name: str, value: Any, allowed: Sequence[Any], advice: str) -> None:
    if any(value is one or (type(value) is type(one) and value == one) for one in allowed):
        return
    raise NotSupportedError(
        explain(
            f"{owner}: argument `{name}` cannot have this value.",
            expected=" or ".join(repr(one) for one in allowed),
            received=f"{name}={value!r}",
            fix=advice,
        )
    )


def data_format(value: Any) -> Any:
    """``"th"`` and ``"tf"`` as today's names; others stay."""
    return {"th": "channels_first", "tf": "channels_last", "default": None}.get(value, value)


def initializer(value: Any) -> Any:
    """An initializer given as ``function(shape, name=None)`` as one of ``(shape, dtype)``; others stay."""
    if not callable(value) or isinstance(value, type) or not hasattr(value, "__code__"):
        return value
    names = value.__code__.co_varnames[: value.__code__.co_argcount]
    if "dtype" in names:
        return value
    return load("compat.old_layers.initializer:OldInitializer")(value)
