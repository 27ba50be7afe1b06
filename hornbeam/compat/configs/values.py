"""Values inside old layer configs: initializers, regularizers, constraints, activations, dtypes."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.compat.configs.generation import Context
from hornbeam.keras.saving.registration import register_keras_serializable

__all__ = ["activation", "constraint", "dtype_name", "initializer", "piecewise_sigmoid", "regularizer"]


@register_keras_serializable("hornbeam")
def piecewise_sigmoid(x: Any) -> Any:
    """``clip(0.2 * x + 0.5, 0, 1)``, what "hard_sigmoid" meant before Keras 3."""
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


PIECEWISE = "hornbeam>piecewise_sigmoid"

_FIRST_INITIALIZERS: dict[str, dict[str, Any]] = {
    "uniform": {"class_name": "RandomUniform", "config": {"minval": -0.05, "maxval": 0.05}},
    "normal": {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 0.05}},
    "zero": {"class_name": "Zeros", "config": {}},
    "zeros": {"class_name": "Zeros", "config": {}},
    "one": {"class_name": "Ones", "config": {}},
    "ones": {"class_name": "Ones", "config": {}},
    "identity": {"class_name": "Identity", "config": {}},
    "orthogonal": {"class_name": "Orthogonal", "config": {"gain": 1.1}},
    "glorot_normal": {"class_name": "GlorotNormal", "config": {}},
    "glorot_uniform": {"class_name": "GlorotUniform", "config": {}},
    "he_normal": {"class_name": "HeNormal", "config": {}},
    "he_uniform": {"class_name": "HeUniform", "config": {}},
    "lecun_uniform": {"class_name": "LecunUniform", "config": {}},
}
_DISTRIBUTIONS = {"normal": "truncated_normal"}


def initializer(value: Any, context: Context) -> Any:
    """An initializer's config."""
    if isinstance(value, str) and value in _FIRST_INITIALIZERS:
        return {"module": "keras.initializers", **_FIRST_INITIALIZERS[value]}
    if not isinstance(value, dict) or "class_name" not in value or context.knows(value["class_name"]):
        return value
    inner = {key: item for key, item in (value.get("config") or {}).items() if key not in ("dtype", "partition_info")}
    distribution = inner.get("distribution")
    if distribution in _DISTRIBUTIONS:
        inner["distribution"] = _DISTRIBUTIONS[distribution]
    name = value["class_name"]
    if isinstance(name, str) and name in _FIRST_INITIALIZERS:
        return {"module": "keras.initializers", **_FIRST_INITIALIZERS[name]}
    return {"module": "keras.initializers", "class_name": name, "config": inner}


def regularizer(value: Any, context: Context) -> Any:
    """A regularizer's config."""
    if not isinstance(value, dict):
        return value
    if "class_name" not in value and "name" in value:
        kind = value["name"]
        if kind not in ("L1L2Regularizer", "WeightRegularizer", "ActivityRegularizer", "L1L2"):
            return {"class_name": kind, "config": {key: item for key, item in value.items() if key != "name"}}
        return _penalty(value)
    if context.knows(value["class_name"]):
        return value
    if value["class_name"] in ("L1L2", "L1L2Regularizer"):
        return _penalty(value.get("config") or {})
    return {"module": "keras.regularizers", "class_name": value["class_name"], "config": value.get("config") or {}}


def _penalty(values: dict[str, Any]) -> dict[str, Any]:
    config = {key: float(values.get(key) or 0.0) for key in ("l1", "l2")}
    return {"module": "keras.regularizers", "class_name": "L1L2", "config": config}


_CONSTRAINT_NAMES = {"maxnorm": "MaxNorm", "nonneg": "NonNeg", "unitnorm": "UnitNorm"}


def constraint(value: Any, context: Context) -> Any:
    """A constraint's config."""
    if isinstance(value, str):
        name = _CONSTRAINT_NAMES.get(value, value)
        return {"module": "keras.constraints", "class_name": name, "config": {}} if name != value else value
    if not isinstance(value, dict):
        return value
    if "class_name" not in value and "name" in value:
        inner = {key: item for key, item in value.items() if key != "name"}
        if "m" in inner:
            inner["max_value"] = inner.pop("m")
        name = value["name"]
        return {"module": "keras.constraints", "class_name": _CONSTRAINT_NAMES.get(name, name), "config": inner}
    if context.knows(value["class_name"]):
        return value
    return {"module": "keras.constraints", "class_name": value["class_name"], "config": value.get("config") or {}}


def activation(value: Any, context: Context) -> Any:
    """An activation, whose name may have changed its meaning."""
    if isinstance(value, str):
        if context.knows(value):
            return value
        if value == "hard_sigmoid" and context.generation < 3:
            return PIECEWISE
        return _ACTIVATION_NAMES.get(value, value)
    if isinstance(value, dict) and value.get("class_name") == "function" and value.get("config") == "hard_sigmoid":
        return PIECEWISE if context.generation < 3 else value
    return value


_ACTIVATION_NAMES = {
    "swish": "silu",
    "softmax_v2": "softmax",
    "relu_v2": "relu",
    "gelu_v2": "gelu",
    "sigmoid_v2": "sigmoid",
}


def dtype_name(value: Any) -> Any:
    """A dtype or policy as a name."""
    if isinstance(value, dict) and value.get("class_name") in ("Policy", "PolicyV1"):
        return (value.get("config") or {}).get("name")
    return value
