"""The objects of a model in the order and under the paths of Keras's weight files.

Rules: attributes come by name, those with a leading underscore last; a model's list of ``layers`` is one of them, and
the first of a model made of a graph or a list of layers; an object counts once, under the first path that reaches it;
elements of lists and dicts are named by their class. Properties that the user's own classes define count too.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from typing import Any

from hornbeam.base.names import to_snake_case
from hornbeam.keras.layers import Layer
from hornbeam.keras.metrics import Metric
from hornbeam.keras.models import Model
from hornbeam.keras.optimizers import Optimizer
from hornbeam.keras.random import SeedGenerator

_SAVEABLE = (Layer, Optimizer, Metric)
# Attributes of our own bookkeeping, which Keras does not have.
_INTERNAL = frozenset(
    {
        "_call_arguments",
        "_functional",
        "_graph_layers",
        "_inbound_nodes",
        "_input_layer",
        "_losses",
        "_plans",
        "_stack",
        "_steps",
        "_trainer",
        "_weights",
        "_dtype_policy",
        "history",
        "input_spec",
        "loss",
        "_build_outputs",
    }
)


def walk(
    model: Any,
    *,
    count_repeats: bool = True,
    backwards: bool = False,
    by_attributes: bool = False,
) -> Iterator[tuple[str, Any]]:
    """Pairs of path and object, the model itself first under the empty path.

    Args:
        model: the model.
        count_repeats: whether an object met before still takes a number among the elements of a list.
        backwards: take attributes, the list of layers among them, by name from the last to the first.
        by_attributes: leave out properties, and the list of layers of a model with its own ``call``.
    """
    yield from _visit(model, "", _Seen(count_repeats, backwards, by_attributes))


class _Seen(set):
    """``id`` of the objects met so far."""

    def __init__(self, count_repeats: bool, backwards: bool, by_attributes: bool) -> None:
        super().__init__()
        self.count_repeats = count_repeats
        self.backwards = backwards
        self.by_attributes = by_attributes


def _visit(item: Any, path: str, seen: _Seen) -> Iterator[tuple[str, Any]]:
    if id(item) in seen:
        return
    seen.add(id(item))
    yield path, item
    attributes = _attributes(item) if seen.by_attributes else [*_attributes(item), *_properties(item)]
    attributes.sort(key=lambda pair: (pair[0].startswith("_"), pair[0]))
    if isinstance(item, Model) and _has_layer_list(item):
        attributes.insert(0, ("layers", item.layers))
    if seen.backwards:
        attributes.sort(key=lambda pair: pair[0], reverse=True)
    for name, value in attributes:
        inner = _join(path, name)
        if isinstance(value, _SAVEABLE):
            yield from _visit(value, inner, seen)
        elif isinstance(value, (list, tuple, dict, set)):
            yield from _container(value, inner, seen)


def _has_layer_list(model: Any) -> bool:
    return vars(model).get("_functional") is not None or "_stack" in vars(model)


def _attributes(item: Any) -> list[tuple[str, Any]]:
    names = [name for name in vars(item) if name not in _INTERNAL and not name.startswith("__")]
    return [(_public(item, name), vars(item)[name]) for name in names]


def _properties(item: Any) -> list[tuple[str, Any]]:
    """What the properties of a user's class show, and the list of layers of a model with its own ``call``."""
    found = [("layers", item.layers)] if isinstance(item, Model) and not _has_layer_list(item) else []
    for name in _own_properties(type(item)):
        # A property may need what is not there yet, and then it has nothing to store.
        with contextlib.suppress(Exception):
            found.append((name, getattr(item, name)))
    return found


@functools.lru_cache(maxsize=1024)
def _own_properties(kind: type) -> tuple[str, ...]:
    """Names of the properties that classes outside of this library add to a kind of object."""
    foreign = [one for one in kind.__mro__ if not one.__module__.startswith(("hornbeam.", "builtins"))]
    names = {name for one in foreign for name, value in vars(one).items() if isinstance(value, property)}
    return tuple(name for name in names if not hasattr(Layer, name) and not name.startswith("__"))


def _public(item: Any, name: str) -> str:
    """The name of an attribute; without its underscore if a property of that name shows the same object."""
    plain = name[1:]
    if name.startswith("_") and isinstance(getattr(type(item), plain, None), property):
        value = vars(item)[name]
        if isinstance(value, _SAVEABLE) and getattr(item, plain, None) is value:
            return plain
    return name


def _container(container: Any, path: str, seen: _Seen) -> Iterator[tuple[str, Any]]:
    used: dict[str, int] = {}
    for value in container.values() if isinstance(container, Mapping) else container:
        if isinstance(value, _SAVEABLE) and not isinstance(value, SeedGenerator):
            if not seen.count_repeats and id(value) in seen:
                continue
            name = to_snake_case(type(value).__name__)
            number = used.get(name, 0)
            used[name] = number + 1
            yield from _visit(value, _join(path, f"{name}_{number}" if number else name), seen)
        elif isinstance(value, (list, tuple, dict)):
            number = used.get("container", 0)
            used["container"] = number + 1
            yield from _container(value, _join(path, f"container_{number}" if number else "container"), seen)


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name
