"""Functional models to configs and back: layers, and the calls that connect them."""

from __future__ import annotations

import importlib
from collections import Counter
from typing import Any

from hornbeam import ops
from hornbeam.base import registry, trees
from hornbeam.core.door import Op, OpCall
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.layers.base.added import LossTap, MetricTap
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.core.input_layer import InputLayer
from hornbeam.keras.models.functional import Functional
from hornbeam.keras.saving import serialization

_TENSOR = "__keras_tensor__"
_ADDED = "added"
"""Key, beside the first layer's config, of losses and metrics that were added as symbolic tensors."""


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
        return _op_config(operation)
    return serialization.serialize_keras_object(operation)


# Where Keras defines the class of an op: by the part of ``ops`` that holds the function, or by the function's name.
_OP_FOLDERS = {
    "activations": "nn",
    "attention": "nn",
    "casting": "core",
    "control": "core",
    "conv": "nn",
    "image": "image",
    "linalg": "linalg",
    "losses": "nn",
    "math": "math",
    "nn": "nn",
    "numpy": "numpy",
    "pooling": "nn",
    "scans": "core",
}
_OP_MODULES = {
    "logsumexp": "math",
    "rearrange": "einops",
    "scatter": "core",
    "scatter_update": "core",
    "slice": "core",
    "slice_update": "core",
}

_TF_FUNCTIONS = ("hornbeam.tensors.", "hornbeam.random.stateful", "hornbeam.ops.numpy.item")
# Folders whose ops, all of them pure, a graph may hold under their own place.
_TF_OPS = (
    *("hornbeam.bitwise.", "hornbeam.image.", "hornbeam.linalg.", "hornbeam.math.", "hornbeam.nn."),
    *("hornbeam.random.", "hornbeam.ragged.", "hornbeam.signal.", "hornbeam.sparse.", "hornbeam.strings."),
)


def _op_config(operation: OpCall) -> dict[str, Any]:
    """An op as Keras writes it: its class, named after the function, and the arguments that are no tensors."""
    function = operation.function
    name = function.__name__
    node = operation._inbound_nodes[0]
    fixed = {key: value for key, value in node.kwargs.items() if not _has_tensor(value)}
    home = _OP_MODULES.get(name) or _OP_FOLDERS.get(function.__module__.removeprefix("hornbeam.ops.").split(".")[0])
    kind = "".join(part.capitalize() for part in name.split("_"))
    config = {"name": operation.name, **serialization.serialize_keras_object(fixed)}
    if function.__module__.startswith(_TF_FUNCTIONS) or f"{function.__module__}.".startswith(_TF_OPS):
        config["op"] = f"{function.__module__}:{name}"
    elif home is None or _op_name(kind) != name:
        config["op"] = name
    module = f"keras.src.ops.{home}" if home else "keras.src.ops"
    return {"module": module, "class_name": kind, "config": config, "registered_name": kind}


def _has_tensor(value: Any) -> bool:
    return any(isinstance(leaf, KerasTensor) for leaf in trees.flatten(value))


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

    kwargs = node.kwargs
    if isinstance(node.operation, OpCall):
        kwargs = {key: value for key, value in kwargs.items() if _has_tensor(value)}
    return {"args": list(trees.map_structure(store, node.args)), "kwargs": trees.map_structure(store, kwargs)}


# --- from configs --------------------------------------------------------------------------------
def functional_from_config(kind: type, config: dict[str, Any], custom_objects: Any = None) -> Any:
    """Rebuild a functional model: make its operations, then repeat their calls in an order that works."""
    operations: dict[str, Any] = {}
    waiting: list[tuple[Any, dict[str, Any]]] = []
    for stored in config["layers"]:
        operation = _operation_from(stored, custom_objects)
        name = stored.get("name") or stored["config"]["name"]
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
        return _StoredOp(stored)
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


class _StoredOp:
    """An op call as stored: its fixed arguments stand in the config, its tensors in the call."""

    def __init__(self, stored: dict[str, Any]) -> None:
        fixed = dict(stored["config"])
        self.name = fixed.pop("name", stored.get("name"))
        name = fixed.pop("op", None) or _op_name(stored["class_name"])
        function = getattr(ops, name, None) if name in ops.__all__ else _tf_function(name)
        if function is None:
            raise ValueError(f"The stored model uses the op {stored['class_name']!r}, which is not known.")
        self.function = function
        self.fixed = {key: serialization.deserialize_keras_object(value) for key, value in fixed.items()}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outputs = self.function(*args, **kwargs, **self.fixed)
        given = [leaf for leaf in trees.flatten([args, kwargs]) if isinstance(leaf, KerasTensor)]
        first = trees.flatten(outputs)[0]
        # A function that gives back what it was given has no operation of its own.
        if isinstance(first, KerasTensor) and all(first.node is not tensor.node for tensor in given):
            first._keras_history.operation.name = self.name
        return outputs


def _tf_function(name: str) -> Any:
    """A function of tensors outside of ``ops``, from its place; None if it is none of those that a graph may hold."""
    if name.startswith("tf:"):
        return registry.find("configs", "tensorflow function")(name.removeprefix("tf:"))
    module, _, name = name.partition(":")
    if not f"{module}.".startswith((*_TF_FUNCTIONS, *_TF_OPS)):
        return None
    try:
        home = importlib.import_module(module)
    except ImportError:
        return None
    found = getattr(home, name, None)
    public = module.startswith(_TF_FUNCTIONS) and name in getattr(home, "__all__", ())
    return found if public or isinstance(getattr(found, "op", None), Op) else None


def _op_name(class_name: str) -> str:
    parts = ""
    for index, letter in enumerate(class_name):
        if letter.isupper() and index and not class_name[index - 1].isupper():
            parts += "_"
        parts += letter.lower()
    return parts


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

    return [restore(part) for part in call["args"]], {key: restore(value) for key, value in call["kwargs"].items()}


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
