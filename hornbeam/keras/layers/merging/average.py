"""``Average`` and ``average``: the mean."""

from __future__ import annotations

from typing import Any

from hornbeam.base import dtypes
from hornbeam.keras.layers.merging.merge import Merge
from hornbeam.ops.merging import fold


class Average(Merge):
    """Mean of tensors, element by element.

    Input shape: list of tensors of one shape, or of shapes that broadcast.
    Output shape: the common shape.

    Raises:
        ValueError: shapes that do not fit.

    References: Keras ``layers.Average``.
    """

    pure = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def _merge_function(self, inputs: list[Any]) -> Any:
        return fold(inputs, how="average")

    def _output_dtype(self, dtype: Any) -> Any:
        # The mean of integers is a fraction.
        return dtypes.result_type(dtype, float)


def average(inputs: Any, **kwargs: Any) -> Any:
    """Mean of tensors, element by element.

    Args:
        inputs: list of tensors.
        **kwargs: arguments of the layer.

    References: Keras ``layers.average``.
    """
    return Average(**kwargs)(inputs)
