"""``GroupedQueryAttention``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.layers.attention.heads import HeadedAttention, check_heads
from hornbeam.keras.regularizers import get as get_regularizer


class GroupedQueryAttention(HeadedAttention):
    """Attention in several heads, groups of which share keys and values.

    Args:
        head_dim: size of query, key and value per head.
        num_query_heads: number of heads of the query.
        num_key_value_heads: number of heads of key and value; it divides that of the query.
        dropout: share of the attention weights that is dropped while training.
        use_bias: add biases to the projections.
        sliding_window: let places look only at those less than this far apart.
        flash_attention: True insists on the fused kernel; by default it is used where it can be.
        kernel_initializer: initializer of the projections.
        bias_initializer: initializer of the biases.
        kernel_regularizer: penalty on the projections.
        bias_regularizer: penalty on the biases.
        activity_regularizer: penalty on the projections' outputs.
        kernel_constraint: projection of the weights after each update.
        bias_constraint: projection of the biases.
        use_gate: multiply the heads' outputs by a gate computed from the query.
        seed: seed of the dropout.
        **kwargs: ``name``, ``dtype``.

    Call arguments: as those of ``MultiHeadAttention``.

    Output shape: that of the query.

    References: Ainslie et al. 2023. Keras ``layers.GroupQueryAttention``.
    """

    pure = True
    unserialized = frozenset({"flash_attention"})

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_heads(self, head_dim=head_dim, num_query_heads=num_query_heads, num_key_value_heads=num_key_value_heads)
        if num_query_heads % num_key_value_heads:
            raise ValueError(
                "GroupedQueryAttention: `num_query_heads` must be a multiple of `num_key_value_heads`. Received: "
                f"{num_query_heads} and {num_key_value_heads}"
            )
        self.activity_regularizer = get_regularizer(activity_regularizer)
        self.head_dim, self.num_query_heads = head_dim, num_query_heads
        self.num_key_value_heads = num_key_value_heads
        self.num_repeats = num_query_heads // num_key_value_heads
        self.dropout, self.use_bias, self.use_gate = dropout, use_bias, use_gate
        self.sliding_window = sliding_window
        self._configure_heads(
            dropout,
            sliding_window,
            flash_attention,
            seed,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    @property
    def _window(self) -> int | None:
        return self.sliding_window

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Create the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        queries, pairs = (None, self.num_query_heads, self.head_dim), (None, self.num_key_value_heads, self.head_dim)
        query_bias, pair_bias = ("uh", "vh") if self.use_bias else (None, None)
        self._query_dense = self._dense("bqm,muh->bquh", queries, query_bias, "query", query_shape)
        self._key_dense = self._dense("bkm,mvh->bkvh", pairs, pair_bias, "key", key_shape)
        if self.use_gate:
            self._gate_dense = self._dense(
                "bqm,muh->bquh", queries, query_bias, "gate", query_shape, activation="sigmoid"
            )
        self._value_dense = self._dense("bkm,mvh->bkvh", pairs, pair_bias, "value", value_shape)
        self._add_score_layers(-1)
        self._output_dense = self._dense(
            "bquh,uhm->bqm",
            (None, query_shape[-1]),
            "m" if self.use_bias else None,
            "attention_output",
            (None, None, self.num_query_heads, self.head_dim),
        )
        self.built = True

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Values weighted by how well their keys fit each query, head by head."""
        key = value if key is None else key
        given = (query_mask, value_mask, key_mask, attention_mask, self.sliding_window)
        causal_only = use_causal_mask and all(one is None for one in given)
        mask = None
        if not causal_only:
            mask = self._compute_attention_mask(
                query, value, query_mask, value_mask, key_mask, attention_mask, use_causal_mask
            )
        gate = self._project(self._gate_dense, query) if self.use_gate else None
        outputs, scores = self._attend(
            self._project(self._query_dense, query),
            ops.repeat(self._project(self._key_dense, key), self.num_repeats, axis=2),
            ops.repeat(self._project(self._value_dense, value), self.num_repeats, axis=2),
            self.head_dim,
            mask=mask,
            training=training,
            return_scores=return_attention_scores,
            is_causal=causal_only,
            equations=("bquh,bkuh->buqk", "buqk,bkuh->bquh"),
            key_first=False,
        )
        outputs = self._output_dense(outputs if gate is None else ops.multiply(outputs, gate))
        return (outputs, scores) if return_attention_scores else outputs

    def compute_output_shape(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> Any:
        """Shape of the query."""
        query_shape, value_shape = tuple(query_shape), tuple(value_shape)
        key_shape = value_shape if key_shape is None else tuple(key_shape)
        if query_shape[-1] != value_shape[-1] or value_shape[1:-1] != key_shape[1:-1]:
            raise ValueError(
                f"GroupedQueryAttention '{self.name}': query and value must have as many features, value and "
                "key as many "
                f"places. Received: shapes {query_shape}, {value_shape}, {key_shape}"
            )
        return query_shape

    def compute_output_spec(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Symbolic output, and attention weights if asked for."""
        shape = self.compute_output_shape(query.shape, value.shape, None if key is None else key.shape)
        output = KerasTensor(shape, self.compute_dtype)
        if not return_attention_scores:
            return output
        places = value.shape[1] if key is None else key.shape[1]
        return output, KerasTensor((query.shape[0], self.num_query_heads, query.shape[1], places), self.compute_dtype)
