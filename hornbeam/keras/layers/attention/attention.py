"""``Attention``: dot-product attention over a list of query, value and key."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.random_state import SeedGenerator
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.random.random import dropout as random_dropout


class Attention(Layer):
    """Luong-style attention: ``softmax(query @ key^T) @ value``.

    Args:
        use_scale: multiply the scores by a number that is learned.
        score_mode: ``dot`` (query times key) or ``concat`` (``tanh`` of their sum).
        dropout: share of the attention weights that is dropped while training.
        seed: seed of the dropout.
        **kwargs: ``name``, ``dtype``.

    Call arguments:
        inputs: list of query (batch, targets, depth), value (batch, sources, depth) and, optionally, key.
        mask: list of masks of query and value, (batch, targets) and (batch, sources).
        training: whether to drop.
        return_attention_scores: give the attention weights too.
        use_causal_mask: let each target look at sources up to its own place only.

    Output shape: (batch, targets, depth of value).

    References: Keras ``layers.Attention``.
    """

    pure = True

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        if score_mode not in ("dot", "concat"):
            raise ValueError(f"Attention: `score_mode` must be 'dot' or 'concat'. Received: score_mode={score_mode!r}")
        self.use_scale, self.score_mode, self.dropout, self.seed = use_scale, score_mode, dropout, seed
        if dropout > 0:
            self.seed_generator = SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        """Create the scale, if there is one."""
        self._check(input_shape)
        dtype = self.variable_dtype
        self.scale = self.add_weight((), "ones", dtype=dtype, name="scale") if self.use_scale else None
        self.concat_score_weight = None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", dtype=dtype, name="concat_score_weight")
        self.built = True

    def _check(self, inputs: Any, mask: Any = None) -> None:
        for what, given in (("inputs", inputs), ("mask", mask)):
            if what == "mask" and given is None:
                continue
            if not isinstance(given, (list, tuple)) or not 2 <= len(given) <= 3:
                raise ValueError(
                    f"{type(self).__name__} '{self.name}': `{what}` must be a list for query and value, or for query, "
                    f"value and key. Received: {given!r}"
                )

    def _scores(self, query: Any, key: Any) -> Any:
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else ops.multiply(scores, self.scale)
        total = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        total = total if self.scale is None else self.scale * total
        return self.concat_score_weight * ops.sum(ops.tanh(total), axis=-1)

    def _weighing(self, scores: Any, mask: Any, training: Any) -> Any:
        if mask is not None:
            large = 65504.0 if scores.dtype == "float16" else 1.0e9
            mask = ops.expand_dims(mask, -2) if len(mask.shape) == 2 else mask
            scores = ops.where(mask, scores, scores - large)
        weights = ops.softmax(scores, axis=-1)
        if training and self.dropout > 0:
            weights = random_dropout(weights, self.dropout, seed=self.seed_generator)
        return weights

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: Any = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Values weighted by how well their keys fit each query."""
        self._check(inputs, mask)
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) > 2 else value
        query_mask, value_mask = (mask[0], mask[1]) if mask else (None, None)
        scores = self._scores(query, key)
        allowed = value_mask if value_mask is None else ops.cast(value_mask, "bool")
        if use_causal_mask:
            causal = causal_mask(*tuple(scores.shape)[-2:])
            allowed = causal if allowed is None else ops.logical_and(ops.expand_dims(allowed, -2), causal)
        weights = self._weighing(scores, allowed, training)
        outputs = ops.matmul(weights, value)
        if query_mask is not None:
            outputs = ops.where(ops.expand_dims(ops.cast(query_mask, "bool"), -1), outputs, 0)
        return (outputs, weights) if return_attention_scores else outputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the query."""
        return None if mask is None else mask[0]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shape of the query, with the depth of the value."""
        return (*tuple(input_shape[0])[:-1], input_shape[1][-1])

    def compute_output_spec(
        self,
        inputs: Any,
        mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Symbolic output, and attention weights if asked for."""
        self._check(inputs, mask)
        key = inputs[2] if len(inputs) > 2 else inputs[1]
        output = KerasTensor(self.compute_output_shape([tensor.shape for tensor in inputs]), self.compute_dtype)
        if not return_attention_scores:
            return output
        return output, KerasTensor((*tuple(inputs[0].shape)[:-1], key.shape[-2]), self.compute_dtype)


def causal_mask(targets: int, sources: int) -> Any:
    """(1, targets, sources) booleans: true where the source does not come after the target."""
    rows, columns = ops.arange(targets, dtype="int32"), ops.arange(sources, dtype="int32")
    return ops.expand_dims(ops.greater_equal(ops.expand_dims(rows, 1), columns), 0)


def window_mask(targets: int, sources: int, size: int) -> Any:
    """(1, targets, sources) booleans: true where the two places are less than ``size`` apart."""
    rows, columns = ops.arange(targets, dtype="int32"), ops.arange(sources, dtype="int32")
    return ops.expand_dims(ops.less(ops.absolute(ops.expand_dims(rows, 1) - columns), size), 0)
