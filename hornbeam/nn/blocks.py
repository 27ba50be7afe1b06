"""``tf.nn``: blocks of pixels and channels, and pooling that tells where each maximum stood."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import ops
from hornbeam.base import dtypes
from hornbeam.nn.conv import _order, _steps
from hornbeam.tensors.face import face, tensor

__all__ = ["depth_to_space", "max_pool_with_argmax", "space_to_depth"]


@face
def space_to_depth(input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Any:
    """Blocks of ``block_size`` x ``block_size`` pixels as one pixel with all their channels.

    References: TensorFlow `tf.nn.space_to_depth`.
    """
    return _in_order(ops.space_to_depth, input, block_size, data_format)


@face
def depth_to_space(input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Any:
    """Channels of each pixel as a block of ``block_size`` x ``block_size`` pixels; undoes ``space_to_depth``.

    References: TensorFlow `tf.nn.depth_to_space`.
    """
    return _in_order(ops.depth_to_space, input, block_size, data_format)


def _in_order(function: Callable, input: Any, block_size: int, data_format: str) -> Any:
    """Channels come block by block in both layouts here; `keras.ops` has another order for channels first."""
    x = tensor(input)
    if _order(data_format) == "channels_last":
        return function(x, int(block_size))
    return ops.transpose(function(ops.transpose(x, (0, 2, 3, 1)), int(block_size)), (0, 3, 1, 2))


@face
def max_pool_with_argmax(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
    output_dtype: Any = "int64",
    include_batch_in_index: bool = False,
    name: str | None = None,
) -> tuple[Any, Any]:
    """Maxima of windows of pictures, and the place of each in the flattened picture.

    Args:
        input: (batch, height, width, channels).
        ksize: window: one number, (height, width), or one number for each axis of ``input``.
        strides: steps of the window, in the same forms.
        padding: ``"VALID"`` or ``"SAME"``.
        data_format: ``"NHWC"`` only.
        output_dtype: ``int32`` or ``int64`` for the places.
        include_batch_in_index: count places through the whole batch.
        name: ignored.

    Returns:
        (maxima, places), both (batch, height, width, channels). A place is
        ``(row * width + column) * channels + channel``.

    References: TensorFlow `tf.nn.max_pool_with_argmax`.
    """
    if data_format != "NHWC":
        raise ValueError(f"tf.nn.max_pool_with_argmax: data_format='NHWC' only. Received: {data_format!r}")
    if str(padding).upper() not in ("SAME", "VALID"):
        raise ValueError(f"tf.nn.max_pool_with_argmax: `padding` is 'SAME' or 'VALID'. Received: {padding!r}")
    x = tensor(input)
    window, steps = (_steps(one, 2, "channels_last", "ksize") for one in (ksize, strides))
    batch, height, width, channels = x.shape
    made = [_places(*facts, padding) for facts in zip((height, width), window, steps, strict=True)]
    befores, counts, afters = zip(*made, strict=True)
    lowest = float("-inf") if x.dtype.is_floating else x.dtype.min
    padded = ops.pad(x, [[0, 0], *zip(befores, afters, strict=True), [0, 0]], constant_values=lowest)
    offsets = [(row, column) for row in range(window[0]) for column in range(window[1])]
    ends = [(count - 1) * step + 1 for count, step in zip(counts, steps, strict=True)]
    parts = [padded[:, r : r + ends[0] : steps[0], c : c + ends[1] : steps[1], :] for r, c in offsets]
    stacked = ops.stack(parts, axis=0)
    chosen = ops.argmax(stacked, axis=0)
    rows = ops.reshape(ops.arange(counts[0]) * steps[0] - befores[0], (1, -1, 1, 1)) + chosen // window[1]
    columns = ops.reshape(ops.arange(counts[1]) * steps[1] - befores[1], (1, 1, -1, 1)) + chosen % window[1]
    places = (rows * width + columns) * channels + ops.arange(channels)
    if include_batch_in_index:
        places = places + ops.reshape(ops.arange(batch), (-1, 1, 1, 1)) * (height * width * channels)
    return ops.max(stacked, axis=0), ops.cast(places, dtypes.as_dtype(output_dtype).name)


def _places(size: int, window: int, step: int, padding: str) -> tuple[int, int, int]:
    """Pixels added before, number of windows, pixels added behind."""
    if str(padding).upper() == "VALID":
        return 0, (size - window) // step + 1, 0
    count = -(-size // step)
    extra = max((count - 1) * step + window - size, 0)
    return extra // 2, count, extra - extra // 2
