"""From whatever stands for a dtype policy to the policy."""

from __future__ import annotations

from typing import Any

from hornbeam.base import dtypes
from hornbeam.keras.dtype_policies import policy as policies
from hornbeam.keras.dtype_policies.policy import QUANTIZATION_MODES, DTypePolicy, dtype_policy
from hornbeam.keras.dtype_policies.quantized import quantized_policy
from hornbeam.keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize", "get", "serialize", "set_dtype_policy"]

OBJECTS: dict[str, type[DTypePolicy]] = {}
"""Policy classes by name; filled in by the package."""


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Config of a policy.

    References: Keras ``keras.dtype_policies.serialize``.
    """
    return serialize_keras_object(dtype_policy)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Policy of a config.

    References: Keras ``keras.dtype_policies.deserialize``.
    """
    return deserialize_keras_object(config, module_objects=OBJECTS, custom_objects=custom_objects)


def get(identifier: Any) -> Any:
    """The policy that an identifier means.

    Args:
        identifier: ``None`` (the global policy), a policy, its config, its name, or a dtype in any spelling.

    Raises:
        ValueError: it is none of these.

    References: Keras ``keras.dtype_policies.get``.
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        if identifier.startswith(QUANTIZATION_MODES) and identifier not in QUANTIZATION_MODES:
            return quantized_policy(str(identifier))
        return DTypePolicy(identifier if type(identifier) is str else str.__str__(identifier))
    try:
        return DTypePolicy(dtypes.as_dtype(identifier).name)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Cannot interpret `dtype`={identifier!r}: it takes the name of a dtype or policy, such as 'float32' or "
            f"'mixed_bfloat16', or a DTypePolicy. Received: type {type(identifier).__name__}"
        ) from error


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers made from now on without a ``dtype``.

    Args:
        policy: a policy, or the name of one.

    References: Keras ``keras.config.set_dtype_policy``.
    """
    if not isinstance(policy, (str, DTypePolicy)):
        raise ValueError(
            "`policy` is a policy's name, for example 'mixed_float16', or a `DTypePolicy` object. "
            f"Received: {policy!r} of type {type(policy).__name__}"
        )
    policies.choose(get(policy))
