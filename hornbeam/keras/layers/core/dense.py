"""``Dense``: the fully connected layer."""

from __future__ import annotations

from typing import Any

from hornbeam.base import check
from hornbeam.keras import activations, constraints, initializers, regularizers
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.base.low_rank import LowRank
from hornbeam.keras.layers.base.quantizable import checked_config
from hornbeam.keras.layers.base.variants import MadeByBuild
from hornbeam.keras.layers.core.quantized_kernels import QuantizableKernel
from hornbeam.ops.dense import dense as affine


class Dense(LowRank, QuantizableKernel, Layer):
    """Affine map of the last axis: ``activation(inputs @ kernel + bias)``.

    Args:
        units: size of the last output axis, at least 1.
        activation: function applied to the result; none by default.
        use_bias: whether to add a bias.
        kernel_initializer: initial values of the kernel.
        bias_initializer: initial values of the bias.
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the outputs.
        kernel_constraint: projection of the kernel after each update.
        bias_constraint: projection of the bias after each update.
        lora_rank: if given, the kernel is frozen and this many columns of low-rank factors are trained; see
            ``enable_lora``.
        lora_alpha: how much the factors count, times the rank; the rank by default.
        quantization_config: how the weights are quantised, where the dtype policy says that they are.

    Input shape: ``(batch, ..., features)``, floating; ``features`` must be known at build time.
    Output shape: ``(batch, ..., units)``, in the layer's compute dtype.

    Raises:
        ShapeError: at build, if the last axis is unknown; at call, if it has another size.

    References: Keras ``layers.Dense``.
    """

    kernel: Any = MadeByBuild("kernel")

    pure = True
    unserialized = frozenset({"lora_rank", "lora_alpha", "activity_regularizer"})

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._take_lora(lora_rank, lora_alpha)
        self.quantization_config = checked_config(self, quantization_config)
        self.units = check.positive_int("units", units, owner=self)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias."""
        features = check.known_axis(input_shape, -1, owner=self)
        self._make_kernel((features, self.units), self.kernel_initializer)
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})
        self.built = True
        self._begin_lora()

    def call(self, inputs: Any, training: Any = None) -> Any:
        """``activation(inputs @ kernel + bias)``."""
        if self._is_quantized:
            return self.quantized_call(inputs, training=training)
        outputs = affine(inputs, self.kernel, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Input shape with the last size replaced by ``units``."""
        return (*tuple(input_shape)[:-1], self.units)

    def _equation(self) -> str:
        return "...a,ab->...b"
