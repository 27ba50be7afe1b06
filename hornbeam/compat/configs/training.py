"""Old training configurations as arguments of ``compile``."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import UnsupportedFileError
from hornbeam.compat.configs.generation import Context, context_of
from hornbeam.keras.saving.registration import builtin

__all__ = ["compile_config"]

_KEPT = ("run_eagerly", "steps_per_execution", "jit_compile")
_UNIT_LOSSES = {"auto": "sum_over_batch_size"}


def compile_config(
    training: dict[str, Any], version: str | None = None, custom_objects: Any = None, outputs: list[str] | None = None
) -> dict[str, Any]:
    """Arguments of ``compile``, serialised as today.

    Args:
        training: the stored training configuration, or the ``compile_config`` of a model's config.
        version: version of Keras that wrote it.
        custom_objects: the user's own classes and functions by name.
        outputs: names of the model's outputs, if known.

    Raises:
        UnsupportedFileError: an optimizer that cannot be rebuilt.
    """
    context = context_of({"class_name": "", "config": {}}, version, custom_objects)
    found: dict[str, Any] = {
        "optimizer": _optimizer(training.get("optimizer_config", training.get("optimizer")), context),
        "loss": _each(training.get("loss"), lambda value: _loss(value, context)),
        "loss_weights": training.get("loss_weights"),
    }
    for key in ("metrics", "weighted_metrics"):
        found[key] = _metrics(training.get(key), training, context, outputs)
    for key in _KEPT:
        if training.get(key) is not None and context.generation >= 3:
            found[key] = training[key]
    return {key: value for key, value in found.items() if value is not None}


# --- optimizers ----------------------------------------------------------------------------------
_OPTIMIZERS = {
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "adam": "Adam",
    "adamw": "AdamW",
    "adamax": "Adamax",
    "nadam": "Nadam",
    "ftrl": "Ftrl",
    "lion": "Lion",
    "adafactor": "Adafactor",
    "lossscaleoptimizerv3": "LossScaleOptimizer",
}
_NOT_ARGUMENTS = frozenset({"jit_compile", "is_legacy_optimizer", "schedule_decay", "lr", "decay", "class_name"})
_FIRST_WITHOUT_START = ("Adagrad",)


def _optimizer(stored: Any, context: Context) -> Any:
    if stored is None or isinstance(stored, str):
        return stored
    name = stored.get("class_name") or stored.get("name")
    if not isinstance(name, str):
        raise UnsupportedFileError(f"The stored optimizer has no class name: {str(stored)[:80]}.")
    if context.knows(name) or (stored.get("registered_name") and context.knows(stored["registered_name"])):
        return stored
    plain = name.removeprefix("Custom>")
    plain = _OPTIMIZERS.get(plain.lower(), plain)
    if builtin("keras.optimizers", plain) is None:
        raise UnsupportedFileError(
            f"The model was trained with the optimizer {name!r}, which is not known. Load it with compile=False and "
            "compile it anew, or pass the class in custom_objects."
        )
    old = dict(stored.get("config") or {key: value for key, value in stored.items() if key != "name"})
    if plain == "LossScaleOptimizer":
        return _loss_scale(old, context)
    if plain == "Nadam" and (old.get("is_legacy_optimizer") or {"decay", "schedule_decay"} & old.keys()):
        # What is called decay there is the pace of the momentum schedule.
        module, old = "keras.optimizers.legacy", {key: value for key, value in old.items() if key != "decay"}
    else:
        module = "keras.optimizers"
    config = {key: value for key, value in old.items() if key not in _NOT_ARGUMENTS}
    if "learning_rate" not in config and "lr" in old:
        config["learning_rate"] = old["lr"]
    config["learning_rate"] = _learning_rate(config.get("learning_rate"), old.get("decay"), context)
    if config["learning_rate"] is None:
        config.pop("learning_rate")
    if context.generation < 3:
        _old_defaults(plain, config, context)
    return {"module": module, "class_name": plain, "config": config}


def _old_defaults(name: str, config: dict[str, Any], context: Context) -> None:
    if config.get("epsilon", 0) is None:
        config["epsilon"] = 1e-07
    for key in ("clipnorm", "clipvalue", "global_clipnorm", "weight_decay"):
        # Zero and nothing meant the same.
        if not config.get(key, True):
            config.pop(key)
    if context.separate and "clipnorm" in config:
        # It limited the norm of all gradients together, which has a name of its own today.
        config["global_clipnorm"] = config.pop("clipnorm")
    if name in _FIRST_WITHOUT_START and context.separate:
        config.setdefault("initial_accumulator_value", 0.0)
    if name == "Ftrl":
        config.pop("beta", None) if not config.get("beta") else None
    if not config.get("use_ema") and "ema_overwrite_frequency" in config:
        config["ema_overwrite_frequency"] = None


def _learning_rate(rate: Any, decay: Any, context: Context) -> Any:
    if isinstance(rate, dict):
        if context.knows(rate.get("class_name", "")) or context.knows(rate.get("registered_name") or ""):
            return rate
        inner = {key: value for key, value in (rate.get("config") or {}).items() if key != "dtype"}
        return {"module": "keras.optimizers.schedules", "class_name": rate["class_name"], "config": inner}
    if decay and rate is not None:
        # rate / (1 + decay * iterations)
        config = {"initial_learning_rate": rate, "decay_steps": 1, "decay_rate": decay}
        return {"module": "keras.optimizers.schedules", "class_name": "InverseTimeDecay", "config": config}
    return rate


def _loss_scale(old: dict[str, Any], context: Context) -> dict[str, Any]:
    inner = old.get("inner_optimizer") or old.get("optimizer")
    config: dict[str, Any] = {"inner_optimizer": _optimizer(inner, context)}
    for key, new in (("initial_scale", "initial_scale"), ("dynamic_growth_steps", "dynamic_growth_steps")):
        if old.get(key) is not None:
            config[new] = old[key]
    return {"module": "keras.optimizers", "class_name": "LossScaleOptimizer", "config": config}


# --- losses and metrics --------------------------------------------------------------------------
def _each(value: Any, convert: Any) -> Any:
    """Apply to the single losses in a list or dict of them."""
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _each(item, convert) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_each(item, convert) for item in value]
    return None if value is None else convert(value)


def _loss(value: Any, context: Context) -> Any:
    if not isinstance(value, dict):
        return value
    name = value["class_name"]
    if name == "function" or context.knows(name) or context.knows(value.get("registered_name") or ""):
        return value
    if name == "LossFunctionWrapper":
        return (value.get("config") or {}).get("fn") or value["config"]["name"]
    config = {key: item for key, item in (value.get("config") or {}).items() if key not in ("fn",)}
    if config.get("reduction") in _UNIT_LOSSES:
        config["reduction"] = _UNIT_LOSSES[config["reduction"]]
    return {"module": "keras.losses", "class_name": name.removeprefix("Custom>"), "config": config}


def _metrics(value: Any, training: dict[str, Any], context: Context, names: list[str] | None) -> Any:
    if value is None:
        return None
    outputs = _output_names(training)
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, (list, tuple)) for item in value):
        # One list per output, names with the output's name in front.
        each = [[name] for name in names] if names and len(names) == len(value) > 1 else [outputs] * len(value)
        lists = [[_metric(item, own, context) for item in inner] for inner, own in zip(value, each, strict=True)]
        return lists[0] if len(lists) == 1 else lists
    return _each(value, lambda item: _metric(item, outputs, context))


def _output_names(training: dict[str, Any]) -> list[str]:
    for key in ("loss", "loss_weights", "metrics"):
        if isinstance(training.get(key), dict) and "class_name" not in training[key]:
            return list(training[key])
    return []


def _metric(value: Any, outputs: list[str], context: Context) -> Any:
    if isinstance(value, str) and context.generation < 3 and not context.knows(value):
        kind = builtin("keras.metrics", value)
        # A class given by its name: results carried the name of its instance, not the one given.
        is_class = isinstance(kind, type) and kind.__name__ == value
        return {"module": "keras.metrics", "class_name": value, "config": {}} if is_class else value
    if not isinstance(value, dict):
        return value
    name = value["class_name"]
    if context.knows(name) or context.knows(value.get("registered_name") or "") or name == "function":
        return value
    config = dict(value.get("config") or {})
    config.pop("dtype", None)
    given = config.get("name")
    for output in outputs:
        if isinstance(given, str) and given.startswith(f"{output}_"):
            config["name"] = given = given.removeprefix(f"{output}_")
    if name in ("MeanMetricWrapper", "SumOverBatchSizeMetricWrapper"):
        return _wrapped(config, given, context)
    config.pop("fn", None)
    return {"module": "keras.metrics", "class_name": name.removeprefix("Custom>"), "config": config}


def _wrapped(config: dict[str, Any], given: Any, context: Context) -> Any:
    """A metric made from a function: as the function's name, or as the class of its meaning under its name."""
    function = config.get("fn")
    if isinstance(function, dict):
        function = function.get("config") if isinstance(function.get("config"), str) else given
    if not isinstance(function, str):
        return given
    if given in ("accuracy", "acc", "crossentropy", "ce"):
        return given
    if given == function or context.knows(function):
        return function
    kind = "".join(part.capitalize() for part in function.split("_"))
    if builtin("keras.metrics", kind) is not None:
        return {"module": "keras.metrics", "class_name": kind, "config": {"name": given}}
    return function
