"""``Conv1DTranspose``, ``Conv2DTranspose``, ``Conv3DTranspose``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.engine.conv_geometry import transposed_size
from hornbeam.keras.layers.convolution import shapes
from hornbeam.keras.layers.convolution.base import WindowedLayer
from hornbeam.keras.layers.reshaping.arguments import int_tuple


class ConvTranspose(WindowedLayer):
    """What the three layers share; ``rank`` is their number of spatial axes."""

    pure = True

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._take_filters(filters)
        self._take_window(kernel_size, strides, shapes.padding_name(padding), data_format, dilation_rate)
        self._take_rest(
            activation,
            use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = int_tuple(output_padding, self.rank, "output_padding")
            for axis, (extra, stride) in enumerate(zip(self.output_padding, self.strides, strict=True)):
                if extra >= stride:
                    raise ValueError(
                        f"`output_padding` must lie below `strides` on each axis; on axis {axis} it is {extra} beside "
                        f"{stride}. Received: output_padding={self.output_padding}, strides={self.strides}"
                    )
        self._no_stride_with_dilation()

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias."""
        channels = self._begin_build(input_shape)
        self.kernel = self._weight("kernel", (*self.kernel_size, self.filters, channels), "kernel")
        self._add_bias(self.filters)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """``activation(transposed convolution(inputs) + bias)``."""
        outputs = ops.conv_transpose(
            inputs,
            self.kernel,
            strides=self.strides,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )
        return self._finish(outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Shape of the outputs."""
        sizes = tuple(
            transposed_size(size, k, stride, spread, self.padding, extra)
            for size, k, stride, spread, extra in zip(
                shapes.spatial(input_shape, self.data_format),
                self.kernel_size,
                self.strides,
                self.dilation_rate,
                self.output_padding or (None,) * self.rank,
                strict=True,
            )
        )
        return shapes.with_space(input_shape, sizes, self.filters, self.data_format)


class Conv1DTranspose(ConvTranspose):
    """Transposed convolution over steps: makes sequences longer by ``strides``, with a learned kernel.

    Args: as of ``Conv2DTranspose``, with one spatial axis.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)`` for "channels_first".
    Output shape: the same with new steps and ``filters`` channels.

    References: Keras ``layers.Conv1DTranspose``.
    """

    pure = True
    rank = 1


class Conv2DTranspose(ConvTranspose):
    """Transposed convolution over pixels: makes images larger by ``strides``, with a learned kernel.

    It has the connections of a convolution from large images to small ones, used from small to large.

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window, or one int for both, in pixels.
        strides: outputs per input in both directions.
        padding: "valid" (all outputs that an input reaches) or "same" (``size * stride`` outputs).
        output_padding: further rows and columns, less than ``strides``, instead of those that ``padding`` implies.
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        dilation_rate: distances between pixels in the window; not together with ``strides`` > 1.
        activation: function applied to the result; none by default.
        use_bias: whether to add a bias per filter.
        kernel_initializer: initial values of the kernel.
        bias_initializer: initial values of the bias.
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the outputs.
        kernel_constraint: projection of the kernel after each update.
        bias_constraint: projection of the bias after each update.

    Input shape: ``(batch, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with new sizes and ``filters`` channels.

    References: Dumoulin and Visin 2016, section 4; Keras ``layers.Conv2DTranspose``.
    """

    pure = True
    rank = 2


class Conv3DTranspose(ConvTranspose):
    """Transposed convolution over voxels: makes volumes larger by ``strides``, with a learned kernel.

    Args: as of ``Conv2DTranspose``, with three spatial axes, and ``data_format`` before ``output_padding``.

    Input shape: ``(batch, depth, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with new sizes and ``filters`` channels.

    References: Keras ``layers.Conv3DTranspose``.
    """

    pure = True
    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            output_padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )
