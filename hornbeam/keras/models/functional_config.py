"""Functional models to configs and back: layers, and the calls that connect them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hornbeam.base import registry, trees
from hornbeam.core.door import OpCall
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.layers.base.added import LossTap, MetricTap
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.core.input_layer import InputLayer
from hornbeam.keras.models.functional import Functional
from hornbeam.keras.models.stored_ops import StoredOp, call_arguments, op_config
from hornbeam.keras.saving import serialization

_TENSOR = "__keras_tensor__"
_ADDED = "added"
"""Key, beside the first layer's config, of losses and metrics that were added as symbolic tensors."""
_FIXED = "fixed"
"""Key, in a stored call, of the arguments that the call insists on whatever its model is told."""


# --- to configs ----------------------------------------------------------------------------------
def functional_config(model: Any) -> dict[str, Any]:
    """Config of a functional model."""
    graph = vars(model)["_functional"]
    positions = _call_positions(graph)
    inside = {id(node) for node in graph.all_nodes}
    layers = []
    for operation in graph.operations:
        stored = _operation_config(operation)
        stored["name"] = operation.name
        stored["inbound_nodes"] = [
            _node_config(node, positions) for node in operation._inbound_nodes if id(node) in inside and node.inputs
        ]
        layers.append(stored)
    if added := _added_config(model, graph, positions):
        # Keras refuses unknown keys in all other places, and overlooks them here: it loads the model without these.
        layers[0][_ADDED] = added
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": trees.map_structure(lambda tensor: _end(tensor, positions), graph.input_structure),
        "output_layers": trees.map_structure(lambda tensor: _end(tensor, positions), graph.output_structure),
    }


def _call_positions(graph: Any) -> dict[int, int]:
    """Number of each call among the calls of its operation that belong to this graph."""
    inside = {id(node) for node in graph.all_nodes}
    positions: dict[int, int] = {}
    for operation in graph.operations:
        own = [node for node in operation._inbound_nodes if id(node) in inside]
        positions.update({id(node): number for number, node in enumerate(own)})
    # Calls that lead to added losses and metrics only come after those of the model.
    counts = Counter(node.operation for node in graph.all_nodes)
    for node in graph.tap_nodes:
        positions[id(node)] = counts[node.operation]
        counts[node.operation] += 1
    return positions


def _added_config(model: Any, graph: Any, positions: dict[int, int]) -> dict[str, Any] | None:
    """Symbolic losses and metrics of a model, and the calls that lead to them only; None if there are none."""
    losses = [tap for tap in graph.taps if isinstance(tap, LossTap) and tap.model is model]
    metrics = [tap for tap in graph.taps if isinstance(tap, MetricTap)]
    if not losses and not metrics:
        return None
    known = {id(operation) for operation in graph.operations}
    further = {id(node.operation): node.operation for node in graph.tap_nodes if id(node.operation) not in known}
    return {
        "layers": [{**_operation_config(one), "name": one.name} for one in further.values()],
        "calls": [[node.operation.name, _node_config(node, positions)] for node in graph.tap_nodes],
        "losses": [_place(tap.tensor, positions) for tap in losses],
        "metrics": [[tap.metric.name, _place(tap.tensor, positions)] for tap in metrics],
    }


def _end(tensor: KerasTensor, positions: dict[int, int]) -> list[Any]:
    """The place of an input or output; there Keras counts the construction of a functional model as its call 0."""
    name, call, index = _place(tensor, positions)
    return [name, call + isinstance(tensor._keras_history.operation, Functional), index]


def _place(tensor: KerasTensor, positions: dict[int, int]) -> list[Any]:
    operation, _, index = tensor._keras_history
    return [operation.name, positions.get(id(tensor.node), 0), index]


def _operation_config(operation: Any) -> dict[str, Any]:
    if isinstance(operation, OpCall):
        return op_config(operation)
    return serialization.serialize_keras_object(operation)


