"""Configs as ``.h5`` files hold them: in the words that Keras 3 and the programs before it both understand.

A model of single calls (one tensor, or one list of tensors, in) is written in the older form; one that needs more, such
as tensors among keyword arguments, in today's.
"""

from __future__ import annotations

from typing import Any

from hornbeam.keras.saving import serialization
from hornbeam.keras.saving.registration import builtin
from hornbeam.keras.saving.scopes import ObjectSharingScope
from hornbeam.saving.older_graph import without_implied_masks

__all__ = ["plain_config", "plain_training", "says_nothing"]

_TENSOR = "__keras_tensor__"
_SHARED = "shared_object_id"
_ADDED = "added"
"""Losses and metrics that were added as symbolic tensors, beside the first layer; other programs overlook them."""
# Arguments that others do not know, left out where they have the value that others assume.
_UNKNOWN_ELSEWHERE: dict[str, tuple[Any, ...]] = {
    "quantization_config": (None,),
    "input_axes": (None,),
    "output_axes": (None,),
    "synchronized": (False,),
    "rms_scaling": (False,),
    "use_cudnn": ("auto",),
    "flash_attention": (None, False),
    "use_gate": (False,),
    "gate_activation": (None, "sigmoid"),
    "autocast": (True,),
    "loss_scale_factor": (None,),
    "gradient_accumulation_steps": (None,),
    "seed": (None,),
    "sliding_window": (None,),
}
_PICTURES = {
    "data_format": "channels_last", "pad_to_aspect_ratio": False, "fill_mode": "constant", "fill_value": 0.0,
    "antialias": False,
}  # fmt: skip
_LOOKUP = {"oov_method": "floormod", "salt": None, "vocabulary_size": None}
_CHANNELS = {"data_format": "channels_last"}
_UNKNOWN_IN: dict[str, dict[str, Any]] = {
    "Resizing": _PICTURES,
    "RandomContrast": {**_CHANNELS, "value_range": [0, 255]},
    "IntegerLookup": _LOOKUP,
    "StringLookup": _LOOKUP,
    **dict.fromkeys(("CenterCrop", "ZeroPadding1D"), _CHANNELS),
    **dict.fromkeys(("RandomBrightness", "RandomCrop", "RandomFlip", "RandomHeight", "RandomRotation"), _CHANNELS),
    **dict.fromkeys(("RandomTranslation", "RandomWidth", "RandomZoom"), _CHANNELS),
}
"""The same for single classes of layers."""


def says_nothing(key: str, value: Any) -> bool:
    """Whether an argument is one that other programs do not know, with the value that they assume."""
    return key in _UNKNOWN_ELSEWHERE and any(value is known or value == known for known in _UNKNOWN_ELSEWHERE[key])


def plain_config(model: Any) -> dict[str, Any]:
    """Class name and config of a model."""
    with ObjectSharingScope():
        stored = serialization.serialize_keras_object(model)
    without = without_implied_masks(stored)
    simple = _is_simple(without)
    stored = without if simple else stored
    found = _entry(stored, simple)
    if "layers" not in stored["config"] and stored.get("build_config"):
        # A class of the user makes its variables when it is built; others overlook this key.
        found["build_config"] = stored["build_config"]
    _count(found, {})
    return found


def _count(part: Any, numbers: dict[Any, int]) -> None:
    """Number shared objects from 0, so that equal models give equal files."""
    if isinstance(part, dict):
        if _SHARED in part:
            part[_SHARED] = numbers.setdefault(part[_SHARED], len(numbers))
        for value in part.values():
            _count(value, numbers)
    elif isinstance(part, list):
        for value in part:
            _count(value, numbers)


def _entry(stored: dict[str, Any], simple: bool) -> dict[str, Any]:
    registered = stored.get("registered_name")
    config = _inner(stored["config"], simple)
    if stored["class_name"] == "InputLayer" and simple and "batch_shape" in config:
        config["batch_input_shape"] = config.pop("batch_shape")
    _leave_out(config, stored["class_name"])
    if stored["class_name"] == "LeakyReLU" and "negative_slope" in config:
        config["alpha"] = config.pop("negative_slope")
    found = {"class_name": registered or stored["class_name"], "config": config}
    if _SHARED in stored:
        found[_SHARED] = stored[_SHARED]
    if "inbound_nodes" in stored:
        nodes = stored["inbound_nodes"]
        found["name"] = stored.get("name")
        found["inbound_nodes"] = [_older_node(node) for node in nodes] if simple else _inner(nodes, simple)
        if not simple:
            found.update((key, stored[key]) for key in ("module", "registered_name") if key in stored)
    if _ADDED in stored:
        found[_ADDED] = stored[_ADDED]
    return found


def _leave_out(config: Any, class_name: str) -> None:
    """Remove the arguments of a layer that others do not know and that say nothing."""
    for key, usual in _UNKNOWN_IN.get(class_name, {}).items():
        value = config.get(key)
        # A vocabulary that is written out tells its size.
        implied = key == "vocabulary_size" and config.get("vocabulary") is not None
        if implied or value == usual or (isinstance(value, tuple) and list(value) == usual):
            config.pop(key, None)


