"""Keras's own description of the objects in a SavedModel."""

from __future__ import annotations

from typing import Any, NamedTuple

from hornbeam.base.errors import CorruptFileError
from hornbeam.saving.saved_model.folder import Folder
from hornbeam.saving.texts import parse_json

__all__ = ["KerasNode", "expanded", "keras_nodes", "root_node"]

_MODELS = ("_tf_keras_model", "_tf_keras_network", "_tf_keras_sequential")


class KerasNode(NamedTuple):
    """One Keras object of the file.

    Attributes:
        number: its number in the object graph.
        path: names from the root to it.
        identifier: kind of object.
        config: its description.
    """

    number: int
    path: str
    identifier: str
    config: dict[str, Any]


def keras_nodes(folder: Folder) -> list[KerasNode]:
    """All Keras objects; older files have the descriptions in the graph instead of a file of their own."""
    file = "keras_metadata.pb" if folder.metadata else "saved_model.pb"
    if folder.metadata:
        entries = [(n.node_id, n.node_path, n.identifier, n.metadata) for n in folder.metadata]
    else:
        objects = folder.graph.object_graph_def.nodes
        entries = [
            (number, "root" if number == 0 else "", node.user_object.identifier, node.user_object.metadata)
            for number, node in enumerate(objects)
            if node.has("user_object") and node.user_object.identifier.startswith("_tf_keras")
        ]
    found = []
    for number, path, identifier, text in entries:
        config = parse_json(text, f"{folder.path}: {file}, metadata of {path or number}") if text else {}
        if not isinstance(config, dict):
            raise CorruptFileError(f"{folder.path}: the metadata of object {number} is no JSON object.")
        found.append(KerasNode(number, path, identifier, expanded(config)))
    return found


def root_node(nodes: list[KerasNode]) -> KerasNode | None:
    """The description of the model itself, None if the file holds no Keras model."""
    for node in nodes:
        if node.number == 0 and (node.identifier in _MODELS or node.identifier.startswith("_tf_keras")):
            return node
    return None


def expanded(value: Any) -> Any:
    """Plain lists and tuples for the shapes, tuples and specs that such texts hold as dicts."""
    if isinstance(value, list):
        return [expanded(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("class_name")
    if kind in ("__tuple__", "TensorShape") and "items" in value:
        items = value["items"]
        return None if items is None else tuple(expanded(item) for item in items)
    if kind == "TypeSpec" and "serialized" in value:
        return {"class_name": "TypeSpec", "spec": value.get("type_spec"), "parts": expanded(value["serialized"])}
    return {key: expanded(item) for key, item in value.items()}