def _node_config(node: Any, positions: dict[int, int]) -> dict[str, Any]:
    def store(leaf: Any) -> Any:
        if isinstance(leaf, KerasTensor):
            return {
                "class_name": _TENSOR,
                "config": {
                    "shape": tuple(leaf.shape),
                    "dtype": leaf.dtype.name,
                    "keras_history": _place(leaf, positions),
                },
            }
        return serialization.serialize_keras_object(leaf)

    args, kwargs = node.args, node.kwargs
    if isinstance(node.operation, OpCall):
        args, kwargs, _ = call_arguments(node)
    stored = {"args": list(trees.map_structure(store, args)), "kwargs": trees.map_structure(store, kwargs)}
    # Only a flag that was given is among the arguments; Keras writes defaults too, and overlooks this further key.
    return {**stored, _FIXED: ["training"]} if kwargs.get("training") is not None else stored


# --- from configs --------------------------------------------------------------------------------
def functional_from_config(kind: type, config: dict[str, Any], custom_objects: Any = None) -> Any:
    """Rebuild a functional model: make its operations, then repeat their calls in an order that works."""
    operations: dict[str, Any] = {}
    waiting: list[tuple[Any, dict[str, Any]]] = []
    for stored in config["layers"]:
        operation = _operation_from(stored, custom_objects)
        name = stored.get("name") or stored["config"]["name"]
        if name in operations:
            raise ValueError(
                f"The config of model {config.get('name')!r} lists two layers named {name!r}; its calls name the layer "
                "that they belong to, so each needs a name of its own."
            )
        operations[name] = operation
        waiting += [(operation, call) for call in stored["inbound_nodes"]]
    made: dict[tuple[str, int, int], KerasTensor] = {}
    for name, operation in operations.items():
        if isinstance(operation, InputLayer):
            made[name, 0, 0] = operation.output
    counts = dict.fromkeys(operations, 0)
    names = {id(operation): name for name, operation in operations.items()}

    def repeat(operation: Any, call: dict[str, Any]) -> None:
        name = names[id(operation)]
        args, kwargs = _arguments(call, made)
        for index, tensor in enumerate(trees.flatten(operation(*args, **kwargs))):
            made[name, counts[name], index] = tensor
        counts[name] += 1

    while waiting:
        postponed = []
        for operation, call in waiting:
            # Calls of one operation keep their order, because they are numbered.
            earlier = any(other is operation for other, _ in postponed)
            if earlier or not _is_ready(call, made):
                postponed.append((operation, call))
                continue
            repeat(operation, call)
        if len(postponed) == len(waiting):
            stuck = sorted({names[id(operation)] for operation, _ in postponed})
            raise ValueError(
                f"The config of model {config.get('name')} is not a graph that can be built: stuck at {stuck}."
            )
        waiting = postponed
    inputs = _tensors(config["input_layers"], made, operations)
    outputs = _tensors(config["output_layers"], made, operations)
    extra = {
        key: value
        for key, value in config.items()
        if key not in ("layers", "input_layers", "output_layers", "trainable")
    }
    extra.pop("dtype", None)
    model = (kind if issubclass(kind, Functional) or _takes_graph(kind) else Functional)(
        inputs=inputs, outputs=outputs, **extra
    )
    added = next((stored[_ADDED] for stored in config["layers"] if _ADDED in stored), None)
    if added is not None:
        for stored in added["layers"]:
            operation = operations[stored["name"]] = _operation_from(stored, custom_objects)
            names[id(operation)], counts[stored["name"]] = stored["name"], 0
        for name, call in added["calls"]:
            repeat(operations[name], call)
        _add_again(model, added, made)
    for operation in operations.values():
        if isinstance(operation, _AddedCall):
            operation.add_to(model)
    if not config.get("trainable", True):
        model.trainable = False
    return model


def _add_again(model: Any, added: dict[str, Any], made: dict[tuple[str, int, int], KerasTensor]) -> None:
    for name, call, index in added["losses"]:
        model.add_loss(made[name, call, index])
    for metric, (name, call, index) in added["metrics"]:
        model.add_metric(made[name, call, index], name=metric, aggregation="mean")


