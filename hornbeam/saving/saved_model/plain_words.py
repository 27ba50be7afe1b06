"""Configs in the plain form that all readers of SavedModel metadata understand: class names and arguments only."""

from __future__ import annotations

from typing import Any

from hornbeam.saving.older_graph import is_operation, without_implied_masks
from hornbeam.saving.plain_config import says_nothing
from hornbeam.saving.saved_model.plain_ops import plain_operation

__all__ = ["plain_layer", "plain_training"]

_UNKNOWN = frozenset(
    {
        "quantization_config",
        "renorm",
        "renorm_clipping",
        "renorm_momentum",
        "lora_rank",
        "lora_alpha",
        "use_cudnn",
        "flash_attention",
        "optional",
        "loss_scale_factor",
        "gradient_accumulation_steps",
        "synchronized",
        "input_axes",
        "output_axes",
        "run_eagerly",
        "auto_scale_loss",
        "rms_scaling",
    }
)
"""Arguments that other readers do not know; left out where they have no effect."""
_OTHER_KEYS: dict[str, dict[str, str | None]] = {
    "LeakyReLU": {"negative_slope": "alpha"},
    "ZeroPadding1D": {"data_format": None},
    "IntegerLookup": {"vocabulary_size": None, "oov_method": None, "salt": None},
    "StringLookup": {"vocabulary_size": None, "oov_method": None, "salt": None},
    "TextVectorization": {"vocabulary_size": None},
}
"""Arguments that others call otherwise, or do not have, by class."""
_OTHER_NAMES = {"OrthogonalInitializer": "Orthogonal", "IdentityInitializer": "Identity"}
_MODELS = ("Functional", "Sequential", "Model")


def plain_layer(stored: dict[str, Any]) -> dict[str, Any]:
    """A layer's or model's serialised form in plain words."""
    name, config = stored["class_name"], stored["config"]
    registered = stored.get("registered_name")
    if isinstance(registered, str) and ">" in registered:
        name = registered
    if name == "Functional":
        return {"class_name": name, "config": _functional(config)}
    if name == "Sequential":
        inner = [plain_layer(layer) for layer in config["layers"]]
        return {"class_name": name, "config": {"name": config["name"], "layers": inner}}
    arguments = _arguments(name, config)
    if name == "MultiHeadAttention":
        built = stored.get("build_config") or {}
        shapes = built.get("shapes_dict") or {key: built.get("input_shape") for key in ("query_shape", "value_shape")}
        found = {key: shapes.get(key) or shapes.get("value_shape") for key in ("query_shape", "key_shape")}
        arguments.update({key: _value(value) for key, value in found.items()}, value_shape=shapes.get("value_shape"))
    return {"class_name": name, "config": arguments}


def _arguments(name: str, config: Any) -> Any:
    if not isinstance(config, dict):
        return config
    found = {}
    for key, value in config.items():
        if (key in _UNKNOWN and not value) or says_nothing(key, value):
            continue
        key = _OTHER_KEYS.get(name, {}).get(key, key)
        if key is None:
            continue
        if key == "dtype":
            found[key] = _dtype(value)
        elif key in ("layer", "cell", "forward_layer", "backward_layer") and _is_object(value):
            found[key] = plain_layer(value)
        elif key == "cells" and isinstance(value, list):
            found[key] = [plain_layer(cell) if _is_object(cell) else cell for cell in value]
        else:
            found[key] = _value(value)
    if name == "InputLayer":
        found["batch_input_shape"] = found.pop("batch_shape", found.get("batch_input_shape"))
        found.setdefault("ragged", False)
    return found


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and "class_name" in value and "config" in value


