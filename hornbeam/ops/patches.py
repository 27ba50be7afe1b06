"""Rearranging pixels: windows as columns and back, and blocks of pixels as channels and back."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base import settings
from hornbeam.core.door import op
from hornbeam.ops.composite import composite
from hornbeam.ops.promotion import promote

__all__ = ["depth_to_space", "fold", "space_to_depth", "unfold"]


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


class _Windows:
    """Where the windows of an image (..., height, width) begin, and the slices that visit one offset of all."""

    def __init__(self, height: int, width: int, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> None:
        self.kernel, self.dilation = _pair(kernel_size), _pair(dilation)
        self.padding, self.stride = _pair(padding), _pair(stride)
        self.padded = (height + 2 * self.padding[0], width + 2 * self.padding[1])
        self.counts = tuple(
            (self.padded[axis] - self.dilation[axis] * (self.kernel[axis] - 1) - 1) // self.stride[axis] + 1
            for axis in (0, 1)
        )
        if min(self.counts) < 1:
            raise ValueError(
                f"The windows do not fit into the image: kernel_size={self.kernel}, dilation={self.dilation}, "
                f"padding={self.padding}, image {height} x {width}."
            )

    def offsets(self) -> list[tuple]:
        """Index of the last two axes for each place in the window, row by row."""
        return [
            (..., self._span(0, i), self._span(1, j))
            for i, j in itertools.product(range(self.kernel[0]), range(self.kernel[1]))
        ]

    def _span(self, axis: int, place: int) -> slice:
        first = place * self.dilation[axis]
        return slice(first, first + (self.counts[axis] - 1) * self.stride[axis] + 1, self.stride[axis])


@op(static=("kernel_size", "dilation", "padding", "stride"))
def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> jax.Array:
    """Sliding windows of images as columns (im2col).

    Args:
        x: (batch, channels, height, width).
        kernel_size: sizes of a window, in pixels; an int or a pair, like the rest.
        dilation: distance of the pixels of a window.
        padding: zeros on each side.
        stride: distance of the windows.

    Returns:
        Tensor (batch, channels * window size, windows).
    """
    x = promote(x)[0]
    if x.ndim != 4:
        raise ValueError(
            f"unfold(): expected images (batch, channels, height, width), received shape {tuple(x.shape)}."
        )
    batch, channels, height, width = x.shape
    windows = _Windows(height, width, kernel_size, dilation, padding, stride)
    rows, columns = windows.padding
    x = jnp.pad(x, ((0, 0), (0, 0), (rows, rows), (columns, columns)))
    places = jnp.stack([x[index] for index in windows.offsets()], axis=2)
    return places.reshape(batch, channels * places.shape[2], -1)


@op(static=("output_size", "kernel_size", "dilation", "padding", "stride"))
def fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> jax.Array:
    """Images from columns of sliding windows (col2im); where windows overlap, they are added.

    Args:
        x: (batch, channels * window size, windows).
        output_size: height and width of the images, in pixels; an int or a pair.
        kernel_size: as given to ``unfold``, like the rest.
        dilation: distance of the pixels of a window.
        padding: zeros on each side.
        stride: distance of the windows.

    Returns:
        Tensor (batch, channels, height, width).
    """
    x = promote(x)[0]
    if x.ndim != 3:
        raise ValueError(
            "fold(): expected columns of windows (batch, channels * window size, windows), as `unfold` returns them, "
            f"received shape {tuple(x.shape)}."
        )
    height, width = _pair(output_size)
    windows = _Windows(height, width, kernel_size, dilation, padding, stride)
    area = windows.kernel[0] * windows.kernel[1]
    if x.shape[1] % area or x.shape[2] != windows.counts[0] * windows.counts[1]:
        raise ValueError(
            f"fold: expected (batch, channels * {area}, {windows.counts[0] * windows.counts[1]}) for these windows, "
            f"received shape {tuple(x.shape)}."
        )
    channels = x.shape[1] // area
    places = x.reshape(x.shape[0], channels, area, *windows.counts)
    image = jnp.zeros((x.shape[0], channels, *windows.padded), x.dtype)
    for place, index in enumerate(windows.offsets()):
        image = image.at[index].add(places[:, :, place])
    rows, columns = windows.padding
    return image[:, :, rows : rows + height, columns : columns + width]


@composite
def depth_to_space(x: Any, block_size: int, data_format: str | None = "channels_last") -> Any:
    """Spread channels over blocks of pixels (pixel shuffle).

    Args:
        x: four axes, in the order of ``data_format``; the channels are a multiple of ``block_size ** 2``.
        block_size: edge of a block in pixels, 2 at least.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Returns:
        Tensor with ``block_size`` times the height and width, and the channels divided by ``block_size ** 2``.
    """
    return _blocks(x, block=_block(block_size), last=_is_last(data_format), spread=True)


@composite
def space_to_depth(x: Any, block_size: int, data_format: str | None = "channels_last") -> Any:
    """Gather blocks of pixels into channels; the inverse of ``depth_to_space``, with the same arguments."""
    return _blocks(x, block=_block(block_size), last=_is_last(data_format), spread=False)


def _is_last(data_format: str | None) -> bool:
    return settings.standardize_data_format(data_format) == "channels_last"


def _block(block_size: int) -> int:
    if block_size < 2:
        raise ValueError(f"A block has an edge of 2 pixels at least. Received: block_size={block_size}")
    return int(block_size)


@op(static=("block", "last", "spread"))
def _blocks(x: Any, block: int, last: bool, spread: bool) -> jax.Array:
    x = promote(x)[0]
    if x.ndim != 4:
        raise ValueError(f"Expected a tensor with 4 axes. Received: x.shape={tuple(x.shape)}")
    batch, height, width, channels = x.shape if last else (x.shape[0], *x.shape[2:], x.shape[1])
    if (spread and channels % block**2) or (not spread and (height % block or width % block)):
        raise ValueError(
            f"The {'channels' if spread else 'height and width'} must be divisible by "
            f"{block**2 if spread else block}. Received: x.shape={tuple(x.shape)}, block_size={block}"
        )
    if spread:
        depth = channels // block**2
        if last:
            x = x.reshape(batch, height, width, block, block, depth).transpose(0, 1, 3, 2, 4, 5)
            return x.reshape(batch, height * block, width * block, depth)
        x = x.reshape(batch, depth, block, block, height, width).transpose(0, 1, 4, 2, 5, 3)
        return x.reshape(batch, depth, height * block, width * block)
    rows, columns, depth = height // block, width // block, channels * block**2
    if last:
        x = x.reshape(batch, rows, block, columns, block, channels).transpose(0, 1, 3, 2, 4, 5)
        return x.reshape(batch, rows, columns, depth)
    x = x.reshape(batch, channels, rows, block, columns, block).transpose(0, 1, 3, 5, 2, 4)
    return x.reshape(batch, depth, rows, columns)
