"""Keras's description of a model, for the readers that rebuild it.

The architecture is written twice: exactly as it is here, which this package prefers, and in the plainer words that
older programs understand.
"""

from __future__ import annotations

import json
from typing import Any

from hornbeam.base import dtypes
from hornbeam.core.spec import TensorSpec
from hornbeam.keras.layers import InputLayer, Layer
from hornbeam.keras.metrics import Metric
from hornbeam.keras.models import Model, Sequential
from hornbeam.keras.saving import serialization
from hornbeam.keras.saving.scopes import ObjectSharingScope
from hornbeam.saving.protos import encode, message
from hornbeam.saving.saved_model.plain_words import plain_layer, plain_training
from hornbeam.saving.tf_checkpoint.graph import ObjectGraph

__all__ = ["EXACT", "identifiers", "keras_metadata"]

EXACT = "hornbeam_config"
"""Key of the exact architecture and training configuration."""
_KERAS_VERSION = "2.15.0"


def identifiers(graph: ObjectGraph) -> dict[int, str]:
    """What kind of Keras object each object is, by number."""
    found = {}
    for number, item in enumerate(graph.items):
        if isinstance(item, Sequential):
            found[number] = "_tf_keras_sequential"
        elif isinstance(item, Model):
            functional = vars(item).get("_functional") is not None
            found[number] = "_tf_keras_network" if functional else "_tf_keras_model"
        elif isinstance(item, InputLayer):
            found[number] = "_tf_keras_input_layer"
        elif isinstance(item, Layer) and not isinstance(item, Metric):
            found[number] = "_tf_keras_layer"
    return found


def keras_metadata(model: Any, graph: ObjectGraph, specs: Any, include_optimizer: bool) -> bytes:
    """The content of ``keras_metadata.pb``."""
    kinds, paths = identifiers(graph), _paths(graph)
    version = message("VersionDef", producer=2, min_consumer=1)
    nodes = []
    for number in sorted(kinds):
        item = graph.items[number]
        config = _layer_metadata(item)
        if number == 0:
            config.update(_model_metadata(model, specs, include_optimizer))
        nodes.append(
            message(
                "KerasObject",
                node_id=number,
                node_path=paths[number],
                identifier=kinds[number],
                metadata=json.dumps(config, default=_plain),
                version=version,
            )
        )
    return encode(message("SavedMetadata", nodes=nodes))


def _paths(graph: ObjectGraph) -> dict[int, str]:
    paths, queue = {0: "root"}, [0]
    while queue:
        number = queue.pop(0)
        for name, child in graph.links[number]:
            if child not in paths:
                paths[child] = f"{paths[number]}.{name}"
                queue.append(child)
    return paths


def _layer_metadata(layer: Any) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": layer.name,
        "trainable": bool(layer.trainable),
        "expects_training_arg": False,
        "dtype": layer.dtype_policy.name,
        "batch_input_shape": None,
        "stateful": bool(getattr(layer, "stateful", False)),
        "must_restore_from_config": False,
        "preserve_input_structure_in_config": False,
        "autocast": bool(layer.autocast),
    }
    try:
        entry = plain_layer(serialization.serialize_keras_object(layer))
        described.update(class_name=entry["class_name"], config=entry["config"])
    except NotImplementedError:
        described["class_name"] = type(layer).__name__
    described["build_input_shape"] = _build_shape(layer)
    if isinstance(layer, InputLayer):
        described["batch_input_shape"] = described.get("config", {}).get("batch_input_shape")
        described.update(sparse=False, ragged=False)
    return described


def _build_shape(layer: Any) -> Any:
    shapes = vars(layer).get("_build_shapes")
    if shapes and len(shapes) == 1:
        return _shape(next(iter(shapes.values())))
    nodes = vars(layer).get("_inbound_nodes")
    if nodes and nodes[0].input_tensors:
        found = [tuple(tensor.shape) for tensor in nodes[0].input_tensors]
        return _shape(found[0] if len(found) == 1 else found)
    # Layers that need no building take any shape, but readers ask for one.
    return None if layer.weights else _shape((None, None))


def _model_metadata(model: Any, specs: Any, include_optimizer: bool) -> dict[str, Any]:
    functional = vars(model).get("_functional") is not None
    described: dict[str, Any] = {
        "is_graph_network": functional,
        "expects_training_arg": True,
        "keras_version": _KERAS_VERSION,
        "backend": "tensorflow",
    }
    if isinstance(specs, TensorSpec):
        described["save_spec"] = _spec(specs)
        tuple_of = {"class_name": "__tuple__", "items": [[described["save_spec"]], {}]}
        described["full_save_spec"] = tuple_of
    try:
        with ObjectSharingScope():
            exact: dict[str, Any] = dict(serialization.serialize_keras_object(model))
        plain = plain_layer(exact)
        described["model_config"] = plain
    except NotImplementedError:
        # A class without a config: readers use the functions of the file, or get the class from the user.
        return described
    if getattr(model, "compiled", False):
        compiled = model.get_compile_config()
        if not include_optimizer:
            exact.pop("compile_config", None)
        elif compiled is not None:
            described["training_config"] = plain_training(compiled)
    else:
        exact.pop("compile_config", None)
    described[EXACT] = exact
    return described


def _shape(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {key: _shape(one) for key, one in shape.items()}
    if shape is not None and all(size is None or isinstance(size, int) for size in shape):
        return {"class_name": "TensorShape", "items": [None, *shape[1:]] if len(shape) else []}
    return None if shape is None else [_shape(one) for one in shape]


def _spec(spec: TensorSpec) -> dict[str, Any]:
    shape = {"class_name": "TensorShape", "items": list(spec.shape)}
    parts = {"class_name": "__tuple__", "items": [shape, spec.dtype.name, spec.name]}
    return {"class_name": "TypeSpec", "type_spec": "tf.TensorSpec", "serialized": parts}


def _plain(value: Any) -> Any:
    if isinstance(value, dtypes.DType):
        return value.name
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(
        f"The model's config holds {value!r} of type {type(value).__name__}, which JSON cannot store. Return plain "
        "values from `get_config`."
    )
