"""``Add`` and ``add``: the sum."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.layers.merging.merge import Merge
from hornbeam.ops.merging import fold


class Add(Merge):
    """Adds tensors, element by element.

    Input shape: list of tensors of one shape, or of shapes that broadcast.
    Output shape: the common shape.

    Raises:
        ValueError: shapes that do not fit.

    References: Keras ``layers.Add``.
    """

    pure = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def _merge_function(self, inputs: list[Any]) -> Any:
        return fold(inputs, how="add")


def add(inputs: Any, **kwargs: Any) -> Any:
    """Add tensors, element by element.

    Args:
        inputs: list of tensors.
        **kwargs: arguments of the layer.

    References: Keras ``layers.add``.
    """
    return Add(**kwargs)(inputs)
