"""``DepthwiseConv1D``, ``DepthwiseConv2D``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.convolution import shapes
from hornbeam.keras.layers.convolution.base import WindowedLayer


class DepthwiseConv(WindowedLayer):
    """What the two layers share; ``rank`` is their number of spatial axes."""

    pure = True

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._take_multiplier(depth_multiplier)
        self._take_window(kernel_size, strides, shapes.padding_name(padding), data_format, dilation_rate)
        self._take_rest(
            activation,
            use_bias,
            depthwise_initializer=depthwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias."""
        channels = self._begin_build(input_shape)
        self.kernel = self._weight("kernel", (*self.kernel_size, channels, self.depth_multiplier), "depthwise")
        self._add_bias(self.depth_multiplier * channels)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """``activation(depthwise convolution(inputs) + bias)``."""
        outputs = ops.depthwise_conv(
            inputs,
            self.kernel,
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
        channels = shapes.channels_of(input_shape, self.data_format, self)
        return self._window_shape(input_shape, self.depth_multiplier * channels)


class DepthwiseConv1D(DepthwiseConv):
    """Convolution of each channel of a sequence with kernels of its own; channels are not mixed.

    Args: as of ``DepthwiseConv2D``, with one spatial axis.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)`` for "channels_first".
    Output shape: the same with new steps and ``channels * depth_multiplier`` channels.

    References: Keras ``layers.DepthwiseConv1D``.
    """

    pure = True
    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """Convolution of each channel of images with kernels of its own; channels are not mixed.

    Args:
        kernel_size: height and width of the window, or one int for both, in pixels.
        strides: steps of the window in both directions.
        padding: "valid" or "same".
        depth_multiplier: number of kernels, and of output channels, per channel.
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        dilation_rate: distances between pixels in the window.
        activation: function applied to the result; none by default.
        use_bias: whether to add a bias per output channel.
        depthwise_initializer: initial values of the kernel.
        bias_initializer: initial values of the bias.
        depthwise_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the outputs.
        depthwise_constraint: projection of the kernel after each update.
        bias_constraint: projection of the bias after each update.

    Input shape: ``(batch, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with new sizes and ``channels * depth_multiplier`` channels.

    Raises:
        ShapeError: the window is larger than the images.

    References: Keras ``layers.DepthwiseConv2D``.
    """

    pure = True
    rank = 2
