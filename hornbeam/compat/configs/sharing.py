"""Layers that belong to several models of one config: each occurrence gets the number that the object is known by.

Writers number an object when they meet it a second time. The number of the first occurrence is lost where the inner
model had copied its config by then; its twin, equal in name, class and arguments, is found here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["with_shared_numbers"]

_ID = "shared_object_id"
_PLACE = frozenset({_ID, "build_config", "inbound_nodes"})


def with_shared_numbers(config: Any) -> Any:
    """The config, with numbers added to first occurrences that lack theirs; the same object if none does."""
    entries = list(_entries(config, 0))
    seen: set[Any] = set()
    wanted: list[tuple[int, Any]] = []
    for place, (_, entry) in enumerate(entries):
        number = entry.get(_ID)
        if number is not None and number not in seen:
            seen.add(number)
            wanted.append((place, number))
    numbers: dict[int, Any] = {}
    for place, number in wanted:
        owner, entry = entries[place]
        for other, candidate in entries[:place]:
            free = _ID not in candidate and id(candidate) not in numbers
            if free and other != owner and _name(candidate) == _name(entry) and _same(candidate, entry):
                numbers[id(candidate)] = number
                break
    return _numbered(config, numbers) if numbers else config


def _entries(part: Any, owner: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Layers in the lists of models, at any depth, each with the identity of its list."""
    if isinstance(part, list):
        for item in part:
            yield from _entries(item, owner)
    elif isinstance(part, dict):
        if owner and isinstance(part.get("class_name"), str) and isinstance(part.get("config"), dict):
            yield owner, part
        for key, value in part.items():
            if key == "layers" and isinstance(value, list):
                for item in value:
                    yield from _entries(item, id(value))
            elif isinstance(value, (dict, list)):
                yield from _entries(value, 0)


def _name(entry: dict[str, Any]) -> Any:
    return entry["config"].get("name") or entry.get("name")


def _same(one: Any, other: Any) -> bool:
    """Whether two parts of a config are equal, numbers and places in graphs aside."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = (one.keys() | other.keys()) - (_PLACE if "class_name" in one else {_ID})
        return all(key in one and key in other and _same(one[key], other[key]) for key in keys)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _numbered(part: Any, numbers: dict[int, Any]) -> Any:
    if isinstance(part, dict):
        found = {key: _numbered(value, numbers) for key, value in part.items()}
        return {**found, _ID: numbers[id(part)]} if id(part) in numbers else found
    return [_numbered(item, numbers) for item in part] if isinstance(part, (list, tuple)) else part
