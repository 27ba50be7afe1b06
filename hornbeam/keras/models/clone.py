"""``clone_model``: the same architecture with new weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.base import trees
from hornbeam.core.door import OpCall
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.core.input_layer import Input, InputLayer
from hornbeam.keras.layers.core.lambda_layer import Lambda
from hornbeam.keras.models.functional import Functional
from hornbeam.keras.models.model import Model
from hornbeam.keras.models.sequential import Sequential


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable | None = None,
    call_function: Callable | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """A model of the same architecture whose layers, and so weights, are new.

    Args:
        model: ``Sequential``, functional or (with ``get_config``) subclassed model.
        input_tensors: symbolic tensors to build on; new inputs if not given.
        clone_function: makes the copy of a layer; by default from its config. Not called for inputs.
        call_function: runs a layer's copy: ``(layer, *args, **kwargs)``; functional models only.
        recursive: also apply ``clone_function`` to the layers of nested models.

    Raises:
        ValueError: an option that the kind of model cannot honour.

    References: Keras ``models.clone_model``.
    """
    if kwargs:
        raise ValueError(f"Unexpected keyword argument(s): {sorted(kwargs)}")
    copy = _copier(clone_function, recursive)
    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError("`call_function` is only supported for functional models, not for Sequential ones.")
        return _clone_sequential(model, input_tensors, copy)
    if isinstance(model, Model) and vars(model).get("_functional") is not None and type(model) in (Functional, Model):
        return _clone_functional(model, input_tensors, copy, call_function)
    if clone_function is not None or call_function is not None or input_tensors is not None:
        raise ValueError(
            "Arguments `clone_function`, `call_function` and `input_tensors` are only supported for Sequential "
            "and functional "
            f"models. Received a model of class {type(model).__name__}."
        )
    return type(model).from_config(model.get_config())


def _copier(clone_function: Callable | None, recursive: bool) -> Callable[[Layer], Layer]:
    def copy(layer: Layer) -> Layer:
        if recursive and isinstance(layer, (Sequential, Functional)):
            return clone_model(layer, clone_function=clone_function, recursive=True)
        if clone_function is not None:
            return clone_function(layer)
        if isinstance(layer, (Sequential, Functional)) and any(
            isinstance(one, Lambda) for one in layer._flatten_layers()
        ):
            return clone_model(layer)
        return _again(layer)

    return copy


def _again(layer: Layer) -> Layer:
    """A new layer of the same config, with the very functions of a `Lambda` layer, which a config may fail to name."""
    config = layer.get_config()
    if isinstance(layer, Lambda):
        own = {"function": layer.function, "output_shape": layer._output_shape, "mask": layer.mask}
        config |= {name: value for name, value in own.items() if callable(value)}
    return type(layer).from_config(config)


def _clone_sequential(model: Sequential, input_tensors: Any, copy: Callable) -> Sequential:
    given = trees.flatten(input_tensors) if input_tensors is not None else []
    if len(given) > 1:
        raise ValueError(f"A Sequential model has one input; received {len(given)} `input_tensors`.")
    first: list[Any] = []
    if given:
        tensor = given[0]
        if not isinstance(tensor, KerasTensor):
            raise ValueError(f"`input_tensors` must be symbolic tensors. Received: {tensor!r}")
        first = [
            tensor._keras_history.operation
            if tensor.node is not None and tensor.node.is_input
            else Input(tensor=tensor)
        ]
    elif model._input_layer is not None:
        first = [InputLayer.from_config(model._input_layer.get_config())]
    clone: Any = Sequential(
        [*first, *(copy(layer) for layer in model.layers)], name=model.name, trainable=model.trainable
    )
    return clone


def _clone_functional(model: Any, input_tensors: Any, copy: Callable, call_function: Callable | None) -> Functional:
    graph = vars(model)["_functional"]
    copies: dict[int, Any] = {}
    for operation in graph.operations:
        if not isinstance(operation, (InputLayer, OpCall)):
            copies[id(operation)] = copy(operation)
    if input_tensors is None:
        inputs = [
            Input(batch_shape=tuple(tensor.shape), dtype=str(tensor.dtype), name=tensor._keras_history.operation.name)
            for tensor in graph.inputs
        ]
    else:
        inputs = trees.flatten(input_tensors)
        if len(inputs) != len(graph.inputs):
            raise ValueError(f"The model has {len(graph.inputs)} inputs, but {len(inputs)} `input_tensors` were given.")

    def call(operation: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        twin = copies.get(id(operation), operation)
        if call_function is not None and isinstance(twin, Layer):
            return call_function(twin, *args, **kwargs)
        return twin(*args, **kwargs)

    outputs = graph.run(inputs, call)
    clone: Any = Functional(trees.pack(graph.input_structure, inputs), outputs, name=model.name)
    if not model.trainable:
        clone.trainable = False
    return clone
