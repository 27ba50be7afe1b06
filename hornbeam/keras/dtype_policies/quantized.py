"""Policies of layers whose weights are quantised."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import explain
from hornbeam.keras.dtype_policies.policy import QUANTIZATION_MODES, DTypePolicy, dtype_policy

__all__ = [
    "AWQDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "quantized_policy",
]


class QuantizedDTypePolicy(DTypePolicy):
    """The policy of a quantised layer: how its weights are quantised, and the dtypes it had before.

    Args:
        mode: "int8", "int4" or "float8".
        source_name: name of the policy before; that of the global policy by default.

    Raises:
        ValueError: an unknown mode, or int8 beside float16, whose range the sums would leave.

    References: Keras ``keras.dtype_policies.QuantizedDTypePolicy``.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        if source_name is None:
            source_name = dtype_policy().name
        self._compute_dtype, self._variable_dtype = self._parse_name(source_name)
        base = str(mode).partition("/")[0]
        if base not in QUANTIZATION_MODES:
            raise ValueError(
                f"{type(self).__name__}: `mode` is one of {', '.join(QUANTIZATION_MODES)}. Received: mode={mode!r}"
            )
        if base == "int8" and self._compute_dtype == "float16":
            raise ValueError(
                f"{type(self).__name__}: int8 products leave the range of float16. Received: source_name="
                f"{source_name!r}. Take 'bfloat16', 'mixed_bfloat16' or 'float32'."
            )
        self._name = f"{mode}_from_{source_name}"
        self._source_name = source_name
        self._quantization_mode = base

    def get_config(self) -> dict[str, Any]:
        return {"mode": self._name.removesuffix(f"_from_{self._source_name}"), "source_name": self._source_name}  # type: ignore[union-attr]

    __hash__ = DTypePolicy.__hash__


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """The policy of a layer that computes in 8-bit floats.

    Args:
        mode: "float8".
        source_name: name of the policy before.
        amax_history_length: steps whose largest magnitudes are remembered.

    Raises:
        TypeError: the length is no int.

    References: Keras ``keras.dtype_policies.QuantizedFloat8DTypePolicy``.
    """

    default_amax_history_length = 1024

    def __init__(self, mode: str, source_name: str | None = None, amax_history_length: int = 1024) -> None:
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int):
            raise TypeError(
                "QuantizedFloat8DTypePolicy: `amax_history_length` is a number of steps. Received: "
                f"{amax_history_length!r}"
            )
        self._amax_history_length = amax_history_length

    @property
    def amax_history_length(self) -> int:
        """Steps whose largest magnitudes are remembered."""
        return self._amax_history_length

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) and self._amax_history_length == other._amax_history_length  # type: ignore[attr-defined]

    __hash__ = DTypePolicy.__hash__

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amax_history_length": self.amax_history_length}


class _PartedMode(QuantizedDTypePolicy):
    """A policy whose mode has numbers in it, such as "int4/128"."""

    parts: tuple[str, ...] = ()
    bits: tuple[int, ...] = ()

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        name, *numbers = str(mode).split("/")
        wanted = "/".join((self._base, *(f"<{part}>" for part in self.parts)))
        found: dict[str, int] = {}
        try:
            found = dict(zip(self.parts, map(int, numbers), strict=True))
        except ValueError:
            name = ""
        size = found.get("block_size", found.get("group_size", 1))
        if name != self._base or size < -1 or size == 0 or (self.bits and found["weight_bits"] not in self.bits):
            bits = f", weight_bits one of {self.bits}" if self.bits else ""
            raise ValueError(
                explain(
                    f"{type(self).__name__}: `mode` is not understood.",
                    expected=f"'{wanted}', the last number -1 or positive{bits}",
                    received=f"mode={mode!r}",
                )
            )
        super().__init__(mode, source_name)
        self.mode = self._base
        vars(self).update(found)

    _base = ""


class Int4DTypePolicy(_PartedMode):
    """The policy of a layer with 4-bit weights.

    Args:
        mode: "int4/<block_size>": inputs that share a scale; -1 for one scale per output.
        source_name: name of the policy before.

    References: Keras ``keras.dtype_policies.Int4DTypePolicy``.
    """

    parts = ("block_size",)
    _base = "int4"
    block_size: int


class GPTQDTypePolicy(_PartedMode):
    """The policy of a layer quantised by GPTQ. Such layers can be described, but are not offered.

    Args:
        mode: "gptq/<weight_bits>/<group_size>".
        source_name: name of the policy before.

    References: Keras ``keras.dtype_policies.GPTQDTypePolicy``.
    """

    parts = ("weight_bits", "group_size")
    bits = (2, 3, 4, 8)
    _base = "gptq"
    weight_bits: int
    group_size: int


class AWQDTypePolicy(_PartedMode):
    """The policy of a layer quantised by AWQ. Such layers can be described, but are not offered.

    Args:
        mode: "awq/4/<group_size>".
        source_name: name of the policy before.

    References: Keras ``keras.dtype_policies.AWQDTypePolicy``.
    """

    parts = ("weight_bits", "group_size")
    bits = (4,)
    _base = "awq"
    weight_bits: int
    group_size: int


def quantized_policy(name: str) -> QuantizedDTypePolicy:
    """The policy of a name such as "int8_from_float32".

    Raises:
        ValueError: another form.
    """
    mode, _, source = name.partition("_from_")
    if not source or "_from_" in source:
        raise ValueError(f"A quantised policy has a name like 'int8_from_float32'. Received: {name!r}")
    kinds: dict[str, type[QuantizedDTypePolicy]] = {
        "float8": QuantizedFloat8DTypePolicy,
        "gptq": GPTQDTypePolicy,
        "awq": AWQDTypePolicy,
    }
    base, slash, _ = mode.partition("/")
    kind = Int4DTypePolicy if base == "int4" and slash else kinds.get(base, QuantizedDTypePolicy)
    return kind(mode, source)
