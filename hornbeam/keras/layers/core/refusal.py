"""Arguments of Keras layers that train or compute with altered weights, which are not offered."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import NotSupportedError, explain


def refuse_altered_weights(owner: str, lora_rank: Any, lora_alpha: Any, quantization_config: Any) -> None:
    """Raise if one of the arguments is given.

    Raises:
        NotSupportedError: it says what to do instead.
    """
    if lora_rank is not None or lora_alpha is not None:
        raise NotSupportedError(
            explain(
                f"{owner} does not offer low-rank adaptation (LoRA).",
                expected="lora_rank=None, lora_alpha=None",
                received=f"lora_rank={lora_rank}, lora_alpha={lora_alpha}",
                fix="freeze the layer and add two small trainable layers beside it, or train it as a whole",
            )
        )
    if quantization_config is not None:
        raise NotSupportedError(
            explain(
                f"{owner} does not offer quantised weights.",
                expected="quantization_config=None",
                received=f"quantization_config={quantization_config}",
                fix="use dtype='mixed_bfloat16' for half the memory of activations",
            )
        )
