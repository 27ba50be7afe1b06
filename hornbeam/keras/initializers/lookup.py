"""From whatever stands for an initializer to the initializer."""

from __future__ import annotations

import inspect
from typing import Any

import jax
import numpy as np

from hornbeam.base import names
from hornbeam.base.errors import ShapeError
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable
from hornbeam.keras.initializers.base import Initializer, numpy_dtype
from hornbeam.keras.initializers.constants import Constant, Identity, Ones, Zeros
from hornbeam.keras.initializers.fourier import STFT
from hornbeam.keras.initializers.orthonormal import Orthogonal
from hornbeam.keras.initializers.random import RandomNormal, RandomUniform, TruncatedNormal
from hornbeam.keras.initializers.variance_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)
from hornbeam.keras.saving.identifiers import not_understood
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.ops.casting import cast, convert_to_tensor

__all__ = ["deserialize", "get", "serialize"]

_CLASSES: tuple[type[Initializer], ...] = (
    Initializer,
    Constant,
    Identity,
    Ones,
    STFT,
    Zeros,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
OBJECTS: dict[str, Any] = {
    **{kind.__name__: kind for kind in _CLASSES},
    **{names.to_snake_case(kind.__name__): kind for kind in _CLASSES},
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
    "STFTInitializer": STFT,
    "normal": RandomNormal,
    "one": Ones,
    "uniform": RandomUniform,
    "zero": Zeros,
}
"""Initializer classes by every name that stands for them."""


def serialize(initializer: Any) -> Any:
    """Config of an initializer.

    References: Keras ``keras.initializers.serialize``.
    """
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Initializer of a config.

    References: Keras ``keras.initializers.deserialize``.
    """
    return deserialize_keras_object(config, module_objects=OBJECTS, custom_objects=custom_objects)


def get(identifier: Any) -> Any:
    """The initializer that an identifier means.

    Args:
        identifier: ``None`` (gives ``None``), a name such as ``"glorot_uniform"``, a config, a class, a function
            ``(shape, dtype=None)``, or a tensor or array that is the value itself.

    Raises:
        ValueError: it is none of these.

    References: Keras ``keras.initializers.get``.
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        found = deserialize({"class_name": str(identifier), "config": {}})
    elif isinstance(identifier, (Tensor, Variable, jax.Array, np.generic, np.ndarray)):
        return _given(identifier)
    else:
        found = identifier
    if not callable(found):
        raise not_understood("initializer", identifier, OBJECTS)
    return found() if inspect.isclass(found) else found


def _given(value: Any) -> Any:
    """Function that gives a fixed value."""

    def initialize(shape: Any, dtype: Any = None) -> Any:
        if tuple(shape) != tuple(value.shape):
            raise ShapeError(
                f"A tensor given as initializer fills variables of its own shape, {tuple(value.shape)}. Received: "
                f"shape={shape}"
            )
        return cast(convert_to_tensor(value), numpy_dtype(dtype).name)

    return initialize
