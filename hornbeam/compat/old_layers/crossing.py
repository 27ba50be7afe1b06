"""``CategoryCrossing``: combinations of categories as texts."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np

from hornbeam.base.errors import NotSupportedError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import HostTensor
from hornbeam.keras.layers import Layer
from hornbeam.keras.saving.registration import register_keras_serializable
from hornbeam.ragged.crossing import crossed
from hornbeam.ragged.joining import concatenated
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.sparse.tensor import SparseTensor


@register_keras_serializable("hornbeam")
class CategoryCrossing(Layer):
    """Every combination of one value from each input, as texts such as ``b"red_X_3"``.

    Args:
        depth: how many inputs are combined: all by default; an integer for 1 up to that many; or a tuple of numbers.
        name: name.
        separator: text between the values.

    Input shape: two or more matrices (batch, values) or ragged tensors, of texts or integers.
    Output shape: (batch, combinations), of texts; ragged if an input is.

    References: Keras 2 ``layers.experimental.preprocessing.CategoryCrossing``.
    """

    def __init__(self, depth: Any = None, name: str | None = None, separator: str = "_X_", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.depth, self.separator = depth, separator

    def _depths(self, count: int) -> tuple[int, ...]:
        if isinstance(self.depth, (list, tuple)):
            wanted = tuple(self.depth)
        else:
            wanted = tuple(range(1, self.depth + 1)) if self.depth else (count,)
        if max(wanted) > count:
            raise ValueError(
                f"CategoryCrossing '{self.name}': depth={self.depth} asks for more than the {count} inputs given."
            )
        return wanted

    def call(self, inputs: Any) -> Any:
        """Texts of all combinations."""
        given = list(inputs)
        if any(isinstance(item, SparseTensor) for item in given):
            raise NotSupportedError(
                f"CategoryCrossing '{self.name}' takes dense and ragged tensors; use `tf.sparse.to_dense` first."
            )
        parts = [
            crossed(chosen, self.separator)
            for depth in self._depths(len(given))
            for chosen in combinations([_as_matrix(item) for item in given], depth)
        ]
        joined = parts[0] if len(parts) == 1 else concatenated(parts, 1)
        if any(isinstance(item, RaggedTensor) for item in given):
            return joined
        dense = np.array(joined.to_list(), object)
        return HostTensor(dense.reshape(len(joined), -1))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Rows, and as many columns as there are combinations where all inputs say how many values they hold."""
        sizes = [shape[1] if len(shape) > 1 else 1 for shape in input_shape]
        if None in sizes:
            return (input_shape[0][0], None)
        depths = self._depths(len(sizes))
        return (input_shape[0][0], sum(math.prod(some) for depth in depths for some in combinations(sizes, depth)))

    def compute_output_spec(self, inputs: Any) -> Any:
        """Symbolic texts."""
        return KerasTensor(self.compute_output_shape([tensor.shape for tensor in inputs]), "string")

    def get_config(self) -> dict[str, Any]:
        """Arguments."""
        return {**super().get_config(), "depth": self.depth, "separator": self.separator}


def _as_matrix(item: Any) -> Any:
    """A vector as a column."""
    if isinstance(item, RaggedTensor):
        return item
    array = item if hasattr(item, "shape") else np.array(item)
    return array[:, None] if len(array.shape) == 1 else array
