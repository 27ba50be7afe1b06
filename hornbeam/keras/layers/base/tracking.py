"""Which layers, variables, seed generators and metrics belong to a layer.

They are found by looking through the layer's attributes (and the lists and dicts in them) when asked,
so that a list appended to later needs no wrapper class. The order is that of assignment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hornbeam.core.variable import Variable

# Attributes that may reach objects a layer does not own.
_SKIPPED = frozenset({"_inbound_nodes", "_plans", "_losses", "_weights", "_functional", "_call_arguments", "history"})


def members(owner: Any, kind: type | tuple[type, ...]) -> Iterator[Any]:
    """Objects of a kind among the attributes of ``owner``, each once, in order of assignment."""
    seen: set[int] = set()
    skipped = owner._untracked
    for name, value in list(vars(owner).items()):
        if name in _SKIPPED or name in skipped:
            continue
        if isinstance(value, kind):
            if id(value) not in seen:
                seen.add(id(value))
                yield value
        elif isinstance(value, (list, tuple, dict)):
            yield from _inside(value, kind, seen)


def _inside(container: Any, kind: Any, seen: set[int]) -> Iterator[Any]:
    if id(container) in seen:
        return
    seen.add(id(container))
    for value in container.values() if isinstance(container, Mapping) else container:
        if isinstance(value, kind):
            if id(value) not in seen:
                seen.add(id(value))
                yield value
        elif isinstance(value, (list, tuple, dict)):
            yield from _inside(value, kind, seen)


def unique(items: Iterator[Any]) -> list[Any]:
    """Each object once, in order."""
    seen: set[int] = set()
    found = []
    for item in items:
        if id(item) not in seen:
            seen.add(id(item))
            found.append(item)
    return found


def own_variables(layer: Any) -> list[Variable]:
    """Variables made by the layer itself: trainable ones first, as Keras orders them."""
    found = unique(iter([*layer._weights, *members(layer, Variable)]))
    return [v for v in found if v._made_trainable] + [v for v in found if not v._made_trainable]
