"""``MultiHeadAttention``."""

from __future__ import annotations

import string
from typing import Any

from hornbeam import ops
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.layers.attention.heads import HeadedAttention, check_heads
from hornbeam.keras.regularizers import get as get_regularizer


class MultiHeadAttention(HeadedAttention):
    """Attention in several heads, each over projections of query, key and value of its own.

    Args:
        num_heads: number of heads.
        key_dim: size of query and key per head.
        value_dim: size of value per head; ``key_dim`` by default.
        dropout: share of the attention weights that is dropped while training.
        use_bias: add biases to the projections.
        output_shape: size (or sizes) of the output; that of the query by default.
        attention_axes: axes that attention goes over; all but batch and features by default.
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

    Call arguments:
        query: (batch, targets, features).
        value: (batch, sources, features).
        key: (batch, sources, features); ``value`` by default.
        query_mask, value_mask, key_mask: (batch, places); taken from the tensors where they carry masks.
        attention_mask: (batch, targets, sources), true where looking is allowed.
        return_attention_scores: give the attention weights too.
        training: whether to drop.
        use_causal_mask: let each target look at sources up to its own place only.

    Output shape: that of the query, with ``output_shape`` in place of its features if it is given.

    References: Vaswani et al. 2017. Keras ``layers.MultiHeadAttention``.
    """

    pure = True
    unserialized = frozenset({"flash_attention", "output_shape"})

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
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
        self.activity_regularizer = get_regularizer(activity_regularizer)
        check_heads(self, num_heads=num_heads, key_dim=key_dim)
        if value_dim is not None:
            check_heads(self, value_dim=value_dim)
        self.num_heads, self.key_dim, self.value_dim = num_heads, key_dim, value_dim or key_dim
        self.dropout, self.use_bias, self.use_gate = dropout, use_bias, use_gate
        self._output_sizes = None
        if output_shape:
            self._output_sizes = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        if isinstance(attention_axes, int):
            attention_axes = (attention_axes,)
        elif attention_axes and not isinstance(attention_axes, (list, tuple)):
            raise ValueError(f"MultiHeadAttention: `attention_axes` must be integers. Received: {attention_axes!r}")
        self.attention_axes = None if attention_axes is None else tuple(attention_axes)
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

    @property
    def query_dense(self) -> Any:
        """Projection of the query."""
        return self._query_dense

    @property
    def key_dense(self) -> Any:
        """Projection of the key."""
        return self._key_dense

    @property
    def value_dense(self) -> Any:
        """Projection of the value."""
        return self._value_dense

    @property
    def output_dense(self) -> Any:
        """Projection of the heads' outputs."""
        return self._output_dense

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Create the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        query_shape, value_shape, key_shape = tuple(query_shape), tuple(value_shape), tuple(key_shape)
        _check_lengths(self, value_shape, key_shape)

        def into_heads(name: str, shape: tuple, size: int, **options: Any) -> Any:
            equation, bias_axes, rank = _projection(len(shape) - 1, 1, 2)
            sizes = [None] * (rank - 3) + [self.num_heads, size]
            return self._dense(equation, sizes, bias_axes if self.use_bias else None, name, shape, **options)

        self._query_dense = into_heads("query", query_shape, self.key_dim)
        self._key_dense = into_heads("key", key_shape, self.key_dim)
        if self.use_gate:
            self._gate_dense = into_heads("gate", query_shape, self.value_dim, activation="sigmoid")
        self._value_dense = into_heads("value", value_shape, self.value_dim)
        self._build_attention(len(value_shape) + 1)
        sizes = list(self._output_sizes or (query_shape[-1],))
        equation, bias_axes, rank = _projection(len(query_shape) - 1, 2, len(sizes))
        self._output_dense = self._dense(
            equation,
            [None] * (rank - 1 - len(sizes)) + sizes,
            bias_axes if self.use_bias else None,
            "attention_output",
            (*query_shape[:-1], self.num_heads, self.value_dim),
        )
        self.built = True

    def _build_attention(self, rank: int) -> None:
        if self.attention_axes is None:
            self.attention_axes = tuple(range(1, rank - 2))
        else:
            self.attention_axes = tuple(axis if axis >= 0 else rank - 1 + axis for axis in self.attention_axes)
        product, combination, scores_rank = _attention_equations(rank, self.attention_axes)
        self._equations = (product, combination)
        self._scores_axes = len(self.attention_axes)
        self._add_score_layers(tuple(range(scores_rank - self._scores_axes, scores_rank)))

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
        # Only the mask that the query carries counts.
        query_mask = getattr(query, "_keras_mask", None)
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
            self._project(self._key_dense, key),
            self._project(self._value_dense, value),
            self.key_dim,
            mask=mask,
            training=training,
            return_scores=return_attention_scores,
            is_causal=causal_only,
            equations=self._equations,
            key_first=True,
        )
        outputs = self._output_dense(outputs if gate is None else ops.multiply(outputs, gate))
        return (outputs, scores) if return_attention_scores else outputs

    def compute_output_shape(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> Any:
        """Shape of the query, with ``output_shape`` in place of its features."""
        query_shape, value_shape = tuple(query_shape), tuple(value_shape)
        _check_lengths(self, value_shape, value_shape if key_shape is None else tuple(key_shape))
        return (*query_shape[:-1], *self._output_sizes) if self._output_sizes else query_shape

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
        sizes = (query.shape[0], self.num_heads, query.shape[1], value.shape[1])
        return output, KerasTensor(sizes, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Arguments."""
        return {**super().get_config(), "output_shape": self._output_sizes}


def _shown(name: str) -> property:
    """An attribute that is part of the class's face."""
    return property(
        lambda self: vars(self)[name],
        lambda self, value: vars(self).__setitem__(name, value),
        doc=f"The argument ``{name}``.",
    )


for _name in ("num_heads", "key_dim", "value_dim", "dropout", "use_bias", "attention_axes"):
    setattr(MultiHeadAttention, _name, _shown(_name))


def _check_lengths(layer: Any, value_shape: tuple, key_shape: tuple) -> None:
    if value_shape[1:-1] != key_shape[1:-1]:
        raise ValueError(
            f"{type(layer).__name__} '{layer.name}': value and key must have as many places. Received: shapes "
            f"{value_shape} and {key_shape}"
        )


# --- equations -----------------------------------------------------------------------------------
def _projection(free: int, bound: int, outputs: int) -> tuple[str, str, int]:
    """Equation of a projection that keeps ``free`` axes and exchanges ``bound`` ones for ``outputs`` others."""
    letters = string.ascii_lowercase
    kept, summed = letters[:free], letters[free : free + bound]
    new = letters[free + bound : free + bound + outputs]
    return f"{kept}{summed},{summed}{new}->{kept}{new}", new, free + outputs


def _attention_equations(rank: int, axes: tuple[int, ...]) -> tuple[str, str, int]:
    """Equations of scores and of their use, for attention over some axes; and the rank of the scores."""
    letters = string.ascii_lowercase
    target = letters[:rank]
    batch = [axis for axis in range(rank) if axis not in axes and axis != rank - 1]
    fresh = iter(letters[rank:])
    source = "".join(target[axis] if axis in batch or axis == rank - 1 else next(fresh) for axis in range(rank))
    scores = "".join([target[axis] for axis in (*batch, *axes)] + [source[axis] for axis in axes])
    return f"{source},{target}->{scores}", f"{scores},{source}->{target}", len(scores)
