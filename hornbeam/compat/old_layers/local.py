"""``LocallyConnected1D`` and ``LocallyConnected2D``: convolutions whose weights differ from place to place."""

from __future__ import annotations

from typing import Any

from hornbeam.base import settings
from hornbeam.base.errors import NotSupportedError
from hornbeam.compat.spellings.layers import conv
from hornbeam.keras import activations, backend, constraints, initializers, regularizers
from hornbeam.keras.backend import convolutions
from hornbeam.keras.layers import InputSpec, Layer
from hornbeam.keras.saving.registration import register_keras_serializable


class _LocallyConnected(Layer):
    """What both layers share; ``rank`` is their number of spatial axes."""

    rank = 1

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        kind = type(self).__name__
        if padding.lower() != "valid" or implementation != 1:
            raise NotSupportedError(
                f"{kind}: only padding='valid' with implementation=1 is offered. Received: padding={padding!r}, "
                f"implementation={implementation}. Put a `ZeroPadding{self.rank}D` layer before it."
            )
        self.filters = filters
        self.kernel_size = _sizes(kernel_size, self.rank)
        self.strides = _sizes(strides, self.rank)
        self.padding = "valid"
        self.data_format = settings.standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.implementation = 1
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _places(self, input_shape: Any) -> tuple[int, ...]:
        """Number of windows along each spatial axis."""
        sizes = input_shape[1:-1] if self.data_format == "channels_last" else input_shape[2:]
        if None in tuple(sizes):
            raise ValueError(
                f"{type(self).__name__} '{self.name}' has weights for each place, so the sizes of its input must be "
                f"known. Received: input shape {tuple(input_shape)}."
            )
        return tuple(
            (size - window) // stride + 1
            for size, window, stride in zip(sizes, self.kernel_size, self.strides, strict=True)
        )

    def build(self, input_shape: Any) -> None:
        """Create a kernel and a bias for each place."""
        places = self._places(input_shape)
        channels = input_shape[-1] if self.data_format == "channels_last" else input_shape[1]
        window = channels
        for size in self.kernel_size:
            window *= size
        count = 1
        for size in places:
            count *= size
        self.kernel = self.add_weight(
            (count, window, self.filters), self.kernel_initializer, None, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, name="kernel",
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (*places, self.filters), self.bias_initializer, None, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias",
            )  # fmt: skip
        axis = -1 if self.data_format == "channels_last" else 1
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """(batch, places ..., filters) in the layer's data format."""
        places = self._places(input_shape)
        if self.data_format == "channels_last":
            return (input_shape[0], *places, self.filters)
        return (input_shape[0], self.filters, *places)

    def call(self, inputs: Any) -> Any:
        """Each window times the kernel of its place."""
        places = self._places(inputs.shape)
        outputs = convolutions.local_conv(
            inputs, self.kernel, self.kernel_size, self.strides, places, data_format=self.data_format
        )
        if self.bias is not None:
            outputs = backend.bias_add(outputs, self.bias, data_format=self.data_format)
        return self.activation(outputs)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal layer."""
        config = {name: getattr(self, name) for name in _PLAIN}
        config["activation"] = activations.serialize(self.activation)
        for part in ("kernel", "bias"):
            config[f"{part}_initializer"] = initializers.serialize(getattr(self, f"{part}_initializer"))
            config[f"{part}_regularizer"] = regularizers.serialize(getattr(self, f"{part}_regularizer"))
            config[f"{part}_constraint"] = constraints.serialize(getattr(self, f"{part}_constraint"))
        return {"name": self.name, "trainable": self.trainable, **config}


_PLAIN = ("filters", "kernel_size", "strides", "padding", "data_format", "use_bias", "implementation")


def _sizes(value: Any, rank: int) -> tuple[int, ...]:
    return (int(value),) * rank if isinstance(value, int) else tuple(int(size) for size in value)


def _with_old_arguments(rank: int, name: str) -> Any:
    translate = conv(name, rank, always=True)

    def constructor(self: Any, *args: Any, **kwargs: Any) -> None:
        args, kwargs = translate(args, kwargs)
        _LocallyConnected.__init__(self, *args, **kwargs)

    return constructor


@register_keras_serializable("hornbeam")
class LocallyConnected1D(_LocallyConnected):
    """1D convolution with weights of its own at each place.

    Args:
        filters: number of outputs at each place.
        kernel_size: length of the window.
        strides: steps between windows.
        **kwargs: ``data_format``, ``activation``, ``use_bias``, and initializers, regularizers and constraints as those
            of ``Conv1D``.

    Input shape: (batch, steps, channels), steps known.
    Output shape: (batch, places, filters).

    References: Keras 2 ``layers.LocallyConnected1D``.
    """

    rank = 1
    __init__ = _with_old_arguments(1, "LocallyConnected1D")


@register_keras_serializable("hornbeam")
class LocallyConnected2D(_LocallyConnected):
    """2D convolution with weights of its own at each place.

    Args:
        filters: number of outputs at each place.
        kernel_size: height and width of the window.
        strides: steps between windows.
        **kwargs: ``data_format``, ``activation``, ``use_bias``, and initializers, regularizers and constraints as those
            of ``Conv2D``.

    Input shape: (batch, rows, columns, channels), sizes known.
    Output shape: (batch, rows, columns, filters).

    References: Keras 2 ``layers.LocallyConnected2D``.
    """

    rank = 2
    __init__ = _with_old_arguments(2, "LocallyConnected2D")
