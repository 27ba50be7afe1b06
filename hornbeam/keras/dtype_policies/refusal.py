"""The error for quantised policies."""

from __future__ import annotations

from hornbeam.base.errors import NotSupportedError, explain

__all__ = ["quantized_refusal"]


def quantized_refusal(received: str) -> NotSupportedError:
    """What to tell someone who asks for a quantised policy."""
    return NotSupportedError(
        explain(
            "Quantised dtype policies are not supported.",
            expected="a float dtype, 'mixed_float16' or 'mixed_bfloat16'",
            received=received,
            fix="use 'mixed_bfloat16' (half the memory of activations), or load a model that was saved before "
            "`quantize()` was called on it",
        )
    )
