"""``AdaptiveAveragePooling1D`` to ``3D`` and ``AdaptiveMaxPooling1D`` to ``3D``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.convolution import shapes


class AdaptivePooling(Layer):
    """What the six layers share; ``rank`` is their number of spatial axes."""

    pure = True
    rank: int

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(output_size, int):
            output_size = (output_size,) * self.rank
        elif not isinstance(output_size, (tuple, list)) or len(output_size) != self.rank:
            kind = ValueError if self.rank == 1 and isinstance(output_size, (tuple, list)) else TypeError
            raise kind(
                f"{type(self).__name__}: `output_size` takes an int, or one for each spatial axis ({self.rank}). "
                f"Received: {output_size!r} of type {type(output_size).__name__}"
            )
        self.output_size = tuple(output_size)
        self.data_format = settings.standardize_data_format(data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Input shape with ``output_size`` in place of the spatial sizes."""
        channels = input_shape[shapes.channel_axis(self.data_format)]
        return shapes.with_space(input_shape, self.output_size, channels, self.data_format)


class AdaptiveAveragePooling(AdaptivePooling):
    """What the three layers for the mean share."""

    pure = True

    def call(self, inputs: Any) -> Any:
        """The means of the windows."""
        return ops.adaptive_average_pool(inputs, output_size=self.output_size, data_format=self.data_format)


class AdaptiveMaxPooling(AdaptivePooling):
    """What the three layers for the largest value share."""

    pure = True

    def call(self, inputs: Any) -> Any:
        """The largest values of the windows."""
        return ops.adaptive_max_pool(inputs, output_size=self.output_size, data_format=self.data_format)


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """Means over as many windows as asked for, which cover a sequence evenly whatever its length.

    Args:
        output_size: number of windows.
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)`` for "channels_first".
    Output shape: the same with ``output_size`` steps.

    References: Keras ``layers.AdaptiveAveragePooling1D``.
    """

    pure = True
    rank = 1


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """Means over as many windows as asked for, which cover images evenly whatever their size.

    Args:
        output_size: rows and columns of the outputs, or one int for both.
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with ``output_size`` rows and columns.

    References: Keras ``layers.AdaptiveAveragePooling2D``.
    """

    pure = True
    rank = 2


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """Means over as many windows as asked for, which cover volumes evenly whatever their size.

    Args:
        output_size: depth, rows and columns of the outputs, or one int for all.
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, depth, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with the spatial sizes ``output_size``.

    References: Keras ``layers.AdaptiveAveragePooling3D``.
    """

    pure = True
    rank = 3


class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """Largest values of as many windows as asked for, which cover a sequence evenly whatever its length.

    Args:
        output_size: number of windows.
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)`` for "channels_first".
    Output shape: the same with ``output_size`` steps.

    References: Keras ``layers.AdaptiveMaxPooling1D``.
    """

    pure = True
    rank = 1


class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """Largest values of as many windows as asked for, which cover images evenly whatever their size.

    Args:
        output_size: rows and columns of the outputs, or one int for both.
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with ``output_size`` rows and columns.

    References: Keras ``layers.AdaptiveMaxPooling2D``.
    """

    pure = True
    rank = 2


class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """Largest values of as many windows as asked for, which cover volumes evenly whatever their size.

    Args:
        output_size: depth, rows and columns of the outputs, or one int for all.
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, depth, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with the spatial sizes ``output_size``.

    References: Keras ``layers.AdaptiveMaxPooling3D``.
    """

    pure = True
    rank = 3
