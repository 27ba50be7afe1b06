"""Optimizers: ``keras.optimizers``."""

from __future__ import annotations

from typing import Any

from hornbeam.base.check import closest
from hornbeam.keras.optimizers import legacy, schedules
from hornbeam.keras.optimizers.adadelta import Adadelta
from hornbeam.keras.optimizers.adafactor import Adafactor
from hornbeam.keras.optimizers.adagrad import Adagrad
from hornbeam.keras.optimizers.adam import Adam
from hornbeam.keras.optimizers.adamax import Adamax
from hornbeam.keras.optimizers.adamw import AdamW
from hornbeam.keras.optimizers.ftrl import Ftrl
from hornbeam.keras.optimizers.lamb import Lamb
from hornbeam.keras.optimizers.lion import Lion
from hornbeam.keras.optimizers.loss_scale_optimizer import LossScaleOptimizer
from hornbeam.keras.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap
from hornbeam.keras.optimizers.muon import Muon
from hornbeam.keras.optimizers.nadam import Nadam
from hornbeam.keras.optimizers.optimizer import Optimizer
from hornbeam.keras.optimizers.rmsprop import RMSprop
from hornbeam.keras.optimizers.rule_optimizer import RuleOptimizer
from hornbeam.keras.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from hornbeam.keras.optimizers.sgd import SGD
from hornbeam.keras.optimizers.transformation import TransformationOptimizer, is_transformation
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "RuleOptimizer",
    "ScheduleFreeAdamW",
    "TransformationOptimizer",
    "deserialize",
    "get",
    "legacy",
    "schedules",
    "serialize",
]

_BUILT_IN: dict[str, Any] = {
    kind.__name__.lower(): kind
    for kind in (
        SGD,
        Adadelta,
        Adafactor,
        Adagrad,
        Adam,
        AdamW,
        Adamax,
        Ftrl,
        Lamb,
        Lion,
        LossScaleOptimizer,
        MultiOptimizer,
        Muon,
        Nadam,
        OptimizerMap,
        RMSprop,
        ScheduleFreeAdamW,
    )
}


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The config of an optimizer, as JSON-ready dict."""
    return serialize_keras_object(optimizer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """An optimizer from ``{"class_name": ..., "config": {...}}``; names of built-in classes in any case."""
    name = config["class_name"]
    if "optimizers.legacy" in str(config.get("module")):
        return deserialize_keras_object(config, custom_objects=custom_objects)
    if name.lower() in _BUILT_IN and name not in (custom_objects or {}):
        config = {**config, "class_name": name.lower()}
    return deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_BUILT_IN)


def get(identifier: Any) -> Any:
    """An optimizer from its name, its config, a gradient transformation of optax, or itself.

    Raises:
        ValueError: no optimizer is known by that name, or the object is none.

    References: Keras ``optimizers.get``.
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    found = None
    if is_transformation(identifier):
        return TransformationOptimizer(identifier)
    if isinstance(identifier, dict):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        kind = _BUILT_IN.get(identifier.lower())
        found = kind() if kind is not None else deserialize({"class_name": identifier, "config": {}})
    if isinstance(found, Optimizer):
        return found
    known = [kind.__name__ for kind in _BUILT_IN.values()]
    near = closest(identifier, [*_BUILT_IN, *known]) if isinstance(identifier, str) else ""
    hint = "Pass an instance: call the class." if isinstance(identifier, type) else f"Known: {', '.join(known)}."
    raise ValueError(f"Unknown optimizer: {identifier!r}{near}. {hint}")
