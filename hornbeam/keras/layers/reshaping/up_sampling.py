"""``UpSampling2D``, ``UpSampling3D``: images and volumes enlarged by whole factors."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.base import check, settings
from hornbeam.keras.layers.base.elementwise import KeepsDtype
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.reshaping.arguments import int_tuple
from hornbeam.ops.pooling import enlarge

_METHODS = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic")


class UpSampling(KeepsDtype):
    """What the two layers share; ``size`` holds one factor per spatial axis."""

    pure = True
    size: Any
    data_format: str

    def _first(self) -> int:
        return 2 if self.data_format == "channels_first" else 1

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Input shape with larger spatial sizes."""
        sizes = list(input_shape)
        for axis, factor in enumerate(self.size, self._first()):
            sizes[axis] = None if sizes[axis] is None else sizes[axis] * factor
        return tuple(sizes)

    def _repeated(self, inputs: Any) -> Any:
        for axis, factor in enumerate(self.size, self._first()):
            inputs = ops.repeat(inputs, factor, axis=axis)
        return inputs


class UpSampling2D(UpSampling):
    """Enlarges images by whole factors, by repeating pixels or by interpolation.

    Args:
        size: factors for rows and columns, or one int for both.
        data_format: "channels_last" or "channels_first"; the global setting if not given.
        interpolation: "nearest" (repeats pixels), "bilinear", "bicubic", "lanczos3" or "lanczos5".

    Input shape: ``(batch, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with ``size`` times as many rows and columns.

    Raises:
        ValueError: an interpolation that is not known.

    References: Keras ``layers.UpSampling2D``.
    """

    pure = True

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.size = int_tuple(size, 2, "size", least=1)
        self.interpolation = check.one_of("interpolation", interpolation.lower(), _METHODS, owner=self)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        """The enlarged images."""
        if self.interpolation == "nearest":
            return self._repeated(inputs)
        return enlarge(inputs, factors=self.size, interpolation=self.interpolation, first=self._first())


class UpSampling3D(UpSampling):
    """Enlarges volumes by whole factors, by repeating voxels.

    Args:
        size: factors for depth, rows and columns, or one int for all.
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, depth, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with the spatial sizes ``size`` times as large.

    References: Keras ``layers.UpSampling3D``.
    """

    pure = True

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.size = int_tuple(size, 3, "size", least=1)
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Any) -> Any:
        """The enlarged volumes."""
        return self._repeated(inputs)
