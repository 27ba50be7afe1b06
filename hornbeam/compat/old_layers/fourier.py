"""``RandomFourierFeatures``: a fixed random map whose inner products approximate a kernel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base import check
from hornbeam.keras import initializers
from hornbeam.keras.layers import InputSpec, Layer
from hornbeam.keras.saving.registration import register_keras_serializable

_KERNELS = ("gaussian", "laplacian")


@register_keras_serializable("hornbeam")
class RandomFourierFeatures(Layer):
    """``cos(x @ (kernel / scale) + bias)`` with a random kernel and a random phase.

    Args:
        output_dim: number of features.
        kernel_initializer: "gaussian", "laplacian" (named after the kernels that are approximated) or an initializer.
        scale: width of the kernel; by default sqrt(inputs / 2) for "gaussian", otherwise 1.
        trainable: whether the scale is trained.
        name: name.

    Input shape: (batch, features).
    Output shape: (batch, output_dim).

    References: Rahimi, Recht 2007. Keras 2 ``layers.experimental.RandomFourierFeatures``.
    """

    def __init__(
        self,
        output_dim: int,
        kernel_initializer: Any = "gaussian",
        scale: float | None = None,
        trainable: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable=trainable, name=name, **kwargs)
        self.output_dim = check.positive_int("output_dim", output_dim, owner=self)
        if isinstance(kernel_initializer, str):
            check.one_of("kernel_initializer", kernel_initializer.lower(), _KERNELS, owner=self)
        if scale is not None and scale <= 0:
            raise ValueError(f"RandomFourierFeatures: `scale` must be above 0. Received: scale={scale}")
        self.kernel_initializer = kernel_initializer
        self.scale = scale
        self.input_spec = InputSpec(ndim=2)

    def build(self, input_shape: Any) -> None:
        """Draw kernel and phases."""
        size = check.known_axis(input_shape, -1, owner=self)
        kind = self.kernel_initializer.lower() if isinstance(self.kernel_initializer, str) else ""
        start: Any = initializers.RandomNormal(stddev=1.0) if kind == "gaussian" else self.kernel_initializer
        if kind == "laplacian":
            start = _cauchy
        self.unscaled_kernel = self.add_weight(
            (size, self.output_dim), start, "float32", trainable=False, name="unscaled_kernel"
        )
        self.bias = self.add_weight(
            (self.output_dim,), initializers.RandomUniform(0.0, 2 * math.pi), "float32", trainable=False, name="bias"
        )
        if self.scale is None:
            self.scale = math.sqrt(size / 2.0) if kind == "gaussian" else 1.0
        self.kernel_scale = self.add_weight(
            (1,), initializers.Constant(self.scale), "float32", constraint="non_neg", name="kernel_scale"
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The features."""
        kernel = ops.divide(self.unscaled_kernel, self.kernel_scale)
        return ops.cos(ops.matmul(ops.cast(inputs, "float32"), kernel) + self.bias)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """(batch, output_dim)."""
        return (input_shape[0], self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal layer."""
        start = self.kernel_initializer
        return {
            "name": self.name,
            "trainable": self.trainable,
            "output_dim": self.output_dim,
            "kernel_initializer": start if isinstance(start, str) else initializers.serialize(start),
            "scale": self.scale,
        }


def _cauchy(shape: Any, dtype: Any = None) -> Any:
    """Draws from the standard Cauchy distribution."""
    return np.random.standard_cauchy(tuple(shape)).astype("float32")
