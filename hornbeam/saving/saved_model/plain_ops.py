"""Ops in graphs as the layers that other programs know for them: calls of TensorFlow's functions."""

from __future__ import annotations

from typing import Any

__all__ = ["plain_operation"]

_TENSOR = "__keras_tensor__"
_BINARY = {
    "Add": "__operators__.add",
    "Subtract": "math.subtract",
    "Multiply": "math.multiply",
    "Divide": "math.truediv",
    "TrueDivide": "math.truediv",
    "FloorDivide": "compat.v1.floor_div",
    "Mod": "math.floormod",
    "Power": "math.pow",
    "Maximum": "math.maximum",
    "Minimum": "math.minimum",
    "Greater": "math.greater",
    "GreaterEqual": "math.greater_equal",
    "Less": "math.less",
    "LessEqual": "math.less_equal",
    "Equal": "math.equal",
    "NotEqual": "math.not_equal",
    "LogicalAnd": "math.logical_and",
    "LogicalOr": "math.logical_or",
}
_UNARY = {
    **{name: f"math.{name.lower()}" for name in (
        *("Abs", "Exp", "Log", "Log1p", "Expm1", "Sqrt", "Rsqrt", "Square", "Negative", "Sign", "Round", "Floor"),
        *("Ceil", "Sin", "Cos", "Tan", "Sinh", "Cosh", "Tanh", "Sigmoid", "Erf", "Reciprocal"),
    )},
    "Absolute": "math.abs",
    "LogicalNot": "math.logical_not",
    "Identity": "identity",
    "ZerosLike": "zeros_like",
    "OnesLike": "ones_like",
}  # fmt: skip
_REDUCE = {name: f"math.reduce_{name.lower()}" for name in ("Mean", "Sum", "Max", "Min", "Prod", "Any", "All", "Std")}
_OTHERS: dict[str, tuple[str, dict[str, str]]] = {
    "Matmul": ("linalg.matmul", {"x1": "a", "x2": "b"}),
    "Reshape": ("reshape", {"x": "tensor", "newshape": "shape"}),
    "Transpose": ("compat.v1.transpose", {"x": "a", "axes": "perm"}),
    "ExpandDims": ("expand_dims", {"x": "input", "axis": "axis"}),
    "Squeeze": ("compat.v1.squeeze", {"x": "input", "axis": "axis"}),
    "Concatenate": ("concat", {"xs": "values", "axis": "axis"}),
    "Stack": ("stack", {"x": "values", "axis": "axis"}),
    "Cast": ("cast", {"x": "x", "dtype": "dtype"}),
    "Clip": ("clip_by_value", {"x": "t", "x_min": "clip_value_min", "x_max": "clip_value_max"}),
    "Softmax": ("nn.softmax", {"x": "logits", "axis": "axis"}),
    "Relu": ("nn.relu", {"x": "features"}),
    "Relu6": ("nn.relu6", {"x": "features"}),
    "Gelu": ("nn.gelu", {"x": "features", "approximate": "approximate"}),
    "Elu": ("nn.elu", {"x": "features"}),
    "Selu": ("nn.selu", {"x": "features"}),
    "Silu": ("nn.silu", {"x": "features"}),
    "Softplus": ("math.softplus", {"x": "features"}),
    "LeakyRelu": ("nn.leaky_relu", {"x": "features", "negative_slope": "alpha"}),
    "Argmax": ("math.argmax", {"x": "input", "axis": "axis"}),
    "Tile": ("tile", {"x": "input", "repeats": "multiples"}),
}
FUNCTIONS: dict[str, tuple[str, dict[str, str]]] = {
    **{name: (symbol, {"x1": "x", "x2": "y"}) for name, symbol in _BINARY.items()},
    **{name: (symbol, {"x": "x"}) for name, symbol in _UNARY.items()},
    **{name: (symbol, {"x": "input_tensor", "axis": "axis", "keepdims": "keepdims"})
       for name, symbol in _REDUCE.items()},
    **_OTHERS,
}  # fmt: skip
"""TensorFlow's symbol for an op, and its words for the arguments, in the op's order."""


def plain_operation(stored: dict[str, Any]) -> dict[str, Any] | None:
    """The entry of an op as a layer that calls a function; ``None`` if others have no such function."""
    name, config = stored["name"], stored["config"]
    if stored["class_name"] not in FUNCTIONS or "op" in config:
        return None
    symbol, words = FUNCTIONS[stored["class_name"]]
    fixed = {key: value for key, value in config.items() if key != "name"}
    nodes = [_call(node, words, fixed) for node in stored["inbound_nodes"]]
    if any(node is None for node in nodes):
        return None
    inner = {"name": name, "trainable": True, "dtype": "float32", "function": symbol}
    return {"class_name": "TFOpLambda", "config": inner, "name": name, "inbound_nodes": nodes}


def _call(node: Any, words: dict[str, str], fixed: dict[str, Any]) -> Any:
    given = {**dict(zip(words, node["args"], strict=False)), **node["kwargs"], **fixed}
    if len(node["args"]) > len(words) or not given.keys() <= words.keys() or next(iter(words)) not in given:
        return None
    first: Any = given.pop(next(iter(words)))
    rest = {words[key]: _value(value) for key, value in given.items()}
    if isinstance(first, (list, tuple)) and all(map(_is_tensor, first)):
        return [[*_history(one), rest] for one in first]
    if _is_tensor(first):
        return [*_history(first), rest]
    return ["_CONSTANT_VALUE", -1, first, rest] if isinstance(first, (int, float)) else None


def _value(value: Any) -> Any:
    if _is_tensor(value):
        return _history(value)
    if isinstance(value, dict) and value.get("class_name") == "__tensor__":
        return value["config"]["value"]
    return value


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == _TENSOR


def _history(tensor: Any) -> list[Any]:
    return list(tensor["config"]["keras_history"])
