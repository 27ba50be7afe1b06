"""``CategoryEncoding``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import from_host
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.preprocessing import encoding
from hornbeam.keras.layers.preprocessing.vocabularies import common_config
from hornbeam.ragged.tensor import RaggedTensor


class CategoryEncoding(Layer):
    """Category numbers as vectors, where the number of categories is known.

    Args:
        num_tokens: number of categories.
        output_mode: ``one_hot`` (a vector for each number), ``multi_hot`` (one for each row, 1 for every number in it)
            or ``count``.
        sparse: give sparse tensors (outside of models only).
        **kwargs: ``name``, ``dtype``.

    Call arguments:
        inputs: category numbers from 0 to ``num_tokens - 1``.
        count_weights: how much each number counts, in ``count`` mode.

    Input shape: (batch, numbers) or (batch,), integers.
    Output shape: (batch, num_tokens); with ``one_hot``, an axis more unless the last one has size 1.

    References: Keras ``layers.CategoryEncoding``.
    """

    pure = True

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        output_mode = encoding.checked_mode(output_mode, ("count", "one_hot", "multi_hot"), "CategoryEncoding")
        if num_tokens is None:
            raise ValueError(
                "CategoryEncoding: give `num_tokens`; if it is not known beforehand, IntegerLookup learns it from data."
            )
        if num_tokens < 1:
            raise ValueError(f"CategoryEncoding: `num_tokens` must be 1 or more. Received: num_tokens={num_tokens}")
        self.num_tokens, self.output_mode, self.sparse = num_tokens, output_mode, sparse
        # Compiled programs have no sparse results.
        self.pure = not sparse

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape with an axis for the categories."""
        shape = tuple(input_shape)
        if self.output_mode == "one_hot" and not (len(shape) > 1 and shape[-1] == 1):
            return (*shape, self.num_tokens)
        return (*shape[:-1], self.num_tokens)

    def compute_output_spec(self, inputs: Any, count_weights: Any = None) -> Any:
        """Symbolic output."""
        return KerasTensor(self.compute_output_shape(inputs.shape), self.variable_dtype, sparse=self.sparse)

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        """Vectors of category numbers."""
        if count_weights is not None:
            if self.output_mode != "count":
                raise ValueError(
                    f"CategoryEncoding '{self.name}': `count_weights` go with output_mode='count'. Received: "
                    f"output_mode={self.output_mode!r}"
                )
            count_weights = ops.cast(ops.convert_to_tensor(count_weights), self.compute_dtype)
        if isinstance(inputs, RaggedTensor):
            numbers, splits = inputs.flat_values.numpy(), inputs._splits
            found = encoding.encode_rows(numbers, self.output_mode, self.num_tokens, splits)
            return ops.cast(from_host(found), self.variable_dtype)
        inputs = ops.convert_to_tensor(inputs)
        if inputs.dtype.is_floating:
            inputs = ops.cast(inputs, "int32")
        out = encoding.encode(inputs, self.output_mode, self.num_tokens, self.variable_dtype, count_weights)
        return encoding.sparse_output(out, "CategoryEncoding") if self.sparse else out

    def get_config(self) -> dict[str, Any]:
        """Arguments."""
        config = {**common_config(self), "num_tokens": self.num_tokens, "output_mode": self.output_mode}
        return {**config, "sparse": True} if self.sparse else config
