"""``SeparableConv1D``, ``SeparableConv2D``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.convolution import shapes
from hornbeam.keras.layers.convolution.base import WindowedLayer


class SeparableConv(WindowedLayer):
    """What the two layers share; ``rank`` is their number of spatial axes."""

    pure = True

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._take_multiplier(depth_multiplier)
        self._take_filters(filters)
        self._take_window(kernel_size, strides, shapes.padding_name(padding), data_format, dilation_rate)
        self._take_rest(
            activation,
            use_bias,
            depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: Any) -> None:
        """Create both kernels and the bias."""
        channels = self._begin_build(input_shape)
        middle = self.depth_multiplier * channels
        window = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self._weight("depthwise_kernel", window, "depthwise")
        point = (*[1] * self.rank, middle, self.filters)
        self.pointwise_kernel = self._weight("pointwise_kernel", point, "pointwise")
        self._add_bias(self.filters)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """``activation(mixed(depthwise convolution(inputs)) + bias)``."""
        outputs = ops.separable_conv(
            inputs,
            self.depthwise_kernel,
            self.pointwise_kernel,
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )
        return self._finish(outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Shape of the outputs.

        Raises:
            ShapeError: nothing would be left.
        """
        return self._window_shape(input_shape, self.filters)


class SeparableConv1D(SeparableConv):
    """A depthwise convolution over steps, whose channels are then mixed step by step.

    Args: as of ``SeparableConv2D``, with one spatial axis.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)`` for "channels_first".
    Output shape: the same with new steps and ``filters`` channels.

    References: Keras ``layers.SeparableConv1D``.
    """

    pure = True
    rank = 1


class SeparableConv2D(SeparableConv):
    """A depthwise convolution over pixels, whose channels are then mixed pixel by pixel.

    It has far fewer weights and operations than a full convolution with the same window.

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window, or one int for both, in pixels.
        strides: steps of the window in both directions.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        dilation_rate: distances between pixels in the window.
        depth_multiplier: number of depthwise kernels per channel.
        activation: function applied to the result; none by default.
        use_bias: whether to add a bias per filter.
        depthwise_initializer: initial values of the depthwise kernel.
        pointwise_initializer: initial values of the pointwise kernel.
        bias_initializer: initial values of the bias.
        depthwise_regularizer: penalty on the depthwise kernel.
        pointwise_regularizer: penalty on the pointwise kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the outputs.
        depthwise_constraint: projection of the depthwise kernel after each update.
        pointwise_constraint: projection of the pointwise kernel after each update.
        bias_constraint: projection of the bias after each update.

    Input shape: ``(batch, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with new sizes and ``filters`` channels.

    Raises:
        ShapeError: the window is larger than the images.

    References: Chollet 2017 (Xception); Keras ``layers.SeparableConv2D``.
    """

    pure = True
    rank = 2