def _value(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_value(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "__tensor__" or not _is_object(value):
        return {key: _value(item) for key, item in value.items()}
    registered = value.get("registered_name")
    name = registered if isinstance(registered, str) and ">" in registered else value["class_name"]
    if name == "function":
        return value["config"] if isinstance(value["config"], str) else _value(value["config"])
    if name in _MODELS:
        return plain_layer(value)
    return {"class_name": _OTHER_NAMES.get(name, name), "config": _arguments(name, value["config"])}


def _dtype(value: Any) -> Any:
    if not _is_object(value):
        return value
    name = value["config"].get("name")
    return {"class_name": "Policy", "config": {"name": name}} if str(name).startswith("mixed") else name


# --- graphs --------------------------------------------------------------------------------------
def _functional(config: dict[str, Any]) -> dict[str, Any]:
    layers = []
    config = without_implied_masks(config)
    config = _from_one(config, {layer["name"]: layer["class_name"] for layer in config["layers"]})
    for layer in config["layers"]:
        called = plain_operation(layer) if is_operation(layer) else None
        if called is not None:
            layers.append(called)
            continue
        entry = plain_layer(layer)
        entry["name"] = layer["name"]
        entry["inbound_nodes"] = [_inbound(node) for node in layer.get("inbound_nodes", [])]
        layers.append(entry)
    return {
        "name": config["name"],
        "trainable": config.get("trainable", True),
        "layers": layers,
        "input_layers": _ends(config["input_layers"]),
        "output_layers": _ends(config["output_layers"]),
    }


def _from_one(part: Any, kinds: dict[str, str]) -> Any:
    """A graph in which the calls of models are counted from 1: other readers take their construction for a call."""
    if isinstance(part, (list, tuple)):
        return [_from_one(item, kinds) for item in part]
    if not isinstance(part, dict):
        return part
    if _is_tensor(part):
        name, call, index = _history(part)
        moved = [name, call + (kinds.get(name) in _MODELS), index]
        return {**part, "config": {**part["config"], "keras_history": moved}}
    if "output_layers" in part and "layers" in part:
        layers = [
            {**layer, "inbound_nodes": _from_one(layer.get("inbound_nodes", []), kinds)} for layer in part["layers"]
        ]
        # At the ends, functional models are counted so already.
        return {**part, "layers": layers, "output_layers": _moved_ends(part["output_layers"], kinds)}
    return {key: _from_one(value, kinds) for key, value in part.items()}


def _moved_ends(value: Any, kinds: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _moved_ends(one, kinds) for key, one in value.items()}
    if value and isinstance(value[0], str):
        return [value[0], value[1] + (kinds.get(value[0]) == "Sequential"), *value[2:]]
    return [_moved_ends(one, kinds) for one in value]


def _ends(value: Any) -> Any:
    """Always a list of ends, also where there is one."""
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], str):
        return [list(value)]
    return value


def _inbound(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    args, kwargs = list(node.get("args", ())), dict(node.get("kwargs", {}))
    kwargs.pop("mask", None)
    rest = {key: _argument(value) for key, value in kwargs.items() if value is not None}
    first = args[0] if args else None
    if _is_tensor(first) and all(_is_tensor(arg) for arg in args):
        # Further tensors are arguments by name for other readers; attention calls are the usual case.
        entry = [*_history(first), rest]
        if len(args) == 1:
            return [entry]
        return [entry, *([*_history(arg), {}] for arg in args[1:])]
    if isinstance(first, (list, tuple)) and all(map(_is_tensor, first)):
        return [[*_history(tensor), rest if place == 0 else {}] for place, tensor in enumerate(first)]
    return node


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def _history(value: Any) -> list[Any]:
    return list(value["config"]["keras_history"])


def _argument(value: Any) -> Any:
    return _history(value) if _is_tensor(value) else _value(value)


# --- compile -------------------------------------------------------------------------------------
def plain_training(compiled: dict[str, Any]) -> dict[str, Any]:
    """Arguments of ``compile`` in plain words."""
    found = {key: _value(compiled.get(key)) for key in ("loss", "metrics", "weighted_metrics", "loss_weights")}
    optimizer = compiled.get("optimizer")
    if _is_object(optimizer):
        plain = _value(optimizer)
        if ">" not in plain["class_name"]:
            # Under the bare name, older classes with other arguments would be taken.
            plain["class_name"] = f"Custom>{plain['class_name']}"
        found["optimizer_config"] = plain
    return found
