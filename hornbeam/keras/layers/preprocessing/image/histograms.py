"""Changes made by counting values: ``AutoContrast``, ``Equalization``, contrast limited adaptive equalization."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam import ops
from hornbeam.core.door import op
from hornbeam.keras.layers.preprocessing.image.base import ImageLayer, value_pair
from hornbeam.ops.promotion import promote


class AutoContrast(ImageLayer):
    """Stretch the values of every channel over the whole value range; flat channels stay.

    Args:
        value_range: lowest and highest value of the pixels.

    References: Keras ``layers.AutoContrast``.
    """

    changes_only_colors = True
    _USE_BASE_FACTOR = False

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = value_pair(value_range)

    def transform_images(self, images: Any, transformation: Any = None, training: Any = True) -> Any:
        dtype = self.compute_dtype
        values = ops.cast(self._transform_value_range(images, self.value_range, (0, 255), dtype=dtype), dtype)
        low = ops.min(values, axis=(1, 2), keepdims=True)
        high = ops.max(values, axis=(1, 2), keepdims=True)
        scale = 255.0 / (high - low)
        stretched = ops.clip(values * scale + -low * scale, 0.0, 255.0)
        stretched = self._transform_value_range(stretched, (0, 255), self.value_range, dtype=dtype)
        return ops.where(ops.isnan(stretched), ops.cast(images, dtype), stretched)


class Equalization(ImageLayer):
    """Spread the values of every channel evenly, by their histogram over the whole batch, while training.

    Args:
        value_range: lowest and highest value of the pixels.
        bins: number of bins of the histogram.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Keras ``layers.Equalization``.
    """

    changes_only_colors = True

    def __init__(
        self, value_range: Any = (0, 255), bins: int = 256, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.bins = bins
        self.value_range = value_pair(value_range)

    def transform_images(self, images: Any, transformation: Any, training: Any = True) -> Any:
        if not training:
            return images
        images = ops.cast(images, self.compute_dtype)
        low, high = self.value_range
        scale = 255 / (high - low)
        values = images * scale + (0 - low * scale)
        found = _equalized(values, bins=self.bins, axis=self.channel_axis % len(images.shape))
        back = (high - low) / 255
        return ops.cast(found * back + low, self.compute_dtype)


@op(static=("bins", "axis"))
def _equalized(values: Any, bins: int, axis: int) -> jax.Array:
    """Values 0 to 255 after equalization; one table per channel, counted over everything else."""
    values = promote(values)[0]
    moved = jnp.moveaxis(values, axis, 0)
    flat = moved.reshape(moved.shape[0], -1).astype(jnp.float32)
    place = jnp.clip((flat * (bins - 1) / 255.0).astype(jnp.int32), 0, bins - 1)
    counts = jax.vmap(lambda one: jnp.bincount(one, length=bins))(place).astype(jnp.int32)
    sums = jnp.cumsum(counts, axis=1, dtype=jnp.int32)
    first = jnp.take_along_axis(sums, jnp.argmax(sums > 0, axis=1)[:, None], axis=1)
    rest = sums[:, -1:] - first
    # Whole numbers while they cannot overflow: then ties of rounding fall as they should.
    above = sums - first if flat.shape[1] < 2**31 // 255 else (sums - first).astype(jnp.float32)
    table = (above * 255).astype(jnp.float32) / jnp.where(rest == 0, 1, rest)
    table = jnp.clip(jnp.round(table), 0, 255)
    chosen = jnp.clip(flat / 255.0 * (bins - 1), 0, bins - 1).astype(jnp.int32)
    spread = jnp.take_along_axis(table, chosen, axis=1)
    several = jnp.sum(counts > 0, axis=1, keepdims=True) > 1
    found = jnp.where(several, spread, flat).reshape(moved.shape)
    return jnp.moveaxis(found, 0, axis).astype(values.dtype)


class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Equalize images tile by tile, with a limit on how far a value may be spread.

    Args:
        value_range: lowest and highest value of the pixels.
        clip_limit: how many times the mean count a bin may hold; 0 for no limit.
        tile_grid_size: number of tiles along height and width.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    References: Zuiderveld 1994, "Contrast limited adaptive histogram equalization". Keras layer of this name.
    """

    changes_only_colors = True

    def __init__(
        self,
        value_range: Any = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: tuple[int, int] = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range
        self.clip_limit = clip_limit
        self.tile_grid_size = tile_grid_size

    def transform_images(self, images: Any, transformation: Any = None, training: Any = True) -> Any:
        dtype = images.dtype
        values = self._transform_value_range(images, self.value_range, (0, 255))
        last = self.data_format == "channels_last"
        grid = (int(self.tile_grid_size[0]), int(self.tile_grid_size[1]))
        found = _adaptive(values, clip_limit=float(self.clip_limit), grid=grid, last=last)
        return ops.cast(self._transform_value_range(found, (0, 255), self.value_range), dtype)


@op(static=("clip_limit", "grid", "last"))
def _adaptive(values: Any, clip_limit: float, grid: tuple[int, int], last: bool) -> jax.Array:
    values = promote(values)[0].astype(jnp.float32)
    single = values.ndim == 3
    images = values[None] if single else values
    images = images if last else jnp.transpose(images, (0, 2, 3, 1))
    found = _tile_equalized(images, clip_limit, grid)
    found = found if last else jnp.transpose(found, (0, 3, 1, 2))
    return found[0] if single else found


def _tile_equalized(images: jax.Array, clip_limit: float, grid: tuple[int, int]) -> jax.Array:
    batch, height, width, channels = images.shape
    tile = (math.ceil(height / grid[0]), math.ceil(width / grid[1]))
    rest = (tile[0] * grid[0] - height, tile[1] * grid[1] - width)
    padded = jnp.pad(images, ((0, 0), (0, rest[0]), (0, rest[1]), (0, 0)), mode="symmetric")
    values = jnp.clip(padded.astype(jnp.int32), 0, 255)
    tables = _tile_tables(values, clip_limit, grid, tile)
    below, above, down = _between(grid[0], tile[0])
    left, right, aside = _between(grid[1], tile[1])
    whole = jnp.arange(batch, dtype=jnp.int32)[:, None, None, None]
    channel = jnp.arange(channels, dtype=jnp.int32)[None, None, None, :]

    def looked_up(rows: np.ndarray, columns: np.ndarray) -> jax.Array:
        return tables[whole, rows[None, :, None, None], columns[None, None, :, None], channel, values]

    down, aside = (jnp.asarray(share, jnp.float32) for share in (down, aside))
    down, aside = down[None, :, None, None], aside[None, None, :, None]
    top = looked_up(below, left) * (1.0 - aside) + looked_up(below, right) * aside
    bottom = looked_up(above, left) * (1.0 - aside) + looked_up(above, right) * aside
    return (top * (1.0 - down) + bottom * down)[:, :height, :width]


def _tile_tables(values: jax.Array, clip_limit: float, grid: tuple[int, int], tile: tuple[int, int]) -> jax.Array:
    """New values by (batch, tile row, tile column, channel, old value)."""
    batch, _, _, channels = values.shape
    pixels = tile[0] * tile[1]
    tiles = values.reshape(batch, grid[0], tile[0], grid[1], tile[1], channels)
    tiles = tiles.transpose(0, 1, 3, 5, 2, 4).reshape(-1, pixels)
    counts = jax.vmap(lambda one: jnp.bincount(one, length=256))(tiles).astype(jnp.float32)
    if clip_limit > 0:
        kept = jnp.clip(counts, 0, clip_limit * pixels / 256.0)
        counts = kept + jnp.sum(counts - kept, axis=-1, keepdims=True) / 256.0
    sums = jnp.cumsum(counts, axis=-1)
    first = jnp.min(sums, axis=-1, keepdims=True)
    room = pixels - first
    table = jnp.clip((sums - first) * 255.0 / jnp.where(room == 0, 1.0, room), 0, 255)
    return table.reshape(batch, grid[0], grid[1], channels, 256)


def _between(count: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tiles before and after every pixel along one axis (the outermost repeat), and the second one's share."""
    place = (np.arange(count * size, dtype=np.float32) - np.float32(size / 2.0)) / np.float32(size)
    before = np.floor(place)
    first, second = (np.clip(tile, 0, count - 1).astype(np.int32) for tile in (before, before + 1))
    return first, second, place - before
