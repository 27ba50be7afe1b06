"""Turning, shifting, shearing and zooming pictures: many at once, by one program.

A transform is a matrix that tells for each pixel of the result where in the picture its value is read. Between pixels
the value is interpolated; outside of the picture a fill rule applies. Coordinates are computed in double precision,
because a rounding error at the border decides between a pixel and the fill value.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.engine.jax_compat import wide_types

FILL_MODES = ("nearest", "constant", "reflect", "wrap", "mirror")
"""Rules for what lies outside: see `fold`."""

_SMALL = 40_000
"""Values up to which NumPy is quicker than a compiled program, its compilation counted."""


def matrix_of(changes: tuple[float, ...], height: int, width: int) -> np.ndarray | None:
    """Where pixel (row, column, 1) of the result is read, as a 3x3 matrix; None if nothing moves.

    Args:
        changes: of `parameters`: turn (degrees), shift along the columns and along the rows (pixels), shear angle
            (degrees), zoom along the columns and along the rows (below 1 enlarges).
        height: rows of the picture.
        width: columns of the picture.
    """
    theta, tx, ty, shear, zx, zy = changes
    parts = []
    if theta != 0:
        angle = np.deg2rad(theta)
        parts.append([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    if tx != 0 or ty != 0:
        parts.append([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    if shear != 0:
        angle = np.deg2rad(shear)
        parts.append([[1, -np.sin(angle), 0], [0, np.cos(angle), 0], [0, 0, 1]])
    if zx != 1 or zy != 1:
        parts.append([[zx, 0, 0], [0, zy, 0], [0, 0, 1]])
    if not parts:
        return None
    matrix = functools.reduce(np.dot, [np.array(part, dtype="float64") for part in parts])
    # As in Keras, the point that stays is (height, width) / 2 in the order x, y: beside the centre if they differ.
    x, y = float(height) / 2 - 0.5, float(width) / 2 - 0.5
    to_centre = np.array([[1, 0, x], [0, 1, y], [0, 0, 1]])
    from_centre = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]])
    matrix = np.dot(np.dot(to_centre, matrix), from_centre)
    order = [1, 0, 2]
    return matrix[order][:, order]


def parameters(transform: Mapping[str, Any]) -> tuple[float, ...]:
    """Turn, shifts, shear and zooms of a transform, with the values that change nothing where it names none."""
    defaults = {"theta": 0, "tx": 0, "ty": 0, "shear": 0, "zx": 1, "zy": 1}
    return tuple(transform.get(name, default) for name, default in defaults.items())


def warp(
    images: np.ndarray,
    matrices: Sequence[np.ndarray | None],
    fill_mode: str,
    cval: float,
    order: int,
    flips: Sequence[tuple[bool, bool]] | None = None,
) -> np.ndarray:
    """Each picture read through its matrix, then mirrored if its entry of ``flips`` says so.

    Args:
        images: (pictures, height, width, channels).
        matrices: one for each picture, of `matrix_of`; None leaves a picture as it is.
        fill_mode: one of `FILL_MODES`.
        cval: the value outside, for ``"constant"``.
        order: 0 for the nearest pixel, 1 for linear interpolation; 2 to 5 for splines, by SciPy.
        flips: for each picture, whether to mirror it up and down, and left and right.

    Returns:
        New pictures of the same shape and dtype.
    """
    mode = {"grid-wrap": "wrap", "grid-mirror": "reflect"}.get(fill_mode, fill_mode)
    if mode not in FILL_MODES:
        raise ValueError(
            explain("Unknown `fill_mode`.", expected=f"one of {FILL_MODES}", received=f"fill_mode={fill_mode!r}")
        )
    if order not in (0, 1):
        return _spline(images, matrices, mode, cval, order, flips)
    dtype = images.dtype
    work = (
        images if dtype in (np.float32, np.float64) else images.astype("float32" if dtype == "float16" else "float64")
    )
    axes = _axes(matrices, images.shape[1], images.shape[2])
    for number, (upside_down, mirrored) in enumerate(flips or ()):
        # Mirroring the result is reading the coordinates backwards.
        for axis, is_wanted in zip(axes, (upside_down, mirrored, upside_down, mirrored), strict=True):
            if is_wanted:
                axis[number] = axis[number, ::-1].copy()
    if images.size <= _SMALL:
        found = _read(np, work, axes, work.dtype.type(cval), mode, order)
    else:
        found = _compiled_read(work, axes, cval, mode, order)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        found = np.clip(np.trunc(found + np.copysign(0.5, found)), limits.min, limits.max)
    return found.astype(dtype, copy=False)


def _axes(matrices: Sequence[np.ndarray | None], height: int, width: int) -> Any:
    """The coordinates as sums: row = a[i] + b[j], column = c[i] + d[j]; added in this order they round as SciPy's."""
    table = np.stack([np.eye(3) if matrix is None else matrix for matrix in matrices])
    i, j = np.arange(height, dtype="float64"), np.arange(width, dtype="float64")
    row_by_i = table[:, 0, 2, None] + table[:, 0, 0, None] * i
    row_by_j = table[:, 0, 1, None] * j
    column_by_i = table[:, 1, 2, None] + table[:, 1, 0, None] * i
    column_by_j = table[:, 1, 1, None] * j
    return row_by_i, row_by_j, column_by_i, column_by_j


