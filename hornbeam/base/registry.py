"""Late-bound parts: higher rooms put themselves here by name, lower rooms find them here.

``keras`` must not import ``saving``; yet ``model.save()`` has to reach it. So the top package notes
``("format", "keras") -> "hornbeam.saving.keras_zip:FORMAT"`` at import, and the module is loaded on first use.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from typing import Any

_entries: dict[tuple[str, str], Any] = {}


def provide(kind: str, name: str, target: Any) -> None:
    """Note a part: an object, or ``"module.path:attribute"`` to be imported when first asked for."""
    _entries[(kind, name)] = target


def withdraw(kind: str, name: str) -> None:
    """Forget what was noted under that kind and name."""
    _entries.pop((kind, name), None)


def find(kind: str, name: str) -> Any:
    """The part of that kind and name.

    Raises:
        KeyError: nothing was noted under that kind and name.
    """
    target = _entries[(kind, name)]
    if isinstance(target, str):
        module, _, attribute = target.partition(":")
        target = getattr(importlib.import_module(module), attribute)
        _entries[(kind, name)] = target
    return target


def names(kind: str) -> list[str]:
    """Names noted under a kind, in the order they were noted."""
    return [name for noted, name in _entries if noted == kind]


def missing(module: str, name: str, known: Iterable[str]) -> AttributeError:
    """The error for a public name that is not there: with advice where some is known, or with the closest name."""
    if ("advice", "names") in _entries and (advice := find("advice", "names")(module, name)):
        return AttributeError(f"module {module!r} has no attribute {name!r}. {advice}", name=name)
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.8)
    # 'Resnet50' is nearer to the class 'ResNet50' than to the module 'resnet50'.
    near.sort(key=lambda option: (option.lower() != name.lower(), option[:1] != name[:1]))
    hint = (
        f" Did you mean {near[0]!r}?" if near else " It may be one that is not offered yet: CHANGELOG.md lists what is."
    )
    return AttributeError(f"module {module!r} has no attribute {name!r}.{hint}", name=name)
