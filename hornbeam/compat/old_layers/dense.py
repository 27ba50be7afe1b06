"""``MaxoutDense`` and ``Highway``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import check
from hornbeam.compat.spellings.table import spell
from hornbeam.keras import activations, constraints, initializers, regularizers
from hornbeam.keras.layers import Layer
from hornbeam.keras.saving.registration import register_keras_serializable

_OLD = {
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "bias": "use_bias",
    "output_dim": "units",
}
_maxout = spell("MaxoutDense", _OLD)
_highway = spell("Highway", _OLD)


class _Affine(Layer):
    """What both layers share: initializers, regularizers and constraints of kernel and bias."""

    def __init__(
        self,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def _kernel(self, name: str, shape: tuple) -> Any:
        return self.add_weight(
            shape, self.kernel_initializer, None, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, name=name,
        )  # fmt: skip

    def _bias(self, name: str, shape: tuple, initializer: Any = "zeros") -> Any:
        return self.add_weight(
            shape, initializer, None, regularizer=self.bias_regularizer, constraint=self.bias_constraint, name=name
        )

    def _shared_config(self) -> dict[str, Any]:
        return {
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


@register_keras_serializable("hornbeam")
class MaxoutDense(_Affine):
    """The largest of ``nb_feature`` affine maps, element by element.

    Args:
        units: size of the outputs (``output_dim`` of old).
        nb_feature: number of affine maps.
        **kwargs: ``init``, ``W_regularizer``, ``b_regularizer``, ``W_constraint``, ``b_constraint``, ``bias`` or their
            names of today.

    Input shape: (batch, features).
    Output shape: (batch, units).

    References: Goodfellow et al. 2013, "Maxout networks". Keras 1 ``layers.MaxoutDense``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        args, kwargs = _maxout(args, kwargs)
        named = dict(zip(("units", "nb_feature"), args, strict=False)) | kwargs
        units, features = named.pop("units"), named.pop("nb_feature", 4)
        super().__init__(**named)
        self.units = check.positive_int("units", units, owner=self)
        self.nb_feature = check.positive_int("nb_feature", features, owner=self)

    def build(self, input_shape: Any) -> None:
        """Create the kernels and biases."""
        size = check.known_axis(input_shape, -1, owner=self)
        self.kernel = self._kernel("kernel", (self.nb_feature, size, self.units))
        self.bias = self._bias("bias", (self.nb_feature, self.units)) if self.use_bias else None
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The largest affine map of each output."""
        outputs = ops.einsum("bi,fio->bfo", inputs, self.kernel)
        if self.bias is not None:
            outputs = outputs + self.bias
        return ops.max(outputs, axis=1)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal layer."""
        return {"name": self.name, "units": self.units, "nb_feature": self.nb_feature, **self._shared_config()}


@register_keras_serializable("hornbeam")
class Highway(_Affine):
    """``t * activation(x @ kernel + bias) + (1 - t) * x`` with a gate ``t = sigmoid(x @ carry kernel + carry bias)``.

    Args:
        transform_bias: number at which the gate's bias starts.
        activation: name or function.
        **kwargs: ``init``, ``W_regularizer``, ``b_regularizer``, ``W_constraint``, ``b_constraint``, ``bias`` or their
            names of today.

    Input shape: (batch, features).
    Output shape: that of the inputs.

    References: Srivastava et al. 2015, "Highway networks". Keras 1 ``layers.Highway``.
    """

    def __init__(self, *, transform_bias: float = -2, activation: Any = None, **kwargs: Any) -> None:
        _, kwargs = _highway((), kwargs)
        super().__init__(**kwargs)
        self.transform_bias = transform_bias
        self.activation = activations.get(activation)

    def build(self, input_shape: Any) -> None:
        """Create the kernels and biases of the transformation and of the gate."""
        size = check.known_axis(input_shape, -1, owner=self)
        self.kernel = self._kernel("kernel", (size, size))
        self.kernel_carry = self._kernel("kernel_carry", (size, size))
        self.bias = self.bias_carry = None
        if self.use_bias:
            self.bias = self._bias("bias", (size,))
            self.bias_carry = self._bias("bias_carry", (size,), initializers.Constant(self.transform_bias))
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The mixture of the transformed and the unchanged inputs."""
        gate, changed = ops.matmul(inputs, self.kernel_carry), ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            gate, changed = gate + self.bias_carry, changed + self.bias
        gate = ops.sigmoid(gate)
        return gate * self.activation(changed) + (1 - gate) * inputs

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal layer."""
        return {
            "name": self.name,
            "transform_bias": self.transform_bias,
            "activation": activations.serialize(self.activation),
            **self._shared_config(),
        }
