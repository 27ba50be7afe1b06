"""``ZeroPadding1D``, ``ZeroPadding2D``, ``ZeroPadding3D``: a border of zeros."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import settings
from hornbeam.keras.layers.base.elementwise import KeepsDtype
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.reshaping.arguments import int_tuple, pairs


class ZeroPadding(KeepsDtype):
    """What the three layers share; ``padding`` pairs are in the order of the spatial axes."""

    pure = True
    padding: Any
    data_format = "channels_last"

    def _pairs(self) -> Any:
        return self.padding

    def _widths(self) -> tuple:
        """(before, after) for every axis."""
        channels = ((0, 0),)
        if self.data_format == "channels_first":
            return ((0, 0), *channels, *self._pairs())
        return ((0, 0), *self._pairs(), *channels)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Input shape with larger spatial sizes."""
        return tuple(
            None if size is None else size + before + after
            for size, (before, after) in zip(input_shape, self._widths(), strict=True)
        )

    def call(self, inputs: Any) -> Any:
        """Inputs with zeros around them."""
        return ops.pad(inputs, self._widths())


class ZeroPadding1D(ZeroPadding):
    """Adds steps of zeros at both ends of a sequence.

    Args:
        padding: int, or (steps at the beginning, steps at the end).
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, steps, features)``, or ``(batch, features, steps)`` for "channels_first".
    Output shape: the same with more steps.

    References: Keras ``layers.ZeroPadding1D``.
    """

    pure = True

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.padding = int_tuple(padding, 2, "padding")
        self.input_spec = InputSpec(ndim=3)

    def _pairs(self) -> Any:
        return (self.padding,)


class ZeroPadding2D(ZeroPadding):
    """Adds rows and columns of zeros around images.

    Args:
        padding: int, or (rows, columns), or ((top, bottom), (left, right)), in pixels.
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for "channels_first".
    Output shape: the same with more rows and columns.

    References: Keras ``layers.ZeroPadding2D``.
    """

    pure = True

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.padding = pairs(padding, 2, "padding")
        self.input_spec = InputSpec(ndim=4)


class ZeroPadding3D(ZeroPadding):
    """Adds zeros around volumes.

    Args:
        padding: int, or one int per spatial axis, or one pair (before, after) per spatial axis, in voxels.
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, depth, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with larger spatial sizes.

    References: Keras ``layers.ZeroPadding3D``.
    """

    pure = True

    def __init__(self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.padding = pairs(padding, 3, "padding")
        self.input_spec = InputSpec(ndim=5)