def fold(xp: Any, index: Any, size: int, mode: str) -> Any:
    """Indices outside of 0 ... size - 1, brought inside by a fill rule."""
    if mode == "wrap":
        return index % size
    if mode == "reflect":
        index = index % (2 * size)
        return xp.minimum(index, 2 * size - 1 - index)
    if mode == "mirror":
        period = max(2 * size - 2, 1)
        index = index % period
        return xp.minimum(index, period - index) if size > 1 else index * 0
    return xp.clip(index, 0, size - 1)


def _read(xp: Any, images: Any, axes: Any, cval: Any, mode: str, order: int) -> Any:
    """Read values at the coordinates; ``xp`` is NumPy, or JAX's NumPy when traced."""
    row_by_i, row_by_j, column_by_i, column_by_j = axes
    count, height, width, channels = images.shape
    rows = row_by_i[:, :, None] + row_by_j[:, None, :]
    columns = column_by_i[:, :, None] + column_by_j[:, None, :]
    outside = (rows < 0) | (rows > height - 1) | (columns < 0) | (columns > width - 1) if mode == "constant" else None
    if mode in ("nearest", "constant"):
        rows, columns = xp.clip(rows, 0, height - 1), xp.clip(columns, 0, width - 1)
    half = 0.5 if order == 0 else 0.0
    row, column = xp.floor(rows + half), xp.floor(columns + half)
    row_share, column_share = rows - row, columns - column
    row, column = row.astype("int32"), column.astype("int32")
    flat = images.reshape(-1, channels)
    first = (xp.arange(count, dtype="int32") * (height * width))[:, None, None]

    def value(row: Any, column: Any) -> Any:
        place = first + fold(xp, row, height, mode) * width + fold(xp, column, width, mode)
        # The indices are inside by construction; without a rule JAX would look for those that are not.
        return flat[place] if xp is np else jnp.take(flat, place, axis=0, mode="clip")

    if order == 0:
        found = value(row, column)
    else:
        row_share = row_share.astype(images.dtype)[..., None]
        column_share = column_share.astype(images.dtype)[..., None]
        upper = value(row, column) * (1 - column_share) + value(row, column + 1) * column_share
        lower = value(row + 1, column) * (1 - column_share) + value(row + 1, column + 1) * column_share
        found = upper * (1 - row_share) + lower * row_share
    return found if outside is None else xp.where(outside[..., None], cval, found)


@functools.partial(jax.jit, static_argnames=("mode", "order"))
def _traced_read(images: Any, axes: Any, cval: Any, mode: str, order: int) -> Any:
    return _read(jnp, images, axes, cval, mode, order)


def _compiled_read(images: np.ndarray, axes: Any, cval: float, mode: str, order: int) -> np.ndarray:
    """The program for a power of two of pictures: last batches of any size then share few programs."""
    count = len(images)
    size = 1 << (count - 1).bit_length()
    if size != count:
        images = _filled_up(images, size)
        axes = tuple(_filled_up(axis, size) for axis in axes)
    # The pictures come from the host and go back to it, whatever device trains on them.
    with wide_types(True), jax.default_device(_host()):
        found = _traced_read(images, axes, images.dtype.type(cval), mode, order)
        found = np.array(found)
    return found if size == count else found[:count].copy()


def _filled_up(array: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([array, np.zeros((size - len(array), *array.shape[1:]), array.dtype)])


@functools.cache
def _host() -> Any:
    return jax.local_devices(backend="cpu")[0]


def _spline(
    images: np.ndarray,
    matrices: Sequence[np.ndarray | None],
    mode: str,
    cval: float,
    order: int,
    flips: Sequence[tuple[bool, bool]] | None,
) -> np.ndarray:
    try:
        from scipy import ndimage
    except ImportError as error:
        raise NotSupportedError(
            explain(
                f"Spline interpolation (interpolation_order={order}) of pictures is done by SciPy.",
                expected="the package scipy",
                received="it is not installed",
                fix="install scipy, or use interpolation_order 0 or 1",
            )
        ) from error
    found = images.copy()
    mode = "grid-wrap" if mode == "wrap" else mode
    for picture, matrix in zip(found, matrices, strict=True):
        if matrix is not None:
            offset: Any = matrix[:2, 2]
            for channel in range(picture.shape[-1]):
                picture[..., channel] = ndimage.affine_transform(
                    picture[..., channel], matrix[:2, :2], offset, order=order, mode=mode, cval=cval
                )
    for picture, (upside_down, mirrored) in zip(found, flips or (), strict=False):
        picture[...] = picture[:: -1 if upside_down else 1, :: -1 if mirrored else 1].copy()
    return found
