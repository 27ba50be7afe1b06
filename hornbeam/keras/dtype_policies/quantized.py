"""The names of Keras's quantised policies, which Hornbeam refuses with advice."""

from __future__ import annotations

from hornbeam.keras.dtype_policies.policy import DTypePolicy
from hornbeam.keras.dtype_policies.refusal import quantized_refusal

__all__ = [
    "AWQDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
]


class QuantizedDTypePolicy(DTypePolicy):
    """Not offered: weights are not quantised here.

    Raises:
        NotSupportedError: always.

    References: Keras ``keras.dtype_policies.QuantizedDTypePolicy``.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        raise quantized_refusal(f"{type(self).__name__}(mode={mode!r}, source_name={source_name!r})")


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """Not offered; see ``QuantizedDTypePolicy``."""

    def __init__(self, mode: str, source_name: str | None = None, amax_history_length: int = 1024) -> None:
        raise quantized_refusal(
            f"QuantizedFloat8DTypePolicy(mode={mode!r}, source_name={source_name!r}, "
            f"amax_history_length={amax_history_length})"
        )


class Int4DTypePolicy(QuantizedDTypePolicy):
    """Not offered; see ``QuantizedDTypePolicy``."""


class GPTQDTypePolicy(QuantizedDTypePolicy):
    """Not offered; see ``QuantizedDTypePolicy``."""


class AWQDTypePolicy(QuantizedDTypePolicy):
    """Not offered; see ``QuantizedDTypePolicy``."""
