"""What attention layers with several heads share: projections, masks and the attention itself."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import ops
from hornbeam.base import check, settings
from hornbeam.keras import constraints, initializers, regularizers
from hornbeam.keras.layers.activation.softmax import Softmax
from hornbeam.keras.layers.attention.attention import causal_mask, window_mask
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.core.einsum_dense import EinsumDense
from hornbeam.keras.layers.regularization.dropout import Dropout

_LOOKUPS: dict[str, Any] = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}


class HeadedAttention(Layer):
    """Base of ``MultiHeadAttention`` and ``GroupedQueryAttention``."""

    pure = True
    _flash_attention: Any
    _scores_axes = 1
    """Axes that attention goes over."""

    def _configure_heads(
        self, dropout: float, sliding_window: Any, flash_attention: Any, seed: Any, **given: Any
    ) -> None:
        owner = type(self).__name__
        if sliding_window is not None and (not isinstance(sliding_window, int) or sliding_window <= 0):
            raise ValueError(
                f"{owner}: `sliding_window` takes an int of at least 1, or None for no window. Received: "
                f"{sliding_window!r}"
            )
        if flash_attention and dropout > 0:
            raise ValueError(f"{owner}: `flash_attention=True` goes with dropout=0.0 only. Received: dropout={dropout}")
        self.supports_masking = True
        self.seed = seed
        self._flash_attention = flash_attention
        for name, value in given.items():
            setattr(self, name, _LOOKUPS[name.rpartition("_")[2]].get(value))

    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any
    dropout: Any

    def _dense(
        self, equation: str, output_shape: Any, bias_axes: str | None, name: str, shape: Any, **options: Any
    ) -> Any:
        """A projection, built."""
        layer = EinsumDense(
            equation,
            output_shape=output_shape,
            bias_axes=bias_axes,
            name=name,
            kernel_initializer=_anew(self.kernel_initializer),
            bias_initializer=_anew(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self.activity_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self._dtype_policy,
            **options,
        )
        layer.build_from_config({"input_shape": tuple(shape)})
        return layer

    def _project(self, layer: Any, x: Any) -> Any:
        """A projection of a tensor without its mask, which is this layer's business alone."""
        mask = getattr(x, "_keras_mask", None)
        if mask is None:
            return layer(x)
        x._keras_mask = None
        try:
            return layer(x)
        finally:
            x._keras_mask = mask

    def _add_score_layers(self, axes: Any) -> None:
        self._softmax = Softmax(axis=axes, dtype=self._dtype_policy)
        self._dropout_layer = Dropout(rate=self.dropout, dtype=self._dtype_policy, seed=self.seed)

    # --- masks -----------------------------------------------------------------------------------
    def _compute_attention_mask(
        self,
        query: Any,
        value: Any,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """All masks as one, (batch, targets, sources)."""
        found = []
        if query_mask is not None:
            found.append(ops.expand_dims(ops.cast(query_mask, "bool"), -1))
        found += [ops.expand_dims(ops.cast(mask, "bool"), -2) for mask in (value_mask, key_mask) if mask is not None]
        lengths = (query.shape[1], value.shape[1])
        if use_causal_mask:
            found.append(causal_mask(*lengths))
        if self._window is not None:
            found.append(window_mask(*lengths, self._window))
        if attention_mask is not None:
            found.append(ops.cast(attention_mask, "bool"))
        joined = None
        for mask in found:
            joined = mask if joined is None else ops.logical_and(joined, mask)
        return joined

    @property
    def _window(self) -> int | None:
        """Places less than this far apart see each other; None for any distance. Each layer says so."""
        raise NotImplementedError

    def _for_heads(self, mask: Any, rank: int) -> Any:
        """A mask with axes for the heads put in."""
        place = -self._scores_axes * 2 - 1
        for _ in range(rank - len(mask.shape)):
            mask = ops.expand_dims(mask, place)
        return mask

    # --- attention -------------------------------------------------------------------------------
    def _attend(
        self,
        query: Any,
        key: Any,
        value: Any,
        depth: int,
        *,
        mask: Any,
        training: Any,
        return_scores: bool,
        is_causal: bool,
        equations: tuple[str, str],
        key_first: bool,
    ) -> tuple[Any, Any]:
        """Output of the heads, and the attention weights where they are computed on their own."""
        scale = 1.0 / math.sqrt(float(depth))
        if self._flash_attention and return_scores:
            raise ValueError(
                f"{type(self).__name__} '{self.name}': with `flash_attention=True` there are no attention "
                "scores to return."
            )
        fused = len(query.shape) == 4 and query.shape[-1] == value.shape[-1]
        if fused and not (self.dropout > 0.0 or return_scores):
            mask = None if mask is None else ops.cast(self._for_heads(mask, 4), "bool")
            flash = self._flash_attention if self._flash_attention is not None else settings.get("flash_attention")
            outputs = ops.dot_product_attention(
                query, key, value, mask=mask, scale=scale, is_causal=is_causal, flash_attention=flash
            )
            return outputs, None
        if is_causal:
            mask = causal_mask(query.shape[1], value.shape[1])
        query = ops.multiply(query, ops.cast(scale, query.dtype))
        product, combination = equations
        scores = ops.einsum(product, key, query) if key_first else ops.einsum(product, query, key)
        scores = self._softmax.call(scores, mask=None if mask is None else self._for_heads(mask, len(scores.shape)))
        dropped = self._dropout_layer.call(scores, training=training) if self.dropout > 0 else scores
        return ops.einsum(combination, dropped, value), scores


def _anew(initializer: Any) -> Any:
    """Another initializer of the same kind, so that weights of one shape do not begin alike."""
    if not hasattr(initializer, "get_config"):
        return initializer
    return type(initializer).from_config(initializer.get_config())


def check_heads(owner: Any, **sizes: Any) -> None:
    """Refuse sizes that are no positive integers."""
    for name, value in sizes.items():
        check.positive_int(name, value, owner=owner)
