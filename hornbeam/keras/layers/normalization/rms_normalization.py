"""``RMSNormalization``: each sample divided by its root mean square."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.base.elementwise import check_axes
from hornbeam.keras.layers.base.layer import Layer


class RMSNormalization(Layer):
    """Divides each sample by its root mean square over some axes: ``x / sqrt(mean(x^2) + epsilon) * scale``.

    Args:
        axis: axis or axes over which to take the mean.
        epsilon: added to the mean square.

    Input shape: any; sizes of ``axis`` must be known.
    Output shape: that of the inputs.

    References: Zhang and Sennrich 2019, equation 4. Keras ``layers.RMSNormalization``.
    """

    pure = True

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        """Create ``scale``."""
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        check_axes(self.axis, tuple(input_shape))
        shape = tuple(input_shape[axis] for axis in self.axis)
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")
        self.built = True

    def call(self, x: Any) -> Any:
        """Inputs divided by their root mean square."""
        return ops.rms_normalization(x, scale=self.scale, axis=tuple(self.axis), epsilon=self.epsilon)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape."""
        return check_axes(self.axis, input_shape)
