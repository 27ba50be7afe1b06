"""Which layers, variables, seed generators and metrics belong to a layer.

They are found by looking through the layer's attributes, and the lists and dicts in them, in order of assignment;
no wrapper class is needed. What was found is kept until an attribute is set (the layer's version) or one of the
containers holds something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import is_
from typing import Any

from hornbeam.core.variable import Variable

# Attributes that may reach objects a layer does not own.
_OWN = ("_inbound_nodes", "_plans", "_losses", "_weights", "_functional", "_call_arguments", "_found", "_trainer")
_SKIPPED = frozenset({*_OWN, "history"})
_CONTAINERS = (list, tuple, dict)


class _Found:
    """Objects of some kinds among a layer's attributes, and what to look at to know that they are still all."""

    __slots__ = ("containers", "items", "version")

    def __init__(self, owner: Any) -> None:
        self.version = owner._version
        self.containers: list[tuple[Any, tuple]] = []
        self.items: list[Any] = []
        seen: set[int] = set()
        skipped = owner._untracked
        for name, value in list(vars(owner).items()):
            if name not in _SKIPPED and name not in skipped:
                self._visit(value, seen)

    def _visit(self, value: Any, seen: set[int]) -> None:
        if isinstance(value, _CONTAINERS):
            if id(value) in seen:
                return
            seen.add(id(value))
            content = tuple(value.values() if isinstance(value, Mapping) else value)
            if not isinstance(value, tuple):
                self.containers.append((value, content))
            for item in content:
                self._visit(item, seen)
        elif hasattr(value, "__dict__") and id(value) not in seen:
            seen.add(id(value))
            self.items.append(value)

    def is_current(self, owner: Any) -> bool:
        """False once an attribute or a container has changed."""
        if self.version != owner._version:
            return False
        for container, content in self.containers:
            now = container.values() if isinstance(container, dict) else container
            if len(container) != len(content) or not all(map(is_, now, content)):
                return False
        return True


def _items(owner: Any) -> list[Any]:
    state = vars(owner)
    found = state.get("_found")
    if found is None or not found.is_current(owner):
        found = state["_found"] = _Found(owner)
    return found.items


def members(owner: Any, kind: type | tuple[type, ...]) -> list[Any]:
    """Objects of a kind among the attributes of ``owner``, each once, in order of assignment."""
    return [item for item in _items(owner) if isinstance(item, kind)]


def unique(items: Iterable[Any]) -> list[Any]:
    """Each object once, in order."""
    return list({id(item): item for item in items}.values())


def own_variables(layer: Any) -> list[Variable]:
    """Variables made by the layer itself: trainable ones first, as Keras orders them."""
    found = unique([*layer._weights, *members(layer, Variable)])
    return [v for v in found if v._made_trainable] + [v for v in found if not v._made_trainable]


def gathered(layer: Any, own: Callable[[Any], Iterable[Any]]) -> list[Any]:
    """What ``own`` gives for a layer and all layers in it, each once, in order."""
    return unique(_gathered(layer, own))


def _gathered(layer: Any, own: Callable[[Any], Iterable[Any]]) -> Iterator[Any]:
    yield from own(layer)
    for sublayer in layer._layers:
        yield from _gathered(sublayer, own)
