"""``MaxPooling1D`` to ``3D`` and ``AveragePooling1D`` to ``3D``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.convolution import shapes
from hornbeam.keras.layers.reshaping.arguments import int_tuple


class Pooling(Layer):
    """What the six layers share; ``rank`` is their number of spatial axes."""

    pure = True
    rank: int

    def __init__(
        self,
        pool_size: Any = 2,  # Keras 3 wants it for means; Keras 1 and 2 do not
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = int_tuple(pool_size, self.rank, "pool_size", least=1)
        self.strides = int_tuple(pool_size if strides is None else strides, self.rank, "strides")
        self.padding = padding
        self.data_format = settings.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._build_at_init()

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Shape of the outputs.

        Raises:
            ShapeError: nothing would be left.
        """
        padding = shapes.padding_name(self.padding)
        sizes = shapes.window_sizes(input_shape, self.pool_size, self.strides, padding, self.data_format, owner=self)
        channels = input_shape[shapes.channel_axis(self.data_format)]
        return shapes.with_space(input_shape, sizes, channels, self.data_format)

    def _pooled(self, pool: Any, inputs: Any) -> Any:
        self.compute_output_shape(tuple(inputs.shape))
        return pool(
            inputs,
            pool_size=self.pool_size,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )


class MaxPooling(Pooling):
    """What the three layers for the largest value share."""

    pure = True

    def call(self, inputs: Any) -> Any:
        """The largest value of each window."""
        return self._pooled(ops.max_pool, inputs)


class AveragePooling(Pooling):
    """What the three layers for the mean share."""

    pure = True

    def call(self, inputs: Any) -> Any:
        """The mean of each window."""
        return self._pooled(ops.average_pool, inputs)


class MaxPooling1D(MaxPooling):
    """The largest value of each window of a sequence, channel by channel.

    Args:
        pool_size: length of the window, in steps.
        strides: step of the window; ``pool_size`` if not given.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)`` for "channels_first".
    Output shape: the same with fewer steps.

    Raises:
        ShapeError: the window is longer than the sequence.

    References: Keras ``layers.MaxPooling1D``.
    """

    pure = True
    rank = 1


class MaxPooling2D(MaxPooling):
    """The largest value of each window of images, channel by channel.

    Args:
        pool_size: height and width of the window, or one int for both, in pixels.
        strides: steps of the window; ``pool_size`` if not given.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with fewer rows and columns.

    Raises:
        ShapeError: the window is larger than the images.

    References: Keras ``layers.MaxPooling2D``.
    """

    pure = True
    rank = 2


class MaxPooling3D(MaxPooling):
    """The largest value of each window of volumes, channel by channel.

    Args: as of ``MaxPooling2D``, with three spatial axes.

    Input shape: ``(batch, depth, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with smaller spatial sizes.

    References: Keras ``layers.MaxPooling3D``.
    """

    pure = True
    rank = 3


class AveragePooling1D(AveragePooling):
    """The mean of each window of a sequence, channel by channel; padding does not count.

    Args:
        pool_size: length of the window, in steps.
        strides: step of the window; ``pool_size`` if not given.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)`` for "channels_first".
    Output shape: the same with fewer steps.

    References: Keras ``layers.AveragePooling1D``.
    """

    pure = True
    rank = 1


class AveragePooling2D(AveragePooling):
    """The mean of each window of images, channel by channel; padding does not count.

    Args:
        pool_size: height and width of the window, or one int for both, in pixels.
        strides: steps of the window; ``pool_size`` if not given.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with fewer rows and columns.

    Raises:
        ShapeError: the window is larger than the images.

    References: Keras ``layers.AveragePooling2D``.
    """

    pure = True
    rank = 2


class AveragePooling3D(AveragePooling):
    """The mean of each window of volumes, channel by channel; padding does not count.

    Args: as of ``AveragePooling2D``, with three spatial axes.

    Input shape: ``(batch, depth, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with smaller spatial sizes.

    References: Keras ``layers.AveragePooling3D``.
    """

    pure = True
    rank = 3
