"""What all convolution layers share: arguments, their checks, bias and activation."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.keras import activations, constraints, initializers, regularizers
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.convolution import shapes
from hornbeam.keras.layers.reshaping.arguments import int_tuple


class WindowedLayer(Layer):
    """A layer with one or two kernels that move over ``rank`` spatial axes, a bias and an activation."""

    pure = True
    rank: int
    filters: Any
    depth_multiplier: Any
    bias: Any

    def _take_window(self, kernel_size: Any, strides: Any, padding: str, data_format: Any, dilation_rate: Any) -> None:
        rank = self.rank
        self.kernel_size = int_tuple(kernel_size, rank, "kernel_size", least=1)
        self.strides = int_tuple(strides, rank, "strides", least=1)
        self.dilation_rate = int_tuple(dilation_rate, rank, "dilation_rate", least=1)
        self.padding = padding
        self.data_format = settings.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=rank + 2)

    def _take_filters(self, filters: Any) -> None:
        if filters is not None and filters <= 0:
            raise ValueError(f"{type(self).__name__}: `filters` must be at least 1. Received: filters={filters}.")
        self.filters = filters

    def _take_multiplier(self, depth_multiplier: Any) -> None:
        if depth_multiplier is not None and depth_multiplier <= 0:
            raise ValueError(
                f"{type(self).__name__}: `depth_multiplier` must be at least 1. Received: "
                f"depth_multiplier={depth_multiplier}."
            )
        self.depth_multiplier = depth_multiplier

    def _no_stride_with_dilation(self) -> None:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{type(self).__name__}: only one of `strides` and `dilation_rate` may be above 1. Received: "
                f"strides={self.strides}, dilation_rate={self.dilation_rate}"
            )

    def _take_rest(self, activation: Any, use_bias: bool, **given: Any) -> None:
        """Keep activation and bias flag, and objects by the last part of their arguments' names."""
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        lookups = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}
        for name, value in given.items():
            setattr(self, name, lookups[name.rsplit("_", 1)[1]].get(value))

    def _begin_build(self, input_shape: Any) -> int:
        """Fix the number of channels and return it."""
        channels = shapes.channels_of(input_shape, self.data_format, self)
        axis = shapes.channel_axis(self.data_format)
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={axis: channels})
        self.compute_output_shape(input_shape)
        return channels

    def _weight(self, name: str, shape: tuple, prefix: str) -> Any:
        """A weight with the initializer, regularizer and constraint whose names begin with ``prefix``."""
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=getattr(self, f"{prefix}_initializer"),
            regularizer=getattr(self, f"{prefix}_regularizer"),
            constraint=getattr(self, f"{prefix}_constraint"),
        )

    def _add_bias(self, size: int) -> None:
        self.bias = self._weight("bias", (size,), "bias") if self.use_bias else None

    def _finish(self, outputs: Any) -> Any:
        """Outputs with the bias, activated."""
        if self.bias is not None:
            bias = self.bias
            if self.data_format == "channels_first":
                bias = ops.reshape(bias, (-1, *[1] * self.rank))
            outputs = ops.add(outputs, bias)
        return outputs if self.activation is None else self.activation(outputs)

    def _window_shape(self, input_shape: Any, channels: Any) -> tuple:
        """Output shape of a convolution that is not transposed."""
        sizes = shapes.window_sizes(
            input_shape, self.kernel_size, self.strides, self.padding, self.data_format, self.dilation_rate, self
        )
        return shapes.with_space(input_shape, sizes, channels, self.data_format)


def divisible(count: int, groups: int, what: str, note: str) -> None:
    """Raise unless a number of channels can be split into groups."""
    if count % groups:
        raise ValueError(f"The number of {what} must be a multiple of `groups`. Received: groups={groups}, {note}")
