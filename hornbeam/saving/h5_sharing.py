"""Layers that belong to several models of one `.h5` file whose writer did not say so.

Such files name each layer in the config of every model that has it, and hold its weights below each of these models.
Two entries that are equal in name, class and arguments and in every number of their weights are one layer: a copy that
was trained on its own would differ.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from hornbeam.saving.h5_file import names_in, read_array

__all__ = ["number_shared"]

_ID = "shared_object_id"


def number_shared(config: Any, weights: h5py.Group, source: str) -> None:
    """Give entries of the same layer one number, in place; nothing changes where the config has numbers already."""
    inner = config.get("config") if isinstance(config, dict) else None
    layers = inner.get("layers") if isinstance(inner, dict) else inner
    if not isinstance(layers, list):
        return
    found: dict[str, list[tuple[int, dict[str, Any], str]]] = {}
    for top in layers:
        group = (top.get("name") or _name(top)) if isinstance(top, dict) else None
        for owner, entry in _leaves(top, id(layers)):
            if _ID in entry:
                return
            found.setdefault(str(_name(entry)), []).append((owner, entry, str(group)))
    numbers = itertools.count()
    for name, places in found.items():
        first_owner, first, group = places[0]
        for owner, entry, other in places[1:]:
            alike = entry["class_name"] == first["class_name"] and entry["config"] == first["config"]
            if owner != first_owner and alike and _same_weights(weights, name, group, other, source):
                number = first.setdefault(_ID, f"{source}:{next(numbers)}")
                entry[_ID] = number


def _leaves(entry: Any, owner: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Layers that are no models, each with the identity of the list that it stands in."""
    inner = entry.get("config") if isinstance(entry, dict) else None
    layers = inner.get("layers") if isinstance(inner, dict) else inner
    if isinstance(layers, list):
        for one in layers:
            yield from _leaves(one, id(layers))
    elif isinstance(inner, dict) and isinstance(entry.get("class_name"), str):
        yield owner, entry


def _name(entry: dict[str, Any]) -> Any:
    inner = entry.get("config")
    return inner.get("name") if isinstance(inner, dict) else entry.get("name")


def _same_weights(weights: h5py.Group, layer: str, one: str, other: str, source: str) -> bool:
    """Whether a layer has the same numbers, not all of them initial ones like 0 or 1, below two groups."""
    first, second = (_arrays(weights, group, layer, source) for group in (one, other))
    if not first or first.keys() != second.keys() or one == other:
        return False
    if any(tuple(first[name].shape) != tuple(second[name].shape) for name in first):
        return False
    telling = False
    for name in first:
        a, b = (read_array(part[name], f"{layer}/{name}", source) for part in (first, second))
        if not np.array_equal(a, b):
            return False
        telling = telling or (a.size > 1 and bool((a != a.flat[0]).any()))
    return telling


def _arrays(weights: h5py.Group, group: str, layer: str, source: str) -> dict[str, h5py.Dataset]:
    member: Any = weights.get(group)
    if not isinstance(member, h5py.Group) or "weight_names" not in member.attrs:
        return {}
    names = [name for name in names_in(member, "weight_names", source) if layer in name.split("/")[:-1]]
    found = ((name, member.get(name)) for name in names)
    return {name: array for name, array in found if isinstance(array, h5py.Dataset)}
