"""Images looked up at moved coordinates: affine, perspective and elastic warps."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.door import op
from hornbeam.ops.composite import composite
from hornbeam.ops.image.layout import (
    INTERPOLATIONS,
    as_batch,
    check_interpolation,
    image_rank,
    is_last,
    restored,
)
from hornbeam.ops.promotion import promote

__all__ = [
    "affine_transform",
    "compute_homography_matrix",
    "map_coordinates",
    "perspective_transform",
    "sampled",
]


def _mirrored(index: jax.Array, size: int) -> jax.Array:
    # A triangular wave; the edge pixels are not repeated.
    wave = size - 1
    return jnp.zeros_like(index) if wave == 0 else jnp.abs((index + wave) % (2 * wave) - wave)


def _reflected(index: jax.Array, size: int) -> jax.Array:
    # As above on half-pixels, so that the edge pixels are repeated.
    return jnp.floor_divide(_mirrored(2 * index + 1, 2 * size + 1) - 1, 2)


_EDGES: dict[str, Callable[[jax.Array, int], jax.Array]] = {
    "constant": lambda index, size: jnp.clip(index, 0, size - 1),
    "nearest": lambda index, size: jnp.clip(index, 0, size - 1),
    "wrap": lambda index, size: index % size,
    "mirror": _mirrored,
    "reflect": _reflected,
}
"""Place inside the image that stands for a place outside of it, by fill mode."""


def check_fill_mode(value: str, where: str) -> None:
    """Refuse an unknown fill mode."""
    if value not in _EDGES:
        raise ValueError(f"{where}: `fill_mode` is one of {tuple(_EDGES)}. Received: fill_mode={value!r}")


def _nodes(coordinates: jax.Array, order: int) -> list[tuple[jax.Array, Any]]:
    """Neighbouring pixels along one axis and their weights."""
    if order == 0:
        return [(jax.lax.round(coordinates).astype(jnp.int32), None)]
    lower = jnp.floor(coordinates)
    upper_weight = coordinates - lower
    place = lower.astype(jnp.int32)
    return [(place, 1 - upper_weight), (place + 1, upper_weight)]


def sampled(
    images: jax.Array, rows: jax.Array, columns: jax.Array, order: int, fill_mode: str, fill_value: Any
) -> jax.Array:
    """Pixels of each image at its own coordinates.

    Args:
        images: (batch, height, width, channels).
        rows: (batch, ...) floating rows, or (1, ...) for all images.
        columns: the columns beside them, in the same form.
        order: 0 for the nearest pixel, 1 for linear interpolation.
        fill_mode: what lies outside of an image.
        fill_value: its value for ``"constant"``.

    Returns:
        Array (batch, ..., channels) of the images' dtype.
    """
    batch, height, width, channels = images.shape
    flat = images.reshape(batch * height * width, channels)
    first = (jnp.arange(batch, dtype=jnp.int32) * (height * width)).reshape(batch, *([1] * (rows.ndim - 1)))
    edge = _EDGES[fill_mode]
    fill = jnp.asarray(fill_value, images.dtype)
    total: Any = None
    for (row, row_weight), (column, column_weight) in itertools.product(_nodes(rows, order), _nodes(columns, order)):
        place = first + edge(row, height) * width + edge(column, width)
        part = flat.at[place].get(mode="promise_in_bounds")
        if fill_mode == "constant":
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            part = jnp.where(inside[..., None], part, fill)
        if order == 1:
            part = (row_weight * column_weight)[..., None] * part
        total = part if total is None else total + part
    if not jnp.issubdtype(images.dtype, jnp.floating):
        total = jax.lax.round(total) if order == 1 else total
    return total.astype(images.dtype)


def _wide(values: Any) -> jax.Array:
    """Coordinates in float32 at least: half precision cannot count pixels."""
    return promote(values, at_least="float32")[0]


@composite
def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Any:
    """Warp images by affine maps.

    The pixel at (x, y) of the result is the input's at ``(a0 x + a1 y + a2, b0 x + b1 y + b2)``.

    Args:
        images: one image (3 axes) or a batch of them (4 axes).
        transform: ``[a0, a1, a2, b0, b1, b2, 0, 0]``, or one such row per image.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_mode: what lies outside: ``"constant"``, ``"nearest"`` (the edge), ``"wrap"``, ``"reflect"`` (edge
            repeated) or ``"mirror"`` (edge not repeated).
        fill_value: value outside for ``"constant"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``ops.image.affine_transform``.
    """
    check_interpolation(interpolation, "affine_transform")
    check_fill_mode(fill_mode, "affine_transform")
    order = INTERPOLATIONS[interpolation]
    return _affine(images, transform, fill_value, order=order, fill_mode=fill_mode, last=is_last(data_format))


@op(static=("order", "fill_mode", "last"))
def _affine(images: Any, transform: Any, fill_value: Any, order: int, fill_mode: str, last: bool) -> jax.Array:
    images, transform = promote(images)[0], _wide(transform)
    rank = image_rank(images.shape, "affine_transform")
    if transform.ndim not in (1, 2) or transform.shape[-1] != 8:
        raise ValueError(
            "affine_transform: `transform` is a row of 8 numbers, or one row per image. "
            f"Received: transform.shape={tuple(transform.shape)}"
        )
    images = as_batch(images, last)
    rows = transform.reshape(-1, 8)
    a0, a1, a2, b0, b1, b2 = (rows[:, column, None, None] for column in range(6))
    y = jnp.arange(images.shape[1], dtype=transform.dtype)[None, :, None]
    x = jnp.arange(images.shape[2], dtype=transform.dtype)[None, None, :]
    found = sampled(images, (b1 * y + b0 * x) + b2, (a1 * y + a0 * x) + a2, order, fill_mode, fill_value)
    return restored(found, rank, last)


@op
def compute_homography_matrix(start_points: Any, end_points: Any) -> jax.Array:
    """The 8 numbers of the perspective map that takes end points to start points.

    Args:
        start_points: (batch, 4, 2), pairs (x, y).
        end_points: (batch, 4, 2).

    Returns:
        Array (batch, 8): ``x' = (h0 x + h1 y + h2) / (h6 x + h7 y + 1)``, ``y'`` with h3 to h5.
    """
    start, end = promote(start_points, end_points, at_least="float32")
    to_x, to_y, from_x, from_y = end[..., 0], end[..., 1], start[..., 0], start[..., 1]
    zeros, ones = jnp.zeros_like(to_x), jnp.ones_like(to_x)
    upper = jnp.stack([to_x, to_y, ones, zeros, zeros, zeros, -from_x * to_x, -from_x * to_y], axis=-1)
    lower = jnp.stack([zeros, zeros, zeros, to_x, to_y, ones, -from_y * to_x, -from_y * to_y], axis=-1)
    target = jnp.concatenate([from_x, from_y], axis=-1)[..., None]
    return jnp.linalg.solve(jnp.concatenate([upper, lower], axis=-2), target)[..., 0]


@composite
def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Any:
    """Warp images so that four points go where they are told.

    Args:
        images: one image (3 axes) or a batch of them (4 axes).
        start_points: (4, 2) or (batch, 4, 2): places (x, y) in the input, in pixels.
        end_points: places in the result, in the same form.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        fill_value: value outside of the input.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``ops.image.perspective_transform``.
    """
    check_interpolation(interpolation, "perspective_transform")
    order = INTERPOLATIONS[interpolation]
    return _perspective(images, start_points, end_points, fill_value, order=order, last=is_last(data_format))


@op(static=("order", "last"))
def _perspective(images: Any, start_points: Any, end_points: Any, fill_value: Any, order: int, last: bool) -> jax.Array:
    images = promote(images)[0]
    start, end = (promote(points)[0].astype(jnp.float32) for points in (start_points, end_points))
    rank = image_rank(images.shape, "perspective_transform")
    for name, points in (("start_points", start), ("end_points", end)):
        if points.shape[-2:] != (4, 2) or points.ndim not in (2, 3):
            raise ValueError(
                f"perspective_transform: `{name}` is (4, 2), or (batch, 4, 2). Received shape {tuple(points.shape)}"
            )
    if start.shape != end.shape:
        raise ValueError(
            "perspective_transform: `start_points` and `end_points` must have one shape. "
            f"Received: {tuple(start.shape)} and {tuple(end.shape)}"
        )
    images = as_batch(images, last)
    maps = compute_homography_matrix(start.reshape(-1, 4, 2), end.reshape(-1, 4, 2))
    h = [maps[:, column, None, None] for column in range(8)]
    y = jnp.arange(images.shape[1], dtype=jnp.float32)[None, :, None]
    x = jnp.arange(images.shape[2], dtype=jnp.float32)[None, None, :]
    depth = h[6] * x + h[7] * y + 1.0
    columns, rows = (h[0] * x + h[1] * y + h[2]) / depth, (h[3] * x + h[4] * y + h[5]) / depth
    return restored(sampled(images, rows, columns, order, "constant", fill_value), rank, last)


@composite
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Any:
    """Values of an array at floating coordinates.

    Args:
        inputs: array of n axes.
        coordinates: (n, ...), one coordinate per axis, in elements.
        order: 0 for the nearest element, 1 for linear interpolation.
        fill_mode: what lies outside: ``"constant"``, ``"nearest"``, ``"wrap"``, ``"mirror"`` or ``"reflect"``.
        fill_value: value outside for ``"constant"``.

    Returns:
        Array of the shape of one coordinate and the dtype of ``inputs``.

    References: Keras ``ops.image.map_coordinates``.
    """
    check_fill_mode(fill_mode, "map_coordinates")
    if order not in (0, 1):
        raise ValueError(f"map_coordinates: `order` is 0 or 1. Received: order={order}")
    return _mapped(inputs, coordinates, order=int(order), fill_mode=fill_mode, fill_value=float(fill_value))


@op(static=("order", "fill_mode", "fill_value"))
def _mapped(inputs: Any, coordinates: Any, order: int, fill_mode: str, fill_value: float) -> jax.Array:
    inputs, coordinates = promote(inputs)[0], promote(coordinates)[0]
    if coordinates.shape[0] != inputs.ndim:
        raise ValueError(
            "map_coordinates: expected one coordinate per axis of `inputs`. "
            f"Received: inputs.shape={tuple(inputs.shape)}, coordinates.shape={tuple(coordinates.shape)}"
        )
    if coordinates.ndim < 2:
        raise ValueError(
            f"map_coordinates: `coordinates` has 2 axes at least. Received shape {tuple(coordinates.shape)}"
        )
    return jax.scipy.ndimage.map_coordinates(inputs, list(coordinates), order, fill_mode, fill_value)
