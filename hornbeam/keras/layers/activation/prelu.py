"""``PReLU``: a rectifier whose slope is learnt."""

from __future__ import annotations

from typing import Any

import jax

from hornbeam.core.door import op
from hornbeam.keras import constraints, initializers, regularizers
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.ops.promotion import promote


@op
def _prelu(inputs: jax.Array, alpha: jax.Array) -> jax.Array:
    # Two rectifiers instead of one choice: the gradient at 0 is then 0 for both sides, as in Keras.
    inputs, alpha = promote(inputs, alpha)
    return jax.nn.relu(inputs) - alpha * jax.nn.relu(-inputs)


class PReLU(Layer):
    """``x`` where ``x >= 0``, else ``alpha * x`` with a trained ``alpha``.

    Args:
        alpha_initializer: initial values of the slopes.
        alpha_regularizer: penalty on the slopes.
        alpha_constraint: projection of the slopes after each update.
        shared_axes: axes along which all elements have the same slope, counted with the batch axis.

    Input shape: ``(batch, ...)``; sizes of axes that are not shared must be known.
    Output shape: that of the inputs.

    References: He et al. 2015. Keras ``layers.PReLU``.
    """

    pure = True

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        if shared_axes is not None:
            shared_axes = list(shared_axes) if isinstance(shared_axes, (list, tuple)) else [shared_axes]
        self.shared_axes = shared_axes

    def build(self, input_shape: Any) -> None:
        """Create the slopes."""
        sizes = list(input_shape[1:])
        for axis in self.shared_axes or ():
            sizes[axis - 1] = 1
        self.alpha = self.add_weight(
            name="alpha",
            shape=sizes,
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        axes = {}
        if self.shared_axes:
            axes = {axis: input_shape[axis] for axis in range(1, len(input_shape)) if axis not in self.shared_axes}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """``relu(inputs) - alpha * relu(-inputs)``."""
        return _prelu(inputs, self.alpha)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input shape."""
        return input_shape
