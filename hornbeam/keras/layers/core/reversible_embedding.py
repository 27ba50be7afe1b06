"""``ReversibleEmbedding``: integers to vectors, and vectors to scores of the integers."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.layers.core.embedding import Embedding
from hornbeam.keras.layers.core.quantized_tables import QuantizableTwoWayTable


class ReversibleEmbedding(QuantizableTwoWayTable, Embedding):
    """An embedding that can be run backwards: ``call(vectors, reverse=True)`` gives a score for each row of the table.

    Args:
        input_dim: number of rows.
        output_dim: size of the vectors.
        tie_weights: run backwards with the same table; False makes a second one.
        embeddings_initializer: initial values of the tables.
        embeddings_regularizer: penalty on the table.
        embeddings_constraint: projection of the table after each update.
        mask_zero: integer 0 stands for "nothing here".
        reverse_dtype: dtype of the backward product, that of its operands if not given.
        logit_soft_cap: scores are squeezed into ``(-cap, cap)`` by ``tanh(scores / cap) * cap``.

    Input shape: any, of integers; backwards ``(..., output_dim)``.
    Output shape: input shape and ``output_dim``; backwards ``(..., input_dim)``.

    References: Keras ``layers.ReversibleEmbedding``.
    """

    pure = True
    unserialized = frozenset()

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
            mask_zero=mask_zero,
            **kwargs,
        )
        self.tie_weights = tie_weights
        self.reverse_dtype = reverse_dtype
        self.logit_soft_cap = logit_soft_cap

    def build(self, input_shape: Any = None) -> None:
        """Create the table, and the second one if the weights are not tied."""
        if self.built:
            return
        super().build(input_shape)
        if not self.tie_weights and not self._is_quantized:
            self.reverse_embeddings = self.add_weight(
                name="reverse_embeddings",
                shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer,
            )

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        """Rows of the table; backwards, scores of the rows."""
        if reverse and self._is_quantized:
            return self._capped(self.quantized_call(inputs, reverse=True))
        if not reverse:
            outputs = super().call(inputs)
            mask = super().compute_mask(inputs)
            if mask is not None:
                outputs._keras_mask = mask
            return outputs
        kernel = ops.transpose(self.embeddings) if self.tie_weights else self.reverse_embeddings
        # By hand, as this class leaves variables as they are.
        kernel = ops.cast(kernel, self.compute_dtype)
        if self.reverse_dtype is not None:
            inputs, kernel = ops.cast(inputs, self.reverse_dtype), ops.cast(kernel, self.reverse_dtype)
        return self._capped(ops.matmul(inputs, kernel))

    def _capped(self, logits: Any) -> Any:
        if self.logit_soft_cap is None:
            return logits
        return ops.tanh(logits / self.logit_soft_cap) * self.logit_soft_cap

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: ``call`` attaches the mask itself."""
        return None

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> tuple:
        """Input shape with ``output_dim`` behind it; backwards, with the last size replaced by ``input_dim``."""
        return (*tuple(input_shape)[:-1], self.input_dim) if reverse else (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs: Any, reverse: bool = False) -> Any:
        return KerasTensor(self.compute_output_shape(tuple(inputs.shape), reverse), self.compute_dtype)
