"""Learning rate schedules: ``keras.optimizers.schedules``."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.optimizers.schedules.base import LearningRateSchedule
from hornbeam.keras.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts
from hornbeam.keras.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]

_BUILT_IN = {
    kind.__name__: kind
    for kind in (
        CosineDecay,
        CosineDecayRestarts,
        ExponentialDecay,
        InverseTimeDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
    )
}


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """The config of a schedule, as JSON-ready dict."""
    return serialize_keras_object(learning_rate_schedule)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> LearningRateSchedule:
    """A schedule from ``{"class_name": ..., "config": {...}}``."""
    return deserialize_keras_object(config, custom_objects=custom_objects, module_objects=_BUILT_IN)
