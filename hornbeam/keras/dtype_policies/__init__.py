"""Dtype policies: the dtype of computations and of weights.

References: Keras ``keras.dtype_policies``.
"""

from hornbeam.keras.dtype_policies.lookup import OBJECTS, deserialize, get, serialize, set_dtype_policy
from hornbeam.keras.dtype_policies.policy import DTypePolicy, FloatDTypePolicy, dtype_policy
from hornbeam.keras.dtype_policies.policy_map import DTypePolicyMap
from hornbeam.keras.dtype_policies.quantized import (
    AWQDTypePolicy,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
)

__all__ = [
    "AWQDTypePolicy",
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "deserialize",
    "dtype_policy",
    "get",
    "serialize",
    "set_dtype_policy",
]

OBJECTS.update(
    {
        kind.__name__: kind
        for kind in (
            AWQDTypePolicy,
            DTypePolicy,
            DTypePolicyMap,
            FloatDTypePolicy,
            GPTQDTypePolicy,
            Int4DTypePolicy,
            QuantizedDTypePolicy,
            QuantizedFloat8DTypePolicy,
        )
    }
)
