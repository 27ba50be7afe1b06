"""Bilinear interpolation of whole batches of pictures: NumPy picks the neighbours, one XLA program blends them.

Picking is memory traffic, which threads share well; blending is arithmetic, which XLA does in one sweep.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from hornbeam.data.functions import host_device
from hornbeam.engine.memory import aligned_empty
from hornbeam.keras.utils.image_dataset_scratch import buffer


class Neighbours:
    """For each pixel of some pictures the four pixels that it lies between, and how near it is to them.

    Args:
        count: pictures.
        size: their height and width.
        channels: 1, 3 or 4; pixels of three are held with a fourth value without meaning.
    """

    def __init__(self, count: int, size: tuple[int, int], channels: int) -> None:
        height, width = size
        self.count, self.channels = count, channels
        self._pixels = aligned_empty((4, count, height, width, 1 if channels == 1 else 4), "uint8")
        self._down = aligned_empty((count, height), "float32")
        self._across = aligned_empty((count, width), "float32")

    def pick(self, number: int, pixels: np.ndarray, box: tuple[slice, slice] | None) -> None:
        """Lay out one picture.

        Args:
            number: its place in the batch.
            pixels: uint8, shape (height, width, channels), or with a fourth one without meaning.
            box: the rows and columns of the result that it fills, black around it; None for all of it.
        """
        corners, down, across = self._pixels[:, number], self._down[number], self._across[number]
        if box is not None:
            for whole in (corners, down, across):
                whole[...] = 0
            corners, down, across = corners[:, box[0], box[1]], down[box[0]], across[box[1]]
        above, below, down[...] = _neighbours(pixels.shape[0], len(down))
        left, right, across[...] = _neighbours(pixels.shape[1], len(across))
        source, targets = _as_numbers(pixels, corners)
        rows = buffer("rows", (len(down), source.shape[1]), source.dtype)
        for vertical, pair in ((above, targets[:2]), (below, targets[2:])):
            np.take(source, vertical, axis=0, out=rows, mode="clip")
            for horizontal, target in zip((left, right), pair, strict=True):
                np.take(rows, horizontal, axis=1, out=target, mode="clip")

    def blended(self, channels_first: bool) -> np.ndarray:
        """The pictures, float32, read-only."""
        with host_device():
            return np.asarray(_blend(self._pixels, self._down, self._across, self.channels, channels_first))


def _as_numbers(pixels: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both with one number for each pixel."""
    if corners.shape[-1] == 1:
        return pixels[..., 0], corners[..., 0]
    if pixels.shape[2] == 3:
        four = buffer("four", (*pixels.shape[:2], 4), "uint8")
        four[..., :3] = pixels
        pixels = four
    elif pixels.strides[1:] != (4, 1):
        pixels = np.ascontiguousarray(pixels)
    return pixels.view("uint32")[..., 0], corners.view("uint32")[..., 0]


@functools.lru_cache(maxsize=1024)
def _neighbours(old: int, new: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two pixels along an axis between which each new one lies, and the share of the second."""
    step, half = np.float32(old) / np.float32(new), np.float32(0.5)
    centres = (np.arange(new, dtype="float32") + half) * step - half
    first = np.floor(centres)
    low, high = (np.clip(place, 0, old - 1).astype("intp") for place in (first, first + 1))
    return low, high, centres - first


@functools.partial(jax.jit, static_argnums=(3, 4))
def _blend(pixels: Array, down: Array, across: Array, channels: int, channels_first: bool) -> Array:
    """Across first, then down: no antialiasing, whatever the sizes."""
    corners = pixels[..., :channels].astype(jnp.float32)
    down, across = down[:, :, None, None], across[:, None, :, None]
    upper, lower = (left + (right - left) * across for left, right in (corners[:2], corners[2:]))
    blended = upper + (lower - upper) * down
    return blended.transpose(0, 3, 1, 2) if channels_first else blended
