"""From whatever stands for an activation function to the function."""

from __future__ import annotations

import types
from typing import Any

from hornbeam.keras.activations.functions import exponential, gelu, linear, mish, relu
from hornbeam.keras.saving.identifiers import not_understood
from hornbeam.keras.saving.registration import get_registered_object
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.ops import activations as ops
from hornbeam.ops.numpy.trigonometry import tanh

__all__ = ["deserialize", "get", "serialize"]

_FUNCTIONS = (
    relu,
    ops.leaky_relu,
    ops.relu6,
    ops.softmax,
    ops.celu,
    ops.elu,
    ops.selu,
    ops.softplus,
    ops.softsign,
    ops.squareplus,
    ops.soft_shrink,
    ops.sparse_plus,
    ops.silu,
    gelu,
    ops.glu,
    tanh,
    ops.tanh_shrink,
    ops.threshold,
    ops.sigmoid,
    ops.sparse_sigmoid,
    exponential,
    ops.hard_sigmoid,
    ops.hard_silu,
    ops.hard_tanh,
    ops.hard_shrink,
    linear,
    mish,
    ops.log_softmax,
    ops.log_sigmoid,
    ops.sparsemax,
)
OBJECTS: dict[str, Any] = {function.__name__: function for function in _FUNCTIONS}
OBJECTS["swish"] = ops.silu
OBJECTS["hard_swish"] = ops.hard_silu


def serialize(activation: Any) -> Any:
    """Name of a built-in activation function; config of any other callable.

    References: Keras ``keras.activations.serialize``.
    """
    config = serialize_keras_object(activation)
    if not isinstance(config, dict) or "config" not in config:
        raise ValueError(
            f"The activation {activation} cannot be serialized, for it has no registered name. Use a function of "
            "keras.activations, or register your own with `@keras.saving.register_keras_serializable()`. "
            f"Received: {config}"
        )
    name = config["config"]
    if isinstance(activation, types.FunctionType) and isinstance(name, str) and name in OBJECTS:
        return name
    return config


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Activation function of a config.

    References: Keras ``keras.activations.deserialize``.
    """
    return deserialize_keras_object(config, module_objects=OBJECTS, custom_objects=custom_objects)


def get(identifier: Any) -> Any:
    """The activation function that an identifier means.

    Args:
        identifier: ``None`` (gives ``linear``), a name such as ``"relu"``, a config, or any callable.

    Raises:
        ValueError: it is none of these.

    References: Keras ``keras.activations.get``.
    """
    if identifier is None:
        return linear
    if isinstance(identifier, dict):
        found = deserialize_keras_object(identifier)
    elif isinstance(identifier, str):
        found = OBJECTS.get(str(identifier)) or get_registered_object(str(identifier))
    else:
        found = identifier
    if not callable(found):
        raise not_understood("activation function", identifier, OBJECTS)
    return found
