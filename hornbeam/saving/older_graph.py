"""Graphs for programs that work out masks by themselves: masks that follow from layers are left out of the calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["is_operation", "without_implied_masks"]

_TENSOR = "__keras_tensor__"


def without_implied_masks(stored: Any) -> Any:
    """A model's config without the masks that its layers imply, and without the ops that are there for these alone."""
    if isinstance(stored, (list, tuple)):
        return [without_implied_masks(item) for item in stored]
    if not isinstance(stored, dict):
        return stored
    found = {key: without_implied_masks(value) for key, value in stored.items()}
    if isinstance(found.get("layers"), list) and "output_layers" in found:
        return _pruned(found)
    return found


def is_operation(entry: dict[str, Any]) -> bool:
    """Whether an entry of a graph is an op, not a layer."""
    return str(entry.get("module", "")).startswith("keras.src.ops")


def _pruned(graph: dict[str, Any]) -> dict[str, Any]:
    entries = {entry["name"]: entry for entry in graph["layers"]}
    makers = {
        history
        for entry in entries.values()
        if entry["class_name"] == "Masking" or entry.get("config", {}).get("mask_zero")
        for history in _histories(entry["inbound_nodes"])
    }

    def is_implied(name: str) -> bool:
        entry = entries[name]
        if not is_operation(entry):
            return False
        sources = list(_histories(entry["inbound_nodes"]))
        if entry["class_name"] == "NotEqual":
            return bool(sources) and sources[0] in makers
        return any(is_implied(source[0]) for source in sources)

    layers = []
    for entry in graph["layers"]:
        nodes = [_without_masks(node, is_implied) for node in entry["inbound_nodes"]]
        layers.append({**entry, "inbound_nodes": nodes})
    return {**graph, "layers": _reached(layers, graph["output_layers"])}


def _without_masks(node: Any, is_implied: Any) -> Any:
    if not isinstance(node, dict) or "kwargs" not in node:
        return node
    kept = {
        key: value
        for key, value in node["kwargs"].items()
        if not ("mask" in key and (found := list(_histories(value))) and all(is_implied(one[0]) for one in found))
    }
    return {**node, "kwargs": kept}


def _reached(layers: list[dict[str, Any]], outputs: Any) -> list[dict[str, Any]]:
    """Layers, and the ops that something else uses."""
    while True:
        used = {one[0] for entry in layers for one in _histories(entry["inbound_nodes"])} | set(_names(outputs))
        kept = [entry for entry in layers if not is_operation(entry) or entry["name"] in used]
        if len(kept) == len(layers):
            return kept
        layers = kept


def _histories(part: Any) -> Iterator[tuple[str, int, int]]:
    if isinstance(part, dict) and part.get("class_name") == _TENSOR:
        name, call, index = part["config"]["keras_history"]
        yield name, call, index
    elif isinstance(part, dict):
        for value in part.values():
            yield from _histories(value)
    elif isinstance(part, (list, tuple)):
        for value in part:
            yield from _histories(value)


def _names(places: Any) -> Iterator[str]:
    if isinstance(places, dict):
        for value in places.values():
            yield from _names(value)
    elif places and isinstance(places[0], str):
        yield places[0]
    else:
        for value in places:
            yield from _names(value)
