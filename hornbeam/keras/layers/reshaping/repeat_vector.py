"""``RepeatVector``: a vector becomes a sequence."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.base.elementwise import KeepsDtype
from hornbeam.keras.layers.base.input_spec import InputSpec


def positive_count(name: str, value: Any) -> int:
    """``value``, if it is an int above 0.

    Raises:
        TypeError: it is no int.
        ValueError: it is not positive.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"Expected an integer value for `{name}`, got {type(value)}.")
    if value <= 0:
        raise ValueError(f"Argument `{name}` should be a positive integer. Received: {name}={value}")
    return value


class RepeatVector(KeepsDtype):
    """Repeats each vector ``n`` times.

    Args:
        n: number of repetitions.

    Input shape: ``(batch, features)``.
    Output shape: ``(batch, n, features)``.

    References: Keras ``layers.RepeatVector``.
    """

    pure = True

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = positive_count("n", n)
        self.input_spec = InputSpec(ndim=2)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """``(batch, n, features)``."""
        return (input_shape[0], self.n, input_shape[1])

    def call(self, inputs: Any) -> Any:
        """Each vector ``n`` times."""
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)
