"""Keras models as SavedModel folders: ``model.save``."""

from __future__ import annotations

from typing import Any

from hornbeam.base import trees
from hornbeam.base.errors import NotSupportedError
from hornbeam.core.spec import TensorSpec
from hornbeam.core.variable import Variable
from hornbeam.saving.learned import vocabularies_in_configs
from hornbeam.saving.saved_model.functions import endpoint_of, functions_of, signature_of
from hornbeam.saving.saved_model.metadata_writer import identifiers, keras_metadata
from hornbeam.saving.saved_model.traced import Traced, trace
from hornbeam.saving.saved_model.writer import Endpoint, Plan, write
from hornbeam.saving.tf_checkpoint.graph import ObjectGraph
from hornbeam.saving.tf_checkpoint.objects import children

__all__ = ["SERVING", "as_specs", "call_endpoint", "input_specs", "save_model", "served"]

SERVING = "serving_default"


def save_model(
    model: Any,
    path: Any,
    *,
    include_optimizer: bool = True,
    signatures: Any = None,
    save_traces: bool = True,
    options: Any = None,
) -> None:
    """Write a Keras model as a SavedModel folder: architecture, variables, optimizer, and the function to serve.

    Args:
        model: the model.
        path: the folder.
        include_optimizer: False leaves the optimizer out.
        signatures: functions to serve instead of the model's own call.
        save_traces: both values mean the same: the call of the model is always written, those of its layers never,
            as layers are rebuilt from their configs.
        options: see ``SaveOptions``.

    Raises:
        ValueError: the model is not built.
    """
    if not model.built:
        raise ValueError(
            f"Model {model.name!r} cannot be saved as a SavedModel before its input shape is known. Call it on data, "
            "or `build(input_shape)` it, first."
        )
    graph = ObjectGraph(_WithoutOptimizer(model) if not include_optimizer else model)
    if not include_optimizer:
        graph.items[0] = model
    variables = [item for item in graph.items if isinstance(item, Variable)]
    plan = Plan(model, graph, identifiers=identifiers(graph))
    specs = input_specs(model)
    # What was counted in `adapt` is kept in 64 bits, like steps, and no call of the model uses it.
    own = {id(variable) for variable in model.variables} - graph.counters
    call = call_endpoint(model, specs, [variable for variable in variables if id(variable) in own])
    plan.endpoints[(0, "__call__")] = call
    for name, (function, owner) in functions_of(model).items():
        endpoint = None if name == "call" else endpoint_of(name, function, owner, variables)
        if endpoint is not None:
            plan.endpoints[(0, name)] = endpoint
    plan.signatures = served(signatures, variables) or {SERVING: (call.traces[0], _output_names(model, call))}
    known = {id(variable) for variable in variables}
    plan.lists = {
        "variables": [v for v in model.variables if id(v) in known],
        "trainable_variables": [v for v in model.trainable_variables if id(v) in known],
        "regularization_losses": [],
    }
    with vocabularies_in_configs(model):
        plan.metadata = keras_metadata(model, graph, specs, include_optimizer)
    write(plan, path)


class _WithoutOptimizer:
    """A model's parts, all but its optimizer."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def _checkpoint_children(self) -> list[tuple[str, Any]]:
        return [(name, item) for name, item in children(self._model) if name != "optimizer"]


def served(signatures: Any, variables: list[Variable]) -> dict[str, tuple[Traced, Any]]:
    """Programs of the signatures that a caller gave: one function, or functions by name."""
    if signatures is None:
        return {}
    given = signatures if isinstance(signatures, dict) else {SERVING: signatures}
    return {str(name): (signature_of(str(name), function, variables), None) for name, function in given.items()}


# --- models --------------------------------------------------------------------------------------
def input_specs(model: Any) -> Any:
    """Specs of a model's inputs, nested as its call takes them.

    Raises:
        NotSupportedError: they are not known.
    """
    if vars(model).get("_functional") is not None:
        return trees.map_structure(
            lambda tensor: TensorSpec(tuple(tensor.shape), tensor.dtype, tensor._keras_history.operation.name),
            model.input,
        )
    shapes = vars(model).get("_build_shapes")
    if not shapes:
        raise NotSupportedError(
            f"The input shapes of {model.name!r} are not known, so the function to serve cannot be traced. Call the "
            "model on a batch of data first."
        )
    values = list(shapes.values())
    dtype = getattr(model, "input_dtype", None) or model.compute_dtype
    single = values[0] if len(values) == 1 else dict(shapes)
    return _specs_of(single, dtype, next(iter(shapes)))


def _specs_of(shape: Any, dtype: str, name: str) -> Any:
    if shape is None:
        return None
    if isinstance(shape, dict):
        return {key: _specs_of(one, dtype, str(key)) for key, one in shape.items()}
    if all(size is None or isinstance(size, int) for size in shape):
        return TensorSpec((None, *tuple(shape)[1:]), dtype, name)
    return [_specs_of(one, dtype, f"{name}_{place}" if place else name) for place, one in enumerate(shape)]


def as_specs(signature: Any) -> Any:
    """Specs from what users pass: specs of ours or of Keras, tensors, or nestings of them."""
    if isinstance(signature, (list, tuple)) and len(signature) == 1:
        signature = signature[0]

    def spec(item: Any) -> Any:
        name = getattr(item, "name", None)
        return TensorSpec(
            item.shape, getattr(item, "dtype", None) or "float32", name if isinstance(name, str) else None
        )

    return trees.map_structure(spec, signature)


def call_endpoint(
    model: Any,
    specs: Any,
    variables: list[Variable],
    parameters: tuple[str, ...] = ("inputs", "training", "mask"),
    name: str | None = None,
) -> Endpoint:
    """The model's call for inference, as a function of the file.

    Args:
        model: model or layer.
        specs: specs of its inputs, nested as its call takes them.
        variables: variables that are saved.
        parameters: names of the function's parameters.
        name: base of its name; default the model's.
    """

    def run(inputs: Any, *rest: Any) -> Any:
        if isinstance(inputs, dict) and takes_keywords:
            return model(**inputs, training=False)
        return model(inputs, training=False)

    takes_keywords = (
        vars(model).get("_functional") is None and isinstance(specs, dict) and _is_keyword_model(model, specs)
    )
    label = name or "".join(c if c.isalnum() else "_" for c in model.name)
    traced = trace(label, run, (specs, *(() if len(parameters) == 1 else (False, None))), {}, variables)
    defaults = () if len(parameters) == 1 else (False, None)
    return Endpoint([traced], list(parameters), defaults)


def _is_keyword_model(model: Any, specs: dict[str, Any]) -> bool:
    from_shapes = vars(model).get("_build_shapes") or {}
    return len(from_shapes) > 1 and set(from_shapes) == set(specs)


def _output_names(model: Any, call: Endpoint) -> list[str] | None:
    outputs = call.traces[0].outputs
    if isinstance(outputs, dict):
        return None
    count = len(trees.flatten(outputs))
    if vars(model).get("_functional") is not None and not isinstance(model.output, dict):
        names = list(model.output_names)
        if len(names) == count:
            return names
    return [f"output_{place + 1}" for place in range(count)]
