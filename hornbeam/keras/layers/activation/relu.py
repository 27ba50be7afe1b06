"""``ReLU`` and ``ThresholdedReLU``: rectifiers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.door import op
from hornbeam.keras.activations import relu
from hornbeam.keras.layers.base.elementwise import Elementwise
from hornbeam.ops.promotion import as_float, to_dtype


class ReLU(Elementwise):
    """Rectifier: ``max(x, 0)`` by default.

    Args:
        max_value: largest value of the outputs, at least 0; no limit by default.
        negative_slope: slope below the threshold, at least 0.
        threshold: values below it count as negative, at least 0.

    Input shape: any.
    Output shape: that of the inputs.

    References: Keras ``layers.ReLU``.
    """

    pure = True

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0.0:
            raise ValueError(f"ReLU: `max_value` is None or at least 0. Received: max_value={max_value}")
        for name, value in (("negative_slope", negative_slope), ("threshold", threshold)):
            if value is None or value < 0.0:
                raise ValueError(f"ReLU: `{name}` is a number of at least 0. Received: {name}={value}")
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold

    def call(self, inputs: Any) -> Any:
        """``relu(inputs, negative_slope, max_value, threshold)``."""
        return relu(inputs, negative_slope=self.negative_slope, max_value=self.max_value, threshold=self.threshold)


@op(static=("theta",))
def _thresholded(inputs: jax.Array, theta: float) -> jax.Array:
    inputs = as_float(inputs)
    return inputs * jnp.greater(inputs, to_dtype(theta, inputs.dtype)).astype(inputs.dtype)


class ThresholdedReLU(Elementwise):
    """``x`` where ``x > theta``, else 0.

    Args:
        theta: threshold, at least 0.

    Input shape: any.
    Output shape: that of the inputs.

    References: Keras ``layers.ThresholdedReLU``.
    """

    pure = True

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if theta is None or theta < 0:
            raise ValueError(f"ThresholdedReLU: `theta` is a number of at least 0. Received: theta={theta}")
        self.theta = float(theta)

    def call(self, inputs: Any) -> Any:
        """Inputs above the threshold, zeros elsewhere."""
        return _thresholded(inputs, self.theta)
