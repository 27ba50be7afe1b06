"""``Conv1D``, ``Conv2D``, ``Conv3D``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.keras.layers.base.layer import refuse_variants
from hornbeam.keras.layers.base.low_rank import LowRank
from hornbeam.keras.layers.base.variants import MadeByBuild
from hornbeam.keras.layers.convolution import shapes
from hornbeam.keras.layers.convolution.base import WindowedLayer, divisible


class Conv(LowRank, WindowedLayer):
    """What the three layers share; ``rank`` is their number of spatial axes."""

    kernel: Any = MadeByBuild("kernel")

    pure = True

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
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
        # Keras's signatures do not show these three.
        rank, alpha, quantized = (kwargs.pop(name, None) for name in ("lora_rank", "lora_alpha", "quantization_config"))
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        refuse_variants(self, quantization_config=quantized)
        self._take_lora(rank, alpha)
        padding = shapes.padding_name(padding, causal=self.rank == 1)
        self._take_filters(filters)
        self._take_window(kernel_size, strides, padding, data_format, dilation_rate)
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
        if groups <= 0:
            raise ValueError(f"{type(self).__name__}: `groups` must be at least 1. Received: groups={groups}.")
        self.groups = groups
        if filters is not None:
            divisible(filters, groups, "filters", f"filters={filters}.")
        self._no_stride_with_dilation()

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias."""
        channels = shapes.channels_of(input_shape, self.data_format, self)
        divisible(
            channels,
            self.groups,
            "input channels",
            f"and {channels} channels in an input of shape {tuple(input_shape)}.",
        )
        self._begin_build(input_shape)
        self.kernel = self._weight("kernel", (*self.kernel_size, channels // self.groups, self.filters), "kernel")
        self._add_bias(self.filters)
        self.built = True
        self._begin_lora()

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolution alone; subclasses may change the kernel on the way."""
        padding: Any = self.padding
        if padding == "causal":
            padding = (((self.kernel_size[0] - 1) * self.dilation_rate[0], 0),)
        return ops.conv(
            inputs,
            kernel,
            strides=self.strides,
            padding=padding,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
        )

    def call(self, inputs: Any) -> Any:
        """``activation(convolution(inputs) + bias)``."""
        return self._finish(self.convolution_op(inputs, self.kernel))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Shape of the outputs.

        Raises:
            ShapeError: nothing would be left.
        """
        return self._window_shape(input_shape, self.filters)


class Conv1D(Conv):
    """Convolution over the steps of a sequence: ``activation(convolution(inputs, kernel) + bias)``.

    Args:
        filters: number of output channels.
        kernel_size: length of the window, in steps.
        strides: step of the window.
        padding: "valid", "same", or "causal": an output sees no later step than its own.
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        dilation_rate: distance between steps in the window; not together with ``strides`` > 1.
        groups: split the channels into this many parts with filters of their own.
        activation: function applied to the result; none by default.
        use_bias: whether to add a bias per filter.
        kernel_initializer: initial values of the kernel.
        bias_initializer: initial values of the bias.
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the outputs.
        kernel_constraint: projection of the kernel after each update.
        bias_constraint: projection of the bias after each update.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)`` for "channels_first".
    Output shape: ``(batch, new steps, filters)``, or with the filters second.

    Raises:
        ShapeError: the window is longer than the sequence.

    References: Keras ``layers.Conv1D``.
    """

    pure = True
    rank = 1


class Conv2D(Conv):
    """Convolution over the pixels of images: ``activation(convolution(inputs, kernel) + bias)``.

    Args:
        filters: number of output channels.
        kernel_size: height and width of the window, or one int for both, in pixels.
        strides: steps of the window in both directions.
        padding: "valid" (no padding) or "same" (``ceil(size / stride)`` outputs; an odd zero goes to the end).
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        dilation_rate: distances between pixels in the window; not together with ``strides`` > 1.
        groups: split the channels into this many parts with filters of their own.
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
    Output shape: ``(batch, new rows, new columns, filters)``, or with the filters second.

    Raises:
        ShapeError: the window is larger than the images.

    References: Keras ``layers.Conv2D``.
    """

    pure = True
    rank = 2


class Conv3D(Conv):
    """Convolution over the voxels of volumes: ``activation(convolution(inputs, kernel) + bias)``.

    Args: as of ``Conv2D``, with three spatial axes.

    Input shape: ``(batch, depth, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with new sizes and ``filters`` channels.

    Raises:
        ShapeError: the window is larger than the volumes.

    References: Keras ``layers.Conv3D``.
    """

    pure = True
    rank = 3
