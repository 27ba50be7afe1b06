"""``UpSampling1D``: each step several times."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.base.elementwise import KeepsDtype
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.reshaping.repeat_vector import positive_count


class UpSampling1D(KeepsDtype):
    """Repeats each step of a sequence ``size`` times.

    Args:
        size: number of repetitions.

    Input shape: ``(batch, steps, features)``.
    Output shape: ``(batch, steps * size, features)``.

    References: Keras ``layers.UpSampling1D``.
    """

    pure = True

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = positive_count("size", size)
        self.input_spec = InputSpec(ndim=3)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Input shape with more steps."""
        batch, steps, features = input_shape
        return (batch, None if steps is None else steps * self.size, features)

    def call(self, inputs: Any) -> Any:
        """Each step ``size`` times."""
        return ops.repeat(inputs, self.size, axis=1)
