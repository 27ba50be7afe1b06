"""``SpectralNormalization``: a layer whose kernel is kept at spectral norm 1."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import check, dtypes
from hornbeam.base.errors import explain
from hornbeam.core.frame import isolated
from hornbeam.core.scopes import scopes
from hornbeam.keras import initializers
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.wrappers.wrapper import Wrapper


class SpectralNormalization(Wrapper):
    """While training, divides the kernel of a layer by its largest singular value, before each call.

    The singular value comes from a few steps of power iteration, begun where the last call ended. Gradients go through
    the division. A call by itself stores the divided kernel; in a training step the optimizer updates the kernel that
    was divided, as on Keras's JAX backend.

    Args:
        layer: layer with a ``kernel`` (Dense, Conv2D ...) or ``embeddings``.
        power_iterations: steps of power iteration per call, at least 1.

    Input shape: that of the layer.
    Output shape: that of the layer; floating outputs have the dtype of floating inputs.

    Call arguments:
        inputs: tensor.
        training: True normalizes the kernel first.

    Raises:
        ValueError: ``power_iterations`` below 1, or at the first call a layer without kernel.

    References: Miyato et al. 2018, arXiv 1802.05957, algorithm 1. Keras ``layers.SpectralNormalization``.
    """

    pure = True

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(
                explain(
                    f"{check.owner_text(self)} cannot estimate a spectral norm without iterations.",
                    expected="power_iterations of at least 1",
                    received=f"power_iterations={power_iterations}",
                )
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Any = None) -> None:
        """Build the layer and create the vector that the iteration starts from."""
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        kernel = getattr(self.layer, "kernel", None)
        kernel = getattr(self.layer, "embeddings", None) if kernel is None else kernel
        if kernel is None:
            raise ValueError(
                explain(
                    f"{check.owner_text(self)} finds nothing to normalize.",
                    expected="a layer with the attribute `kernel` or `embeddings`",
                    received=f"{type(self.layer).__name__} {self.layer.name!r}",
                )
            )
        self.kernel: Any = kernel
        self.kernel_shape = tuple(self.kernel.shape)
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, self.kernel_shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            dtype=self.kernel.dtype,
        )
        self.built = True

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Outputs of the layer."""
        outputs = self._with_normalized_kernel(inputs) if training else self.layer(inputs)
        if dtypes.as_dtype(inputs.dtype).is_floating:
            return ops.cast(outputs, inputs.dtype)
        return outputs

    def _with_normalized_kernel(self, inputs: Any) -> Any:
        vector, kernel = self.normalized_weights()
        self.vector_u.assign(vector)
        frame = scopes.frame
        if frame is None:
            self.kernel.assign(kernel)
            return self.layer(inputs)
        # The gradient goes through the division, to the kernel as it was: an assigned value would cut it off.
        outputs, written = isolated(lambda: self.layer(inputs), {self.kernel: kernel._value})
        for variable, value in written.items():
            variable.assign(value)
        # A training step differentiates by the kernel and updates what it differentiated by.
        if self.kernel not in frame.values:
            self.kernel.assign(kernel)
        return outputs

    def normalized_weights(self) -> tuple[Any, Any]:
        """The next start vector and the kernel divided by its spectral norm; both unchanged for a kernel of zeros."""
        kernel, start = self.kernel.value, self.vector_u.value
        matrix = ops.reshape(kernel, (-1, self.kernel_shape[-1]))
        right, left = start, start
        for _ in range(self.power_iterations):
            left = ops.normalize(ops.matmul(right, ops.transpose(matrix)), axis=None)
            right = ops.normalize(ops.matmul(left, matrix), axis=None)
        left, right = ops.stop_gradient(left), ops.stop_gradient(right)
        norm = ops.squeeze(ops.matmul(ops.matmul(left, matrix), ops.transpose(right)))
        empty = ops.all(ops.equal(kernel, 0))
        kernel = kernel / ops.where(empty, ops.ones_like(norm), norm)
        return ops.where(empty, start, right), kernel

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Output shape of the layer."""
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "power_iterations": self.power_iterations}
