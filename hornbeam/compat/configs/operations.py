"""Operations that TensorFlow put into graphs of layers (``x * 2``, ``tf.reshape(x, ...)``), by a closed table."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import UnsupportedFileError

__all__ = ["operation_arguments", "operation_entry"]

OPERATIONS: dict[str, str] = {
    "__operators__.add": "add",
    "__operators__.mul": "multiply",
    "__operators__.getitem": "get_item",
    "math.add": "add",
    "math.subtract": "subtract",
    "math.multiply": "multiply",
    "math.divide": "divide",
    "math.truediv": "true_divide",
    "math.pow": "power",
    "math.square": "square",
    "math.sqrt": "sqrt",
    "math.exp": "exp",
    "math.log": "log",
    "math.abs": "abs",
    "math.negative": "negative",
    "math.maximum": "maximum",
    "math.minimum": "minimum",
    "math.tanh": "tanh",
    "math.sigmoid": "sigmoid",
    "math.reduce_mean": "mean",
    "math.reduce_sum": "sum",
    "math.reduce_max": "max",
    "math.reduce_min": "min",
    "math.sin": "sin",
    "math.cos": "cos",
    "nn.relu": "relu",
    "nn.softmax": "softmax",
    "nn.gelu": "gelu",
    "nn.elu": "elu",
    "nn.silu": "silu",
    "nn.sigmoid": "sigmoid",
    "nn.softplus": "softplus",
    "linalg.matmul": "matmul",
    "reshape": "reshape",
    "transpose": "transpose",
    "concat": "concatenate",
    "expand_dims": "expand_dims",
    "squeeze": "squeeze",
    "cast": "cast",
    "identity": "identity_of",
    "stack": "stack",
    "clip_by_value": "clip",
    "zeros_like": "zeros_like",
    "ones_like": "ones_like",
}
"""TensorFlow's symbol, and the op of the same meaning."""

ARGUMENTS: dict[str, dict[str, str]] = {
    "power": {"x": "x1", "y": "x2"},
    "add": {"x": "x1", "y": "x2"},
    "subtract": {"x": "x1", "y": "x2"},
    "multiply": {"x": "x1", "y": "x2"},
    "divide": {"x": "x1", "y": "x2"},
    "true_divide": {"x": "x1", "y": "x2"},
    "maximum": {"x": "x1", "y": "x2"},
    "minimum": {"x": "x1", "y": "x2"},
    "matmul": {"a": "x1", "b": "x2"},
    "reshape": {"shape": "newshape", "tensor": "x"},
    "transpose": {"perm": "axes", "a": "x"},
    "concatenate": {"values": "xs"},
    "clip": {"clip_value_min": "x_min", "clip_value_max": "x_max"},
    "get_item": {"slice_spec": "key"},
}


def operation_entry(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry of an op call, from that of a layer made of a TensorFlow function.

    Raises:
        UnsupportedFileError: the function is not in the table.
    """
    config = entry.get("config") or {}
    symbol = config.get("function") if isinstance(config.get("function"), str) else "__operators__.getitem"
    op = OPERATIONS.get(str(symbol))
    if entry["class_name"] == "SlicingOpLambda":
        op = "get_item"
    if op is None:
        raise UnsupportedFileError(
            f"The stored model calls the TensorFlow function {symbol!r}, which is not in the table of those "
            "that are read. "
            "Build the model in Python, and load its weights by name."
        )
    name = entry.get("name") or config.get("name")
    return {
        "class_name": "".join(part.capitalize() for part in op.split("_")),
        "module": "keras.src.ops",
        "config": {"name": name, "op": op},
        "name": name,
        "op": op,
    }


def operation_arguments(op: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments of a call of TensorFlow's function, under the names of the op; those that say nothing go."""
    names = ARGUMENTS.get(op, {})
    found = {names.get(key, key): value for key, value in kwargs.items() if value is not None and key != "name"}
    if "key" in found:
        parts = found["key"] if isinstance(found["key"], list) else [found["key"]]
        found["key"] = {"class_name": "__tuple__", "items": [_index(part) for part in parts]}
    return found


def _index(part: Any) -> Any:
    """One part of an index: a number, None for a new axis, or a slice."""
    if isinstance(part, dict) and {"start", "stop", "step"} <= part.keys():
        return {"class_name": "__slice__", "config": {key: part[key] for key in ("start", "stop", "step")}}
    if isinstance(part, dict) and part.get("class_name") == "__ellipsis__":
        return {"class_name": "__ellipsis__", "config": {}}
    return part