def _takes_graph(kind: type) -> bool:
    return kind.__name__ not in ("Model",)


def _operation_from(stored: dict[str, Any], custom_objects: Any) -> Any:
    module = stored.get("module") or ""
    if module.startswith("keras.src.ops") or (module.startswith("keras.ops") and stored["class_name"][:1].isupper()):
        return StoredOp(stored)
    bare = {key: value for key, value in stored.items() if key not in ("inbound_nodes", "name")}
    if stored["class_name"] in _AddedCall.KINDS and stored["class_name"] not in (custom_objects or ()):
        return _AddedCall(stored)
    operation = serialization.deserialize_keras_object(bare, custom_objects=custom_objects)
    if not isinstance(operation, Layer):
        raise ValueError(
            f"The stored model holds {stored.get('class_name')!r}, which is not a layer. Received config: "
            f"{stored.get('config')}"
        )
    return operation


class _AddedCall:
    """A loss or metric that a file holds as a layer call on the symbolic tensor."""

    KINDS = ("AddLoss", "AddMetric")

    def __init__(self, stored: dict[str, Any]) -> None:
        self.kind, self.config = stored["class_name"], stored["config"]
        self.tensors: list[KerasTensor] = []

    def __call__(self, tensor: KerasTensor) -> KerasTensor:
        self.tensors.append(tensor)
        return tensor

    def add_to(self, model: Any) -> None:
        """Add to a model what was added to the one that was stored."""
        for tensor in self.tensors:
            if self.kind == "AddLoss":
                model.add_loss(tensor)
            else:
                name = self.config.get("metric_name") or self.config["name"]
                model.add_metric(tensor, name=name, aggregation=self.config.get("aggregation"))


def _history(stored: dict[str, Any]) -> tuple[str, int, int]:
    name, call, index = stored["config"]["keras_history"]
    return name, int(call), int(index)


def _is_tensor(part: Any) -> bool:
    return isinstance(part, dict) and part.get("class_name") == _TENSOR


def _walk(part: Any) -> Any:
    if _is_tensor(part):
        yield part
    elif isinstance(part, dict):
        for value in part.values():
            yield from _walk(value)
    elif isinstance(part, (list, tuple)):
        for value in part:
            yield from _walk(value)


def _is_ready(call: Any, made: dict) -> bool:
    return all(_history(tensor) in made for tensor in _walk(call))


def _arguments(call: dict[str, Any], made: dict) -> tuple[list[Any], dict[str, Any]]:
    def restore(part: Any) -> Any:
        if _is_tensor(part):
            return made[_history(part)]
        if isinstance(part, dict) and "class_name" in part:
            return serialization.deserialize_keras_object(part)
        if isinstance(part, dict):
            return {key: restore(value) for key, value in part.items()}
        if isinstance(part, (list, tuple)):
            return type(part)(restore(value) for value in part)
        return part

    # Keras stores the flag that was in force when a graph was made, and runs each call with that of the whole model.
    kwargs = {key: value for key, value in call["kwargs"].items() if key != "training" or call.get(_FIXED)}
    return [restore(part) for part in call["args"]], {key: restore(value) for key, value in kwargs.items()}


def _tensors(stored: Any, made: dict, operations: dict[str, Any]) -> Any:
    """Tensors in the structure of ``input_layers`` or ``output_layers``."""
    if isinstance(stored, dict):
        return {key: _tensors(value, made, operations) for key, value in stored.items()}
    if len(stored) == 3 and isinstance(stored[0], str) and isinstance(stored[1], int):
        name, call, index = stored
        if isinstance(operations.get(name), Functional):
            call = max(0, call - 1)
        return made[name, call, index]
    return [_tensors(part, made, operations) for part in stored]


registry.provide("keras", "functional config", functional_config)
registry.provide("keras", "functional from config", functional_from_config)
