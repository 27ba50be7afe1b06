"""Operations that stand as layers in graphs (``x * 2``, ``tf.reshape(x, ...)``), as calls of ops."""

from __future__ import annotations

import operator
from typing import Any

from hornbeam.base.errors import UnsupportedFileError
from hornbeam.compat.configs.generation import Context
from hornbeam.compat.configs.tf_functions import arguments_of, is_known
from hornbeam.keras.models.stored_ops import is_op_class

__all__ = ["FUNCTION_LAYERS", "operation_call", "operation_entry", "with_operations"]

FUNCTION_LAYERS = ("TFOpLambda", "SlicingOpLambda")
"""Classes of layers that call a function of TensorFlow."""
_PREFIX = "tf:"


def operation_entry(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry of an op call, from that of a layer made of a TensorFlow function.

    Raises:
        UnsupportedFileError: the function is not in the table.
    """
    config = entry.get("config") or {}
    symbol = "__operators__.getitem" if entry["class_name"] == "SlicingOpLambda" else config.get("function")
    if not isinstance(symbol, str) or not is_known(symbol):
        raise UnsupportedFileError(
            f"The stored model calls the TensorFlow function {symbol!r}, which is not in the table of those "
            "that are read. Build the model in Python, and load its weights by name."
        )
    name = entry.get("name") or config.get("name")
    op = _PREFIX + symbol
    return {"class_name": "Function", "module": "keras.src.ops", "config": {"name": name, "op": op}, "name": name,
            "op": op}  # fmt: skip


def operation_call(op: str, args: list[Any], kwargs: dict[str, Any], name: Any) -> tuple[list[Any], dict[str, Any]]:
    """Arguments of a call of TensorFlow's function, those that say nothing left out.

    Raises:
        UnsupportedFileError: the writer lost the tensors.
    """
    symbol = op.removeprefix(_PREFIX)
    if symbol == "einsum" and args and isinstance(args[0], str):
        raise UnsupportedFileError(
            f"Layer {name!r} of the stored model calls `tf.einsum`, and the program that wrote the file left out what "
            "it is called on. Build the model in Python, and load its weights by name."
        )
    return arguments_of(symbol, args, kwargs)


def with_operations(config: Any, context: Context) -> Any:
    """A config whose ops have the module that tells them from layers; some files name the class only.

    Layers always say whether they are trainable, ops never do.
    """
    if isinstance(config, list):
        items = [with_operations(item, context) for item in config]
        return config if all(map(operator.is_, items, config)) else items
    if not isinstance(config, dict):
        return config
    found = {key: with_operations(value, context) for key, value in config.items()}
    if _is_operation(found, context):
        return {**found, "module": "keras.src.ops"}
    return config if all(found[key] is value for key, value in config.items()) else found


def _is_operation(entry: dict[str, Any], context: Context) -> bool:
    name, inner, nodes = entry.get("class_name"), entry.get("config"), entry.get("inbound_nodes")
    if not (isinstance(name, str) and isinstance(inner, dict) and nodes) or entry.get("module"):
        return False
    known = context.knows(name) or {"trainable", "layers"} & inner.keys()
    return not known and isinstance(nodes[0], dict) and "args" in nodes[0] and is_op_class(name)
