"""``Reshape``: other axes for the same elements."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import ops
from hornbeam.base.errors import ShapeError
from hornbeam.keras.layers.base.elementwise import KeepsDtype


class Reshape(KeepsDtype):
    """Gives each sample another shape with the same number of elements.

    Args:
        target_shape: sizes without the batch axis; one of them may be -1, for what the others leave over.

    Input shape: ``(batch, ...)``.
    Output shape: ``(batch, *target_shape)``.

    Raises:
        ValueError: at construction, for a target shape that is none; at call, if the number of elements differs.

    References: Keras ``layers.Reshape``.
    """

    pure = True

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        target_shape = tuple(target_shape)
        for size in target_shape:
            if not isinstance(size, int) or size < -1:
                raise ValueError(
                    "The `target_shape` of a Reshape layer must hold sizes and at most one -1. Received: "
                    f"target_shape={target_shape}"
                )
        if target_shape.count(-1) > 1:
            raise ValueError(
                "Reshape: `target_shape` may hold -1 (the size that follows from the others) only once. Received: "
                f"target_shape={target_shape}."
            )
        self.target_shape = target_shape
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """``(batch, *target_shape)`` with the -1 worked out, if the inputs' sizes are known."""
        batch, *rest = tuple(input_shape)
        target = self.target_shape
        if None in rest:
            return (batch, *(None if size == -1 else size for size in target))
        count, known = math.prod(rest), math.prod(size for size in target if size != -1)
        fits = (known != 0 and count % known == 0) if -1 in target else count == known
        if not fits:
            raise ShapeError(
                f"Reshape: a sample of shape {tuple(rest)} has {count} elements, which do not fill "
                f"target_shape={target}"
            )
        return (batch, *(count // known if size == -1 else size for size in target))

    def call(self, inputs: Any) -> Any:
        """Inputs in the target shape."""
        return ops.reshape(inputs, self.compute_output_shape(tuple(inputs.shape)))
