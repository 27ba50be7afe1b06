"""Losses by name, from configs, and to configs."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.losses.base import Loss
from hornbeam.keras.losses.crossentropy import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    SparseCategoricalCrossentropy,
)
from hornbeam.keras.losses.divergence import KLDivergence, Poisson
from hornbeam.keras.losses.functional.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_generalized_cross_entropy,
    sparse_categorical_crossentropy,
)
from hornbeam.keras.losses.functional.divergence import kl_divergence, poisson
from hornbeam.keras.losses.functional.focal import binary_focal_crossentropy, categorical_focal_crossentropy
from hornbeam.keras.losses.functional.hinge import categorical_hinge, hinge, squared_hinge
from hornbeam.keras.losses.functional.overlap import dice, tversky
from hornbeam.keras.losses.functional.regression import (
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from hornbeam.keras.losses.functional.sequence import ctc
from hornbeam.keras.losses.functional.similarity import circle
from hornbeam.keras.losses.margins import CategoricalHinge, Hinge, SquaredHinge
from hornbeam.keras.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)
from hornbeam.keras.losses.structured import CTC, Circle, Dice, Tversky
from hornbeam.keras.losses.wrapper import LossFunctionWrapper
from hornbeam.keras.saving.identifiers import interpret
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["ALL_OBJECTS", "ALL_OBJECTS_DICT", "deserialize", "get", "serialize"]

# fmt: off
ALL_OBJECTS = (
    Loss, LossFunctionWrapper,
    KLDivergence, Poisson, BinaryCrossentropy, BinaryFocalCrossentropy, CategoricalCrossentropy,
    CategoricalFocalCrossentropy, CategoricalGeneralizedCrossEntropy, SparseCategoricalCrossentropy,
    MeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredLogarithmicError, CosineSimilarity,
    LogCosh, Huber, Hinge, SquaredHinge, CategoricalHinge, Dice, Tversky, Circle, CTC,
    kl_divergence, poisson, binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy,
    categorical_focal_crossentropy, categorical_generalized_cross_entropy, sparse_categorical_crossentropy,
    mean_squared_error, mean_absolute_error, mean_absolute_percentage_error, mean_squared_logarithmic_error,
    cosine_similarity, log_cosh, huber, hinge, squared_hinge, categorical_hinge, dice, tversky, circle, ctc,
)
# fmt: on

ALL_OBJECTS_DICT: dict[str, Any] = {known.__name__: known for known in ALL_OBJECTS}
ALL_OBJECTS_DICT |= {
    "bce": binary_crossentropy,
    "BCE": binary_crossentropy,
    "huber_loss": huber,
    "kld": kl_divergence,
    "KLD": kl_divergence,
    "kullback_leibler_divergence": kl_divergence,
    "logcosh": log_cosh,
    "mae": mean_absolute_error,
    "MAE": mean_absolute_error,
    "mse": mean_squared_error,
    "MSE": mean_squared_error,
    "mape": mean_absolute_percentage_error,
    "MAPE": mean_absolute_percentage_error,
    "msle": mean_squared_logarithmic_error,
    "MSLE": mean_squared_logarithmic_error,
}


def serialize(loss: Any) -> Any:
    """Config of a loss or loss function.

    References: Keras ``losses.serialize``.
    """
    return serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Loss or loss function from its config or name.

    Args:
        name: config, or the name of a built-in or custom loss.
        custom_objects: further classes and functions by name.

    References: Keras ``losses.deserialize``.
    """
    return deserialize_keras_object(name, module_objects=ALL_OBJECTS_DICT, custom_objects=custom_objects)


def get(identifier: Any) -> Any:
    """Loss or loss function from whatever ``compile(loss=...)`` takes.

    Args:
        identifier: name of a function (gives the function) or class (gives an object), config, class, object,
            function, or None.

    Raises:
        ValueError: nothing of that name is known.

    Example:
        >>> get("mse").__name__
        'mean_squared_error'

    References: Keras ``losses.get``.
    """
    return interpret("loss", identifier, ALL_OBJECTS_DICT)
