"""``AdditiveAttention``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.attention.attention import Attention


class AdditiveAttention(Attention):
    """Bahdanau-style attention: scores are ``sum(scale * tanh(query + key))``.

    Args:
        use_scale: multiply by a vector that is learned.
        dropout: share of the attention weights that is dropped while training.
        **kwargs: ``seed``, ``name``, ``dtype``.

    Call arguments: as those of ``Attention``.

    Output shape: (batch, targets, depth of value).

    References: Keras ``layers.AdditiveAttention``.
    """

    pure = True

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Create the scale, if there is one."""
        self._check(input_shape)
        size = (input_shape[0][-1],)
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight(size, "glorot_uniform", dtype=self.variable_dtype, name="scale")
        self.built = True

    def _scores(self, query: Any, key: Any) -> Any:
        found = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
        return ops.sum(found if self.scale is None else self.scale * found, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Arguments."""
        return {**super().get_config(), "seed": self.seed}
