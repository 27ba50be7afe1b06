"""Changes of single pictures: geometry, channel shifts, brightness; given, or drawn at random.

The random ones draw from NumPy's global generator, so ``numpy.random.seed`` fixes them.

References: Keras ``preprocessing.image`` (its legacy functions).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.keras.preprocessing.image.affine import matrix_of, warp

__all__ = [
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
]


def flip_axis(x: np.ndarray, axis: int) -> np.ndarray:
    """The picture read backwards along an axis."""
    return np.flip(np.asarray(x), axis)


def apply_affine_transform(
    x: np.ndarray,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """Turn, shift, shear and zoom one picture, in the reverse of this order.

    Args:
        x: a picture of three axes.
        theta: turn in degrees.
        tx: shift along the columns in pixels; positive values bring the right side in.
        ty: shift along the rows in pixels; positive values bring the lower side in.
        shear: shear angle in degrees.
        zx: zoom along the columns: the share of the width that is seen.
        zy: zoom along the rows: the share of the height that is seen.
        row_axis: which axis counts rows.
        col_axis: which axis counts columns.
        channel_axis: which axis counts channels: the first or the last.
        fill_mode: what is seen outside: ``"constant"`` (``cval``), ``"nearest"`` (``aaaa|abcd|dddd``), ``"reflect"``
            (``dcba|abcd|dcba``), ``"wrap"`` (``abcd|abcd|abcd``).
        cval: the value outside for ``"constant"``.
        order: 0 for the nearest pixel, 1 for linear interpolation, 2 to 5 for splines (SciPy).

    Returns:
        A picture of the same shape and dtype.

    Raises:
        ValueError: axes that are not three different ones, channels in the middle, an unknown ``fill_mode``.

    References: Keras ``preprocessing.image.apply_affine_transform``. Its ``"wrap"`` repeats with the period
    ``width - 1``; this one repeats the picture whole.
    """
    x = np.asarray(x)
    if sorted((row_axis, col_axis, channel_axis)) != [0, 1, 2]:
        raise ValueError(
            "`row_axis`, `col_axis` and `channel_axis` must be 0, 1 and 2 in some order. "
            f"Received: {row_axis}, {col_axis}, {channel_axis}"
        )
    if x.ndim != 3:
        raise ValueError(f"A picture has three axes: rows, columns, channels. Received an array of shape {x.shape}")
    if channel_axis == 1:
        raise ValueError("Channels must be the first or the last axis of a picture. Received: channel_axis=1")
    matrix = matrix_of((theta, tx, ty, shear, zx, zy), x.shape[row_axis], x.shape[col_axis])
    if matrix is None:
        return x
    if row_axis > col_axis:
        matrix = matrix[[1, 0, 2]][:, [1, 0, 2]]
    pictures = np.moveaxis(x, channel_axis, -1)[None]
    return np.moveaxis(warp(pictures, [matrix], fill_mode, cval, order)[0], -1, channel_axis)


def apply_channel_shift(x: np.ndarray, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """Add a number to all channels, and clip to the range that the picture had.

    Args:
        x: a picture.
        intensity: what is added.
        channel_axis: which axis counts channels; the result is the same for any.

    References: Keras ``preprocessing.image.apply_channel_shift``.
    """
    del channel_axis  # one number and one range for all channels: their place plays no part
    x = np.asarray(x)
    return np.clip(x + intensity, x.min(), x.max())


def apply_brightness_shift(
    x: np.ndarray, brightness: float, scale: bool = True, channel_axis: int | None = None
) -> np.ndarray:
    """Make a picture lighter or darker, in 256 steps.

    Args:
        x: a picture with 1, 3 or 4 channels; the fourth is opacity and stays.
        brightness: factor; 0 gives black, 1 changes nothing.
        scale: stretch the values to 0 ... 255 first. If False, values outside of 0 ... 255 are brought into it, and
            back to their range afterwards.
        channel_axis: which axis counts channels; the last by default.

    Returns:
        float32 picture.

    References: Keras ``preprocessing.image.apply_brightness_shift``.
    """
    x = np.asarray(x, dtype="float32")
    low, high = x.min(), x.max()
    is_beyond = bool(low < 0 or high > 255)
    if is_beyond or scale:
        stretched = x - low
        if stretched.max() != 0:
            stretched = stretched / stretched.max()
        levels = (stretched * 255).astype("uint8")
    else:
        levels = x.astype("uint8")
    # One float32 product for each of the 256 levels, cut to whole ones.
    table = np.clip(np.float32(brightness) * np.arange(256, dtype="float32"), 0, 255).astype("uint8").astype("float32")
    changed = table[levels]
    axis = -1 if channel_axis is None else channel_axis
    if x.shape[axis] == 4:
        opacity = (slice(None),) * (axis % x.ndim) + (3,)
        changed[opacity] = levels[opacity]
    if is_beyond and not scale:
        changed = changed / 255 * (high - low) + low
    return changed


def random_rotation(
    x: np.ndarray,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Turn a picture by an angle between ``-rg`` and ``rg`` degrees.

    References: Keras ``preprocessing.image.random_rotation``.
    """
    theta = np.random.uniform(-rg, rg)
    return apply_affine_transform(
        x,
        theta=theta,
        row_axis=row_axis,
        col_axis=col_axis,
        channel_axis=channel_axis,
        fill_mode=fill_mode,
        cval=cval,
        order=interpolation_order,
    )


