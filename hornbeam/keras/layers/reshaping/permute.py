"""``Permute``: axes in another order."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.base.elementwise import KeepsDtype
from hornbeam.keras.layers.base.input_spec import InputSpec


class Permute(KeepsDtype):
    """Puts the axes behind the batch axis in another order.

    Args:
        dims: for each axis of the outputs, which axis of the inputs it is, counted from 1.

    Input shape: ``(batch, ...)``.
    Output shape: the same sizes in the new order.

    Raises:
        ValueError: ``dims`` is no permutation of 1, 2, ...

    References: Keras ``layers.Permute``.
    """

    pure = True

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"Permute: `dims` holds each number from 1 to {len(self.dims)} once, as axis 0 is the batch. "
                f"Received: dims={dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Sizes in the new order."""
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def call(self, inputs: Any) -> Any:
        """Inputs with their axes in the new order."""
        return ops.transpose(inputs, (0, *self.dims))
