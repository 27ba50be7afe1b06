"""Which objects a checkpoint holds, and by which names an object's parts are known in it.

Values are found by walking from a root through named children, on both sides at once: in the stored graph and
among the objects of the program. A part may have several names; the first one makes the key under which it is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hornbeam.base import trees
from hornbeam.core.variable import Variable
from hornbeam.keras.layers import RNN, InputLayer, Layer
from hornbeam.keras.layers.base.tracking import own_variables
from hornbeam.keras.metrics import Metric
from hornbeam.keras.models import Model, Sequential
from hornbeam.keras.optimizers import Optimizer
from hornbeam.keras.random import SeedGenerator
from hornbeam.tensors.module import Module

__all__ = ["children", "is_container", "is_tracked", "layer_children", "reachable", "slot_order"]

# Bookkeeping of layers and models, which no file holds.
_INTERNAL = frozenset(
    {
        "_build_outputs",
        "_build_shapes",
        "_call_arguments",
        "_found",
        "_functional",
        "_graph_layers",
        "_inbound_nodes",
        "_input_layer",
        "_losses",
        "_metrics",
        "_plans",
        "_stack",
        "_steps",
        "_trainer",
        "_weights",
        "history",
        "input_spec",
    }
)
_TRACKED = (Variable, Layer, Metric, Optimizer, Module)
_STORED_AS = {
    "DepthwiseConv1D": {"kernel": "depthwise_kernel"},
    "DepthwiseConv2D": {"kernel": "depthwise_kernel"},
}
"""Attributes that the files call otherwise, by class."""


def is_container(value: Any) -> bool:
    """Lists, tuples and dicts, whose elements are children by index or key."""
    return isinstance(value, (list, tuple, dict))


def is_tracked(value: Any) -> bool:
    """Whether an attribute's value belongs into a checkpoint."""
    if isinstance(value, SeedGenerator):
        return False
    if isinstance(value, _TRACKED) or hasattr(value, "_checkpoint_children"):
        return True
    if isinstance(value, Mapping):
        return any(map(is_tracked, value.values()))
    return isinstance(value, (list, tuple)) and any(map(is_tracked, value))


def children(item: Any) -> list[tuple[str, Any]]:
    """Names and parts of an object; a part may come several times, under each of its names."""
    if isinstance(item, Variable):
        return []
    own = getattr(item, "_checkpoint_children", None)
    if own is not None:
        return list(own())
    if isinstance(item, Mapping):
        return [(str(key), value) for key, value in item.items() if is_tracked(value)]
    if isinstance(item, (list, tuple)):
        return [(str(index), value) for index, value in enumerate(item) if is_tracked(value)]
    if isinstance(item, Optimizer):
        return optimizer_children(item)
    found = layer_children(item) if isinstance(item, Model) else []
    found += _attributes(item)
    if isinstance(item, Model):
        optimizer = getattr(item, "optimizer", None)
        if isinstance(optimizer, Optimizer):
            found.append(("optimizer", optimizer))
    return found


def layer_children(model: Any) -> list[tuple[str, Any]]:
    """Children of a functional or sequential model: its layers by number."""
    state = vars(model)
    if state.get("_functional") is None and "_stack" not in state:
        return []
    layers = list(model.layers)
    if isinstance(model, Sequential):
        layers = [layer for layer in layers if not isinstance(layer, InputLayer)]
    found, weighted = [], 0
    for number, layer in enumerate(layers):
        if layer.weights:
            found.append((f"layer_with_weights-{weighted}", layer))
            weighted += 1
        found.append((f"layer-{number}", layer))
    return found


def _attributes(item: Any) -> list[tuple[str, Any]]:
    names = _STORED_AS.get(type(item).__name__, {})
    found: list[tuple[str, Any]] = []
    # Checkpoints leave out what a stateful layer remembers: they load into models for another batch size.
    passing = {id(v) for v in trees.flatten(item.states)} if isinstance(item, RNN) else set()
    for name, value in list(vars(item).items()):
        if passing and name == "states":
            continue
        if name in _INTERNAL or name.startswith("__") or not is_tracked(value):
            continue
        found.append((str(names.get(name, name)), value))
        if isinstance(value, Variable) and value.name != names.get(name, name):
            found.append((names.get(str(value.name), str(value.name)), value))
    if isinstance(item, Layer):
        known = {id(value) for _, value in found} | passing
        found += [(str(v.name), v) for v in own_variables(item) if id(v) not in known]
    # Two variables may have been given one name: only the attribute tells them apart then.
    return _without_clashes(found)


def _without_clashes(found: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    first: dict[str, Any] = {}
    kept = []
    for name, value in found:
        if first.setdefault(name, value) is value:
            kept.append((name, value))
    return kept


def optimizer_children(optimizer: Any) -> list[tuple[str, Any]]:
    """Step count, learning rate, and all variables by number, then by slot."""
    rate = vars(optimizer).get("_learning_rate")
    numbered = [v for v in optimizer.variables if v is not rate]
    found: list[tuple[str, Any]] = [("_variables", numbered), ("_iterations", optimizer._iterations)]
    if isinstance(rate, Variable):
        found.append(("_learning_rate", rate))
    for name, value in vars(optimizer).items():
        if name in ("_variables", "_trainable_variables", "_iterations", "_learning_rate", "_indices", "_programs"):
            continue
        if isinstance(value, (Variable, Optimizer)) or (isinstance(value, list) and is_tracked(value)):
            found.append(("_model_variables_moving_average" if name == "_averages" else name, value))
    return found


def slot_order(model: Any) -> list[Variable]:
    """Trainable variables in the order in which an optimizer's slots are stored: sublayers before a model's own."""
    found: dict[int, Variable] = {}

    def visit(layer: Any) -> None:
        own = [v for v in own_variables(layer) if v.trainable]
        inner = layer.layers if isinstance(layer, Model) else layer._layers
        if not isinstance(layer, Model):
            found.update((id(v), v) for v in own)
        for sublayer in inner:
            visit(sublayer)
        if isinstance(layer, Model):
            for variable in own:
                found.setdefault(id(variable), variable)

    visit(model)
    return list(found.values())


def reachable(root: Any) -> Iterator[Any]:
    """All objects below a root, each once, breadth first."""
    queue, seen = [root], {id(root)}
    while queue:
        item = queue.pop(0)
        yield item
        for _, child in children(item):
            if id(child) not in seen:
                seen.add(id(child))
                queue.append(child)
