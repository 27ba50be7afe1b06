"""``Functional``: a model that is a graph of layer calls."""

from __future__ import annotations

import warnings
from typing import Any

from hornbeam import ops
from hornbeam.base import names, registry, trees
from hornbeam.base.check import closest
from hornbeam.base.errors import ShapeError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.core.input_layer import InputLayer
from hornbeam.keras.models.graph import Graph
from hornbeam.keras.models.model import Model
from hornbeam.keras.trainers.host_head import is_prepared, run_prepared
from hornbeam.keras.trainers.trainer import Trainer


class Functional(Model):
    """A model made from symbolic inputs and outputs; see ``Model``.

    Args:
        inputs: symbolic tensor or nesting of them.
        outputs: symbolic tensor or nesting of them.
        name: name of the model.
    """

    pure = True

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        Trainer.__init__(self)
        Layer.__init__(self, name=name, **kwargs)
        attach_graph(self, inputs, outputs)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Run the graph."""
        return run_graph(self, inputs, training, mask)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Output shapes for input shapes, by an abstract run of the graph."""
        return Layer.compute_output_shape(self, input_shape)

    compute_output_shape.is_default = True  # type: ignore[attr-defined]


def attach_graph(model: Model, inputs: Any, outputs: Any) -> None:
    """Give a model the graph from ``inputs`` to ``outputs``."""
    graph = Graph(inputs, outputs)
    _add_missing_inputs(graph)
    model._functional = graph
    model._graph_layers = [operation for operation in graph.operations if isinstance(operation, Layer)]
    model.built = True
    model._build_shapes = {"inputs": trees.map_structure(lambda tensor: tuple(tensor.shape), inputs)}
    names_used: set[str] = set()
    for layer in model._graph_layers:
        if layer.name in names_used:
            raise ValueError(
                f"{sum(one.name == layer.name for one in model._graph_layers)} different layers of the model are "
                f'called "{layer.name}". Names must be unique: give each layer a `name` of its own.'
            )
        names_used.add(layer.name)
    _set_paths(model)


def _set_paths(model: Model) -> None:
    for layer in model._graph_layers:
        if "_path" not in vars(layer):
            vars(layer)["_path"] = f"{model.name}/{layer.name}"


def _add_missing_inputs(graph: Graph) -> None:
    """A model cut out of the middle of another one: its inputs get input layers of their own in the list."""
    extra = []
    for tensor in graph.inputs:
        if not tensor.node.is_input:
            operation = tensor._keras_history.operation
            if operation in graph.operations and all(node.operation is not operation for node in graph.nodes):
                graph.operations.remove(operation)
            name = names.unique_name(f"{operation.name}_input") if tensor.node is None else tensor.name
            extra.append(InputLayer(input_tensor=tensor, dtype=str(tensor.dtype), name=name))
    graph.operations = extra + graph.operations


def run_graph(model: Model, inputs: Any, training: Any = None, mask: Any = None) -> Any:
    """Outputs of a functional model."""
    graph: Graph = vars(model)["_functional"]
    if is_prepared(inputs):
        return _unpacked(run_prepared(graph, inputs))
    values = standardize_inputs(model, graph, inputs)
    if mask is not None:
        for value, one in zip(values, trees.flatten(mask), strict=True):
            if one is not None:
                value._keras_mask = one
    return _unpacked(graph.run(values))


def _unpacked(outputs: Any) -> Any:
    """A list of one output gives the output, as in Keras; ``model.output`` keeps the list."""
    return outputs[0] if isinstance(outputs, (list, tuple)) and len(outputs) == 1 else outputs


def standardize_inputs(model: Model, graph: Graph, inputs: Any) -> list[Any]:
    """Values of the graph's inputs, in order, of the right rank and dtype."""
    if isinstance(inputs, dict):
        values = _from_dict(model, graph, inputs)
    else:
        values = trees.flatten(inputs)
    if len(values) != len(graph.inputs):
        raise ValueError(
            f'Functional model "{model.name}" expects {len(graph.inputs)} inputs '
            f"({[tensor.name for tensor in graph.inputs]}), but received {len(values)}."
        )
    return [_fit(model, value, tensor) for value, tensor in zip(values, graph.inputs, strict=True)]


def _from_dict(model: Model, graph: Graph, inputs: dict[str, Any]) -> list[Any]:
    structure = graph.input_structure
    if isinstance(structure, dict):
        missing = [key for key in structure if key not in inputs]
        if missing:
            hint = closest(missing[0], [key for key in inputs if key not in structure])
            raise ValueError(f'Model "{model.name}" misses input(s) {missing}; received keys {sorted(inputs)}{hint}.')
        return trees.flatten({key: inputs[key] for key in structure})
    found = []
    for tensor in graph.inputs:
        name = tensor._keras_history.operation.name
        key = name if name in inputs else tensor.name
        if key not in inputs:
            raise ValueError(
                f'Model "{model.name}" gets no data for its input "{name}". It takes a dictionary with the keys '
                f"{[t._keras_history.operation.name for t in graph.inputs]}. Received: keys {sorted(inputs)}"
            )
        found.append(inputs[key])
    extra = len(inputs) - len(found)
    if extra > 0:
        warnings.warn(f"Model {model.name} got {extra} inputs it does not use.", stacklevel=2)
    return found


def _fit(model: Model, value: Any, tensor: KerasTensor) -> Any:
    """One input value: an axis of size 1 added or dropped at the end if that makes the rank right, dtype cast."""
    if value is None:
        return None
    want, have = tuple(tensor.shape), tuple(value.shape)
    mask = getattr(value, "_keras_mask", None)
    if len(have) == len(want) - 1 and want and want[-1] == 1:
        value = ops.expand_dims(value, axis=-1)
    elif len(have) == len(want) + 1 and have[-1] == 1:
        value = ops.squeeze(value, axis=-1)
    have = tuple(value.shape)
    # The batch may differ from the one of the Input layer: a model trained on full batches predicts for any number.
    if len(have) != len(want) or any(
        w is not None and h is not None and w != h for w, h in zip(want[1:], have[1:], strict=True)
    ):
        raise ShapeError(
            f'Input 0 of model "{model.name}" is incompatible with it: expected shape={want} '
            f'(input "{tensor.name}"), found shape={have}. '
            "Fix: feed data of that shape (the first axis is the batch), or build the model for yours."
        )
    if isinstance(value, (Tensor, KerasTensor)) and value.dtype != tensor.dtype:
        value = ops.cast(value, tensor.dtype)
    if mask is not None and getattr(value, "_keras_mask", None) is None:
        value._keras_mask = mask
    return value


def output_names(model: Model) -> list[str]:
    """Names of a model's outputs: of the layers that make them, made unique by counting."""
    found: list[str] = []
    for tensor in trees.flatten(model.output):
        base = name = tensor._keras_history.operation.name
        count = 1
        while name in found:
            name, count = f"{base}_{count}", count + 1
        found.append(name)
    return found


registry.provide("keras", "functional model", Functional)
registry.provide("keras", "attach graph", attach_graph)
registry.provide("keras", "run graph", run_graph)
registry.provide("keras", "graph inputs", standardize_inputs)
registry.provide("keras", "output names", output_names)
__all__ = ["Functional", "InputSpec", "attach_graph", "output_names", "run_graph"]
