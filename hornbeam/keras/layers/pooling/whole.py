"""``GlobalMaxPooling1D`` to ``3D`` and ``GlobalAveragePooling1D`` to ``3D``."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.layers.convolution import shapes


class GlobalPooling(Layer):
    """What the six layers share; ``rank`` is their number of spatial axes."""

    pure = True
    rank: int

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._build_at_init()

    def _axes(self) -> tuple[int, ...]:
        first = 2 if self.data_format == "channels_first" else 1
        return tuple(range(first, first + self.rank))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Shape of the outputs."""
        channels = input_shape[shapes.channel_axis(self.data_format)]
        if self.keepdims:
            return shapes.with_space(input_shape, (1,) * self.rank, channels, self.data_format)
        return (input_shape[0], channels)


class GlobalMaxPooling(GlobalPooling):
    """What the three layers for the largest value share."""

    pure = True

    def call(self, inputs: Any) -> Any:
        """The largest value of each channel."""
        return ops.max(inputs, axis=self._axes(), keepdims=self.keepdims)


class GlobalAveragePooling(GlobalPooling):
    """What the layers for the mean share."""

    pure = True

    def call(self, inputs: Any) -> Any:
        """The mean of each channel."""
        return ops.mean(inputs, axis=self._axes(), keepdims=self.keepdims)


class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest value of each channel over all steps.

    Args:
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        keepdims: keep the axis of steps, with size 1.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)`` for "channels_first".
    Output shape: ``(batch, channels)``.

    References: Keras ``layers.GlobalMaxPooling1D``.
    """

    pure = True
    rank = 1


class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest value of each channel over all pixels.

    Args:
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        keepdims: keep the spatial axes, with size 1.

    Input shape: ``(batch, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: ``(batch, channels)``.

    References: Keras ``layers.GlobalMaxPooling2D``.
    """

    pure = True
    rank = 2


class GlobalMaxPooling3D(GlobalMaxPooling):
    """The largest value of each channel over all voxels.

    Args:
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        keepdims: keep the spatial axes, with size 1.

    Input shape: ``(batch, depth, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: ``(batch, channels)``.

    References: Keras ``layers.GlobalMaxPooling3D``.
    """

    pure = True
    rank = 3


class GlobalAveragePooling1D(GlobalPooling):
    """The mean of each channel over all steps, or over those that a mask lets through.

    Args:
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        keepdims: keep the axis of steps, with size 1.

    Call arguments:
        inputs: 3 axes.
        mask: bools ``(batch, steps)``; steps with False do not count. The mean of no steps is 0.

    Input shape: ``(batch, steps, channels)``, or ``(batch, channels, steps)`` for "channels_first".
    Output shape: ``(batch, channels)``.

    References: Keras ``layers.GlobalAveragePooling1D``.
    """

    pure = True
    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The mean of each channel over the steps that count."""
        (axis,) = self._axes()
        if mask is None:
            return ops.mean(inputs, axis=axis, keepdims=self.keepdims)
        mask = ops.cast(ops.expand_dims(mask, 3 - axis), "bool")
        total = ops.sum(ops.where(mask, inputs, ops.zeros_like(inputs)), axis=axis, keepdims=self.keepdims)
        count = ops.sum(ops.cast(mask, inputs.dtype), axis=axis, keepdims=self.keepdims)
        return total / ops.maximum(count, 1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: the steps are gone."""
        return None


class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean of each channel over all pixels.

    Args:
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        keepdims: keep the spatial axes, with size 1.

    Input shape: ``(batch, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: ``(batch, channels)``.

    References: Keras ``layers.GlobalAveragePooling2D``.
    """

    pure = True
    rank = 2


class GlobalAveragePooling3D(GlobalAveragePooling):
    """The mean of each channel over all voxels.

    Args:
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        keepdims: keep the spatial axes, with size 1.

    Input shape: ``(batch, depth, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: ``(batch, channels)``.

    References: Keras ``layers.GlobalAveragePooling3D``.
    """

    pure = True
    rank = 3
