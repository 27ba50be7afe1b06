"""``Cropping1D``, ``Cropping2D``, ``Cropping3D``: cut off the borders."""

from __future__ import annotations

from typing import Any

from hornbeam.base import settings
from hornbeam.base.errors import ShapeError
from hornbeam.keras.layers.base.elementwise import KeepsDtype
from hornbeam.keras.layers.base.input_spec import InputSpec
from hornbeam.keras.layers.reshaping.arguments import int_tuple, pairs


class Cropping(KeepsDtype):
    """What the three layers share; ``cropping`` pairs are in the order of the spatial axes."""

    pure = True
    cropping: Any
    data_format = "channels_last"

    def _pairs(self) -> Any:
        return self.cropping

    def _first(self) -> int:
        return 2 if self.data_format == "channels_first" else 1

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Input shape with smaller spatial sizes.

        Raises:
            ShapeError: nothing would be left.
        """
        sizes = list(input_shape)
        for axis, (before, after) in enumerate(self._pairs(), self._first()):
            if sizes[axis] is None:
                continue
            sizes[axis] -= before + after
            if sizes[axis] <= 0:
                raise ShapeError(
                    f"{self._too_much} Received: input_shape={tuple(input_shape)}, cropping={self.cropping}"
                )
        return tuple(sizes)

    _too_much = "`cropping` leaves nothing of the input: both sides together have to be below the size of the axis."

    def call(self, inputs: Any) -> Any:
        """The inner part."""
        sizes = self.compute_output_shape(tuple(inputs.shape))
        index = [slice(None)] * len(sizes)
        for axis, (before, _) in enumerate(self._pairs(), self._first()):
            index[axis] = slice(before, before + sizes[axis])
        return inputs[tuple(index)]


class Cropping1D(Cropping):
    """Cuts off steps at both ends of a sequence.

    Args:
        cropping: int, or (steps at the beginning, steps at the end).

    Input shape: ``(batch, steps, features)``.
    Output shape: ``(batch, cropped steps, features)``.

    Raises:
        ShapeError: at call, if nothing would be left.

    References: Keras ``layers.Cropping1D``.
    """

    pure = True
    _too_much = "`cropping` leaves no step of the input: both ends together have to be below its length."

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = int_tuple(cropping, 2, "cropping")
        self.input_spec = InputSpec(ndim=3)

    def _pairs(self) -> Any:
        return (self.cropping,)


class Cropping2D(Cropping):
    """Cuts off rows and columns at the borders of images.

    Args:
        cropping: int, or (rows, columns), or ((top, bottom), (left, right)), in pixels.
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, rows, columns, channels)``, or ``(batch, channels, rows, columns)`` for "channels_first".
    Output shape: the same with fewer rows and columns.

    Raises:
        ShapeError: at call, if nothing would be left.

    References: Keras ``layers.Cropping2D``.
    """

    pure = True

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.cropping = pairs(cropping, 2, "cropping")
        self.input_spec = InputSpec(ndim=4)


class Cropping3D(Cropping):
    """Cuts off the borders of volumes.

    Args:
        cropping: int, or one int per spatial axis, or one pair (before, after) per spatial axis, in voxels.
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Input shape: ``(batch, depth, rows, columns, channels)``, or with the channels second for "channels_first".
    Output shape: the same with smaller spatial sizes.

    Raises:
        ShapeError: at call, if nothing would be left.

    References: Keras ``layers.Cropping3D``.
    """

    pure = True

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = settings.standardize_data_format(data_format)
        self.cropping = pairs(cropping, 3, "cropping")
        self.input_spec = InputSpec(ndim=5)