def _inner(value: Any, simple: bool) -> Any:
    if isinstance(value, (list, tuple)):
        return [_inner(item, simple) for item in value]
    if not isinstance(value, dict):
        return value
    if "class_name" in value and "config" in value:
        if value["class_name"] == "DTypePolicy":
            return value["config"]["name"]
        return {
            key: _inner(item, simple) for key, item in value.items() if key not in ("build_config", "compile_config")
        }
    return {
        key: [_entry(layer, simple) for layer in item] if _is_layers(key, item) else _inner(item, simple)
        for key, item in value.items()
        if not says_nothing(key, item)
    }


def _is_layers(key: str, value: Any) -> bool:
    """Whether it is a model's list of layers. Layers inside wrappers are written as other objects are."""
    return (
        key == "layers" and isinstance(value, list) and all(isinstance(one, dict) and "config" in one for one in value)
    )


# --- graphs --------------------------------------------------------------------------------------
def _is_simple(stored: Any) -> bool:
    """Whether every call in a config, at any depth, can be written in the older form."""
    if isinstance(stored, (list, tuple)):
        return all(_is_simple(item) for item in stored)
    if not isinstance(stored, dict):
        return True
    if str(stored.get("module", "")).startswith("keras.src.ops"):
        return False
    if "inbound_nodes" in stored and isinstance(stored["config"], dict) and "layers" in stored["config"]:
        # Programs number the calls of a model within a model differently.
        return False
    if "inbound_nodes" in stored and not all(map(_is_simple_node, stored["inbound_nodes"])):
        return False
    return all(_is_simple(value) for key, value in stored.items() if key not in ("inbound_nodes", _ADDED))


def _is_simple_node(node: dict[str, Any]) -> bool:
    args = node["args"]
    if len(args) != 1 or any(value is not None for value in node["kwargs"].values()):
        return False
    tensors = args[0] if isinstance(args[0], (list, tuple)) else [args[0]]
    return bool(tensors) and all(isinstance(one, dict) and one.get("class_name") == _TENSOR for one in tensors)


def _older_node(node: dict[str, Any]) -> list[Any]:
    first = node["args"][0]
    tensors = first if isinstance(first, (list, tuple)) else [first]
    return [[*one["config"]["keras_history"], {}] for one in tensors]


# --- training ------------------------------------------------------------------------------------
_LOSSES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
}
_METRICS = {
    short: "".join(part.capitalize() for part in name.split("_")) for short, name in _LOSSES.items()
}  # fmt: skip


# Arguments of optimizers that older programs do not know; left out where they are not used.
_UNUSED = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
}


def _used(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments of an optimizer without those that are not used."""
    averaged = arguments.get("use_ema", False)
    found = {}
    for key, value in arguments.items():
        if key == "inner_optimizer" and isinstance(value, dict) and not value.get("registered_name"):
            found[key] = {**value, "config": _used(value["config"])}
        elif key not in _UNUSED or value != _UNUSED[key] or (averaged and "ema" in key):
            found[key] = value
    return found


def _function_name(value: Any) -> Any:
    """A function of Keras itself by its name, which every reader takes."""
    if isinstance(value, dict) and value.get("class_name") == "function" and isinstance(value.get("config"), str):
        known = any(builtin(module, value["config"]) for module in ("keras.losses", "keras.metrics"))
        return value["config"] if known and value.get("registered_name") in (None, "function") else value
    return value


def plain_training(model: Any) -> dict[str, Any] | None:
    """Arguments of ``compile`` and the optimizer's config, ``None`` if the model is not compiled."""
    config = model.get_compile_config() if getattr(model, "compiled", False) else None
    if config is None:
        return None
    stored = _inner(config, False)
    optimizer = stored.pop("optimizer", None)
    if isinstance(optimizer, dict):
        registered = optimizer.get("registered_name")
        arguments = optimizer["config"] if registered else _used(optimizer["config"])
        if optimizer["module"] == "keras.optimizers.legacy":
            arguments = {**arguments, "is_legacy_optimizer": True}
        optimizer = {"class_name": registered or optimizer["class_name"], "config": arguments}
    stored["optimizer_config"] = optimizer
    # Short names are not understood by every reader; a class with the short name as its own is.
    stored["loss"] = _mapped(stored.get("loss"), lambda name: _LOSSES.get(name, name))
    for key in ("metrics", "weighted_metrics"):
        stored[key] = _mapped(stored.get(key), _metric)
    return stored


def _metric(name: str) -> Any:
    kind = _METRICS.get(name)
    return {"class_name": kind, "config": {"name": name, "dtype": "float32"}} if kind else name


def _mapped(value: Any, convert: Any) -> Any:
    if isinstance(value, str):
        return convert(value)
    if isinstance(value, (list, tuple)):
        return [_mapped(item, convert) for item in value]
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _mapped(item, convert) for key, item in value.items()}
    named = _function_name(value)
    return convert(named) if isinstance(named, str) else named
