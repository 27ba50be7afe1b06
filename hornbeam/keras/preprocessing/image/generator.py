"""``ImageDataGenerator``: pictures that are changed a little each time they are seen.

References: Keras ``preprocessing.image.ImageDataGenerator``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hornbeam.base import settings
from hornbeam.base.errors import explain
from hornbeam.keras.preprocessing.image.affine import FILL_MODES, matrix_of, parameters, warp
from hornbeam.keras.preprocessing.image.flows import Flows
from hornbeam.keras.preprocessing.image.pixels import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    flip_axis,
)
from hornbeam.keras.preprocessing.image.statistics import Statistics

__all__ = ["ImageDataGenerator"]

_FILL_MODES = (*FILL_MODES, "grid-wrap", "grid-mirror")


class ImageDataGenerator(Flows, Statistics):
    """Batches of pictures with random changes, made while they are asked for.

    Random numbers are NumPy's global ones, drawn in Keras's order: the same seed gives the same changes.

    Args:
        featurewise_center: take the data's mean away, channel by channel; needs `fit`.
        samplewise_center: take each picture's own mean away.
        featurewise_std_normalization: divide by the data's standard deviation; needs `fit`.
        samplewise_std_normalization: divide each picture by its own standard deviation.
        zca_whitening: make the pixels uncorrelated; needs `fit`.
        zca_epsilon: keeps whitening from dividing by nothing.
        rotation_range: largest turn, in degrees, either way.
        width_shift_range: largest shift sideways: below 1 a share of the width, else pixels; an int shifts by whole
            pixels, a list names the shifts.
        height_shift_range: largest shift up and down, likewise.
        brightness_range: (lowest, highest) factor for the brightness, or None.
        shear_range: largest shear angle, in degrees.
        zoom_range: (lowest, highest) share of either side that is seen, or z for (1 - z, 1 + z).
        channel_shift_range: largest number that is added to all channels.
        fill_mode: what is seen outside of a moved picture: ``"constant"`` (``cval``), ``"nearest"``, ``"reflect"``,
            ``"wrap"``.
        cval: value outside, for ``"constant"``.
        horizontal_flip: mirror left and right, every other time.
        vertical_flip: mirror up and down, every other time.
        rescale: factor for all values, after the changes; None or 0 for none.
        preprocessing_function: called with each changed picture (three axes); gives one of the same shape.
        data_format: ``"channels_last"`` or ``"channels_first"``; default: the global setting.
        validation_split: share of the samples kept for ``subset="validation"``, between 0 and 1.
        interpolation_order: 0 for the nearest pixel, 1 for linear, 2 to 5 for splines (SciPy).
        dtype: of the batches; default: the global float type.

    Raises:
        ValueError: an option out of its range.

    Example:
        >>> import numpy as np
        >>> generator = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True)
        >>> batches = generator.flow(np.full((4, 8, 8, 3), 255.0), batch_size=2)
        >>> next(batches).max()
        np.float32(1.0)

    References: Keras ``preprocessing.image.ImageDataGenerator``. Differences: ``width_shift_range`` moves pictures
    sideways and ``height_shift_range`` up and down, as they say (late versions of Keras have them swapped);
    ``fill_mode="wrap"`` repeats the picture whole.
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Sequence[float] | None = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[np.ndarray], Any] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = None,
    ) -> None:
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.zca_epsilon = zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.shear_range = shear_range
        self.zoom_range = _zoom_pair(zoom_range)
        self.channel_shift_range = channel_shift_range
        self.fill_mode = _one_of("fill_mode", fill_mode, _FILL_MODES)
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.dtype = dtype or settings.floatx()
        self.interpolation_order = interpolation_order
        data_format = data_format or settings.image_data_format()
        self.data_format = _one_of("data_format", data_format, ("channels_last", "channels_first"))
        first = 1 if data_format == "channels_first" else 0
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if first else (3, 1, 2)
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(f"`validation_split` lies between 0 and 1. Received: validation_split={validation_split}")
        self._validation_split = validation_split
        if brightness_range is not None and not (
            isinstance(brightness_range, (tuple, list)) and len(brightness_range) == 2
        ):
            raise ValueError(f"`brightness_range` is a pair (lowest, highest). Received: {brightness_range!r}")
        self.brightness_range = brightness_range
        self.mean = None
        self.std = None
        self.zca_whitening_matrix = None
        self._draws_inside = False
        self._switch_with_others()

    def _switch_with_others(self) -> None:
        """Options that need another one, or rule it out, set it, and say so."""
        if self.zca_whitening:
            self._switch("zca_whitening", "featurewise_center", True)
            self._switch("zca_whitening", "featurewise_std_normalization", False)
        if self.featurewise_std_normalization:
            self._switch("featurewise_std_normalization", "featurewise_center", True)
        if self.samplewise_std_normalization:
            self._switch("samplewise_std_normalization", "samplewise_center", True)

    def _switch(self, because: str, option: str, value: bool) -> None:
        if bool(getattr(self, option)) != value:
            setattr(self, option, value)
            warnings.warn(f"ImageDataGenerator: {because}=True sets {option}={value}.", stacklevel=5)

    def get_random_transform(self, img_shape: Sequence[int], seed: int | None = None) -> dict[str, Any]:
        """Draw the parameters of one random change.

        Args:
            img_shape: shape of the picture (three axes).
            seed: seeds NumPy's global generator first.

        Returns:
            ``theta`` (degrees), ``tx`` (height shift) and ``ty`` (width shift) in pixels, ``shear`` (degrees), ``zx``,
            ``zy``, ``flip_horizontal``, ``flip_vertical``, ``channel_shift_intensity`` and ``brightness`` (or None).
        """
        if seed is not None:
            np.random.seed(seed)
        theta = np.random.uniform(-self.rotation_range, self.rotation_range) if self.rotation_range else 0
        tx = _random_shift(self.height_shift_range, img_shape[self.row_axis - 1])
        ty = _random_shift(self.width_shift_range, img_shape[self.col_axis - 1])
        shear = np.random.uniform(-self.shear_range, self.shear_range) if self.shear_range else 0
        low, high = self.zoom_range
        zx, zy = (1, 1) if low == 1 and high == 1 else np.random.uniform(low, high, 2)
        flip_horizontal = (np.random.random() < 0.5) * self.horizontal_flip
        flip_vertical = (np.random.random() < 0.5) * self.vertical_flip
        intensity = None
        if self.channel_shift_range != 0:
            intensity = np.random.uniform(-self.channel_shift_range, self.channel_shift_range)
        brightness = None
        if self.brightness_range is not None:
            brightness = np.random.uniform(self.brightness_range[0], self.brightness_range[1])
        return {
            "theta": theta,
            "tx": tx,
            "ty": ty,
            "shear": shear,
            "zx": zx,
            "zy": zy,
            "flip_horizontal": flip_horizontal,
            "flip_vertical": flip_vertical,
            "channel_shift_intensity": intensity,
            "brightness": brightness,
        }

    def apply_transform(self, x: np.ndarray, transform_parameters: Mapping[str, Any]) -> np.ndarray:
        """Change one picture by given parameters.

        Args:
            x: picture of three axes.
            transform_parameters: as `get_random_transform` names them; those that are missing change nothing. As in
                Keras, ``tx`` moves along the columns and ``ty`` along the rows.

        Returns:
            A picture of the same shape.
        """
        theta, tx, ty, shear, zx, zy = parameters(transform_parameters)
        x = apply_affine_transform(
            x,
            theta,
            tx,
            ty,
            shear,
            zx,
            zy,
            row_axis=self.row_axis - 1,
            col_axis=self.col_axis - 1,
            channel_axis=self.channel_axis - 1,
            fill_mode=self.fill_mode,
            cval=self.cval,
            order=self.interpolation_order,
        )
        if transform_parameters.get("flip_horizontal", False):
            x = flip_axis(x, self.col_axis - 1)
        if transform_parameters.get("flip_vertical", False):
            x = flip_axis(x, self.row_axis - 1)
        return self._recoloured(x, transform_parameters)

    def _recoloured(self, x: np.ndarray, transform: Mapping[str, Any]) -> np.ndarray:
        if transform.get("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, transform["channel_shift_intensity"], self.channel_axis - 1)
        if transform.get("brightness") is not None:
            x = apply_brightness_shift(x, transform["brightness"], False, self.channel_axis - 1)
        return x

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """Change one picture at random; ``seed`` seeds NumPy's global generator first."""
        return self.apply_transform(x, _sideways(self.get_random_transform(x.shape, seed)))

    def _changed(self, pictures: np.ndarray) -> np.ndarray:
        """A batch of pictures, each changed at random and standardised.

        The pictures may be overwritten, unless there is a preprocessing function, which may need them twice.
        """
        kind = type(self)
        is_plain = kind.apply_transform is ImageDataGenerator.apply_transform and "apply_transform" not in vars(self)
        if not is_plain or self._draws_inside:
            return self._changed_singly(pictures)
        before = np.random.get_state() if self.preprocessing_function else None
        transforms = [_sideways(self.get_random_transform(picture.shape)) for picture in pictures]
        moved = self._moved(pictures if before is None else pictures.copy(), transforms)
        views = list(moved)
        if before is None:
            return _stacked([self.standardize(picture) for picture in views], views, moved)
        # All draws were made at once. A function that draws as well must find the generator between those of
        # its picture and the next; once one is seen to do so, pictures are changed one by one.
        after = np.random.get_state()
        first = self.standardize(moved[0].copy())
        if _is_same_state(after, np.random.get_state()):
            return _stacked([first, *(self.standardize(picture) for picture in views[1:])], views, moved)
        self._draws_inside = True
        np.random.set_state(before)
        return self._changed_singly(pictures)

    def _changed_singly(self, pictures: np.ndarray) -> np.ndarray:
        found = []
        for picture in pictures:
            transform = _sideways(self.get_random_transform(picture.shape))
            found.append(self.standardize(self.apply_transform(picture.copy(), transform)))
        return np.stack([np.asarray(picture, dtype=pictures.dtype) for picture in found])

    def _moved(self, pictures: np.ndarray, transforms: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """What `apply_transform` does, for a batch: one program moves all pictures."""
        is_last = self.data_format == "channels_last"
        moved = pictures if is_last else np.moveaxis(pictures, 1, -1)
        height, width = moved.shape[1:3]
        matrices = [matrix_of(parameters(transform), height, width) for transform in transforms]
        flips = [(bool(each["flip_vertical"]), bool(each["flip_horizontal"])) for each in transforms]
        if any(matrix is not None for matrix in matrices):
            moved = warp(moved, matrices, self.fill_mode, self.cval, self.interpolation_order, flips)
        else:
            for picture, (upside_down, mirrored) in zip(moved, flips, strict=True):
                if upside_down or mirrored:
                    picture[...] = picture[:: -1 if upside_down else 1, :: -1 if mirrored else 1].copy()
        moved = np.ascontiguousarray(moved if is_last else np.moveaxis(moved, -1, 1))
        for picture, transform in zip(moved, transforms, strict=True):
            if transform["channel_shift_intensity"] is not None or transform["brightness"] is not None:
                picture[...] = self._recoloured(picture, transform)
        return moved


def _zoom_pair(zoom_range: Any) -> list[float]:
    if isinstance(zoom_range, (float, int)):
        return [1 - zoom_range, 1 + zoom_range]
    if len(zoom_range) == 2 and all(isinstance(value, (float, int)) for value in zoom_range):
        return [zoom_range[0], zoom_range[1]]
    raise ValueError(f"`zoom_range` is a number, or a pair (lowest, highest). Received: zoom_range={zoom_range!r}")


def _one_of(name: str, value: Any, allowed: Sequence[str]) -> Any:
    if value not in allowed:
        raise ValueError(
            explain(f"Unknown `{name}`.", expected=f"one of {tuple(allowed)}", received=f"{name}={value!r}")
        )
    return value


def _random_shift(given: Any, size: int) -> Any:
    """A shift in pixels: one of a list, a whole number below an int, or any between plus and minus a float."""
    if not given:
        return 0
    if isinstance(given, float) or (np.ndim(given) == 0 and not float(given).is_integer()):
        shift = np.random.uniform(-given, given)
    else:
        try:
            shift = np.random.choice(given) * np.random.choice([-1, 1])
        except ValueError:  # a negative number, or an array of more axes
            shift = np.random.uniform(-given, given)
    return shift * size if np.max(given) < 1 else shift


def _sideways(transform: Mapping[str, Any]) -> dict[str, Any]:
    """A drawn transform for `apply_transform`, so that the width's shift moves along the width."""
    return {**transform, "tx": transform.get("ty", 0), "ty": transform.get("tx", 0)}


def _stacked(found: Sequence[Any], given: Sequence[np.ndarray], batch: np.ndarray) -> np.ndarray:
    """The pictures as one array: the batch itself, if each was changed in place."""
    if all(one is other for one, other in zip(found, given, strict=True)):
        return batch
    return np.stack([np.asarray(picture, dtype=batch.dtype) for picture in found])


def _is_same_state(one: Any, other: Any) -> bool:
    return one[2:] == other[2:] and np.array_equal(one[1], other[1])
