"""``Masking``: steps of a certain value do not count."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.door import op
from hornbeam.keras.layers.base.elementwise import Elementwise
from hornbeam.keras.saving.serialization import deserialize_keras_object
from hornbeam.ops.promotion import to_dtype


@op
def _masked(inputs: jax.Array, mask_value: Any) -> tuple[jax.Array, jax.Array]:
    """Inputs with masked steps set to 0, and the mask."""
    counts = jnp.any(inputs != to_dtype(mask_value, inputs.dtype), axis=-1)
    return jnp.where(counts[..., None], inputs, jnp.zeros((), inputs.dtype)), counts


class Masking(Elementwise):
    """Masks the steps of a sequence whose features all equal a value.

    The mask is True for steps that count; layers after it that know masks skip the others, whose features become 0.

    Args:
        mask_value: the value.

    Input shape: ``(batch, ..., steps, features)``.
    Output shape: that of the inputs.

    References: Keras ``layers.Masking``.
    """

    pure = True

    def __init__(self, mask_value: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(mask_value, dict) and mask_value.get("config"):
            mask_value = deserialize_keras_object(mask_value)
        self.mask_value = mask_value

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """True for steps with a feature other than ``mask_value``."""
        return _masked(inputs, self.mask_value)[1]

    def call(self, inputs: Any) -> Any:
        """Inputs with masked steps set to 0, and the mask attached."""
        outputs, mask = _masked(inputs, self.mask_value)
        outputs._keras_mask = mask
        return outputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_value": self.mask_value}