def random_shift(
    x: np.ndarray,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Shift a picture: ``tx`` within plus and minus ``hrg`` of the height, ``ty`` within ``wrg`` of the width.

    References: Keras ``preprocessing.image.random_shift``, whose ``tx`` moves along the columns.
    """
    height, width = x.shape[row_axis], x.shape[col_axis]
    tx = np.random.uniform(-hrg, hrg) * height
    ty = np.random.uniform(-wrg, wrg) * width
    return apply_affine_transform(
        x,
        tx=tx,
        ty=ty,
        row_axis=row_axis,
        col_axis=col_axis,
        channel_axis=channel_axis,
        fill_mode=fill_mode,
        cval=cval,
        order=interpolation_order,
    )


def random_shear(
    x: np.ndarray,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Shear a picture by an angle between ``-intensity`` and ``intensity`` degrees.

    References: Keras ``preprocessing.image.random_shear``.
    """
    shear = np.random.uniform(-intensity, intensity)
    return apply_affine_transform(
        x,
        shear=shear,
        row_axis=row_axis,
        col_axis=col_axis,
        channel_axis=channel_axis,
        fill_mode=fill_mode,
        cval=cval,
        order=interpolation_order,
    )


def random_zoom(
    x: np.ndarray,
    zoom_range: Sequence[float],
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Zoom a picture along either axis by a factor between the two of ``zoom_range``.

    References: Keras ``preprocessing.image.random_zoom``.
    """
    _check_pair("zoom_range", zoom_range)
    zx, zy = (1, 1) if zoom_range[0] == 1 and zoom_range[1] == 1 else np.random.uniform(zoom_range[0], zoom_range[1], 2)
    return apply_affine_transform(
        x,
        zx=zx,
        zy=zy,
        row_axis=row_axis,
        col_axis=col_axis,
        channel_axis=channel_axis,
        fill_mode=fill_mode,
        cval=cval,
        order=interpolation_order,
    )


def random_channel_shift(x: np.ndarray, intensity_range: float, channel_axis: int = 0) -> np.ndarray:
    """Add a number between ``-intensity_range`` and ``intensity_range`` to all channels.

    References: Keras ``preprocessing.image.random_channel_shift``.
    """
    intensity = np.random.uniform(-intensity_range, intensity_range)
    return apply_channel_shift(x, intensity, channel_axis=channel_axis)


def random_brightness(x: np.ndarray, brightness_range: Sequence[float], scale: bool = True) -> np.ndarray:
    """Make a picture lighter or darker by a factor between the two of ``brightness_range``.

    References: Keras ``preprocessing.image.random_brightness``.
    """
    _check_pair("brightness_range", brightness_range)
    return apply_brightness_shift(x, np.random.uniform(brightness_range[0], brightness_range[1]), scale)


def _check_pair(name: str, value: Any) -> None:
    if len(value) != 2:
        raise ValueError(f"`{name}` must be a pair of numbers, the lowest and the highest. Received: {value}")
