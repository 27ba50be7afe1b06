"""``UnitNormalization``: vectors of length 1."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.base.elementwise import Elementwise, check_axes


class UnitNormalization(Elementwise):
    """Divides by the Euclidean norm over some axes.

    Args:
        axis: axis or axes of the vectors.

    Input shape: any.
    Output shape: that of the inputs.

    References: Keras ``layers.UnitNormalization``.
    """

    pure = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axis, (int, list, tuple)):
            raise TypeError(f"UnitNormalization: `axis` takes an int or several in a list. Received: axis={axis!r}")
        self.axis = axis if isinstance(axis, int) else list(axis)

    def call(self, inputs: Any) -> Any:
        """Vectors of length 1."""
        axis = self.axis if isinstance(self.axis, int) else tuple(self.axis)
        return ops.normalize(inputs, axis=axis, order=2, epsilon=1e-12)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape."""
        return check_axes(self.axis, input_shape)
