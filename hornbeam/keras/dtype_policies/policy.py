"""``DTypePolicy``: in which dtype a layer computes, and in which it keeps its weights."""

from __future__ import annotations

from typing import Any

import jax

from hornbeam.base import dtypes, registry, settings
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable
from hornbeam.ops.casting import cast, convert_to_tensor

__all__ = ["DTypePolicy", "FloatDTypePolicy", "dtype_policy"]

QUANTIZATION_MODES = ("int8", "float8", "int4", "gptq", "awq")
_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}

_global: DTypePolicy | None = None


class DTypePolicy:
    """Dtype of a layer's computations and dtype of its weights.

    Args:
        name: a dtype, which then serves for both; ``"mixed_float16"`` or ``"mixed_bfloat16"``, which compute in 16 bits
            and keep weights in float32; ``None`` for the global policy's name.

    Raises:
        TypeError: the name is no ``str``.
        ValueError: no dtype and no mixed policy has that name.

    References: Keras ``keras.dtype_policies.DTypePolicy``.
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = dtype_policy().name
        self._name: str | None = name
        self._compute_dtype, self._variable_dtype = self._parse_name(name)
        self._quantization_mode = None

    def _parse_name(self, name: Any) -> tuple[str, str]:
        """Compute dtype and variable dtype that a name stands for."""
        if not isinstance(name, str):
            raise TypeError(
                f"DTypePolicy: `name` must be a string like 'float32' or 'mixed_bfloat16'. Received: {name!r} of type "
                f"{type(name).__name__}"
            )
        if name in _MIXED:
            return _MIXED[name], "float32"
        if name.startswith(QUANTIZATION_MODES) and "_from_" in name:
            raise ValueError(
                f"DTypePolicy: '{name}' is the name of a quantised policy. Use "
                f"`keras.dtype_policies.get('{name}')`, or `layer.quantize(...)` on a built layer."
            )
        try:
            found = dtypes.as_dtype(name).name
        except TypeError as error:
            raise ValueError(
                f"There is no dtype policy '{name}'. Expected 'mixed_float16', 'mixed_bfloat16' or a float dtype, "
                "for example 'float32'."
            ) from error
        return found, found

    @property
    def variable_dtype(self) -> str:
        """Dtype in which weights are made."""
        return self._variable_dtype

    @property
    def compute_dtype(self) -> str:
        """Dtype in which the layer computes, and of its outputs."""
        return self._compute_dtype

    @property
    def name(self) -> Any:
        """Name of the policy."""
        return self._name

    @property
    def quantization_mode(self) -> str | None:
        """How weights are quantised: "int8", "int4", "float8" ...; None where they are not."""
        return self._quantization_mode

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """A call argument as the layer wants it: arrays become tensors, floats are cast if ``autocast``.

        Args:
            x: tensor, symbolic tensor, NumPy array; anything else comes back as it is.
            autocast: cast floating values to ``dtype``.
            dtype: the compute dtype.
        """
        if not isinstance(x, (Tensor, KerasTensor, Variable, jax.Array)):
            if not hasattr(x, "__array__"):
                return x
            x = convert_to_tensor(x)
        if autocast and dtypes.as_dtype(x.dtype).is_floating and x.dtype != dtypes.as_dtype(dtype):
            return cast(x, dtypes.as_dtype(dtype))
        return x

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """The policy that ``get_config`` described."""
        return cls(**config)

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f'<{"DTypePolicy" if kind == "FloatDTypePolicy" else kind} "{self._name}">'

    def __eq__(self, other: object) -> bool:
        alike = (DTypePolicy, FloatDTypePolicy)
        if type(self) in alike:
            return type(other) in alike and self._name == other._name  # type: ignore[union-attr,attr-defined]
        return type(other) is type(self) and self._name == other._name  # type: ignore[union-attr,attr-defined]

    def __hash__(self) -> int:
        return hash(self._name)


class FloatDTypePolicy(DTypePolicy):
    """Another name of ``DTypePolicy``.

    References: Keras ``keras.dtype_policies.FloatDTypePolicy``.
    """


def dtype_policy() -> DTypePolicy:
    """The policy of layers made without a ``dtype``: the one set last, else floatx.

    References: Keras ``keras.config.dtype_policy``.
    """
    return _global if _global is not None else DTypePolicy(settings.floatx())


def choose(policy: DTypePolicy) -> None:
    """Set the global policy."""
    global _global
    _global = policy


def reset() -> None:
    """Forget the global policy (``clear_session``)."""
    global _global
    _global = None


registry.provide("clear-session", "dtype_policy", reset)
