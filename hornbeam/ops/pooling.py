"""Pooling over 1 to 3 spatial axes, with the signatures of ``keras.ops``; resizing by whole factors."""

from __future__ import annotations

from typing import Any

import jax

from hornbeam.base import settings
from hornbeam.base.errors import ShapeError, explain
from hornbeam.core.door import op
from hornbeam.engine import pool as engine
from hornbeam.engine.conv_geometry import pads_of
from hornbeam.engine.max_pool import max_pool as largest_of_windows
from hornbeam.engine.window import Window
from hornbeam.ops.composite import composite
from hornbeam.ops.conv import lowered, per_axis
from hornbeam.ops.promotion import as_float

__all__ = ["adaptive_average_pool", "adaptive_max_pool", "average_pool", "max_pool"]


def _window(x: Any, pool_size: Any, strides: Any, padding: Any, data_format: str, name: str) -> Window:
    space = x.ndim - 2
    if not 1 <= space <= 3:
        raise ShapeError(f"{name}() takes inputs with 1 to 3 spatial axes. Received: shape {tuple(x.shape)}")
    sizes = per_axis(pool_size, space, "pool_size")
    strides = sizes if strides is None else per_axis(strides, space, "strides")
    if min(sizes) < 1 or min(strides) < 1:
        raise ValueError(
            f"{name}(): `pool_size` and `strides` must be positive. Received: pool_size={sizes}, strides={strides}"
        )
    if isinstance(padding, str) and padding not in ("valid", "same"):
        raise ValueError(
            f"{name}(): unknown padding {padding!r}. Choose 'valid' (none) or 'same' (zeros at the edges)."
        )
    first = 2 if data_format == "channels_first" else 1
    pads = pads_of(padding, x.shape[first : first + space], sizes, strides, (1,) * space)
    window = Window(first, sizes, strides, pads)
    if 0 in window.counts(x.shape) and 0 not in x.shape:
        raise ShapeError(
            explain(
                f"{name}(): the window does not fit, so an output size would be zero or negative.",
                expected=f"spatial sizes of at least {sizes}",
                received=f"inputs of shape {tuple(x.shape)}, data_format={data_format!r}",
                fix="use a smaller window, or padding='same'",
            )
        )
    return window


@op(static=("pool_size", "strides", "padding", "data_format"))
def _max_pool(x: Any, pool_size: Any, strides: Any, padding: Any, data_format: str) -> jax.Array:
    return largest_of_windows(x, _window(x, pool_size, strides, padding, data_format, "max_pool"))


@op(static=("pool_size", "strides", "padding", "data_format"))
def _average_pool(x: Any, pool_size: Any, strides: Any, padding: Any, data_format: str) -> jax.Array:
    return engine.average_pool(as_float(x), _window(x, pool_size, strides, padding, data_format, "average_pool"))


@composite
def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: str | None = None
) -> Any:
    """Largest value of each window; gradients go to the first of equal ones.

    Args:
        inputs: ``(batch, *space, channels)``, or ``(batch, channels, *space)`` for "channels_first".
        pool_size: size of the window, an int or one per spatial axis, in pixels.
        strides: step of the window; ``pool_size`` if not given.
        padding: "valid", "same" (padding never wins), or (before, after) per spatial axis.
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Returns:
        ``(batch, *out_space, channels)``, of the inputs' dtype.

    Raises:
        ShapeError: the window is larger than the inputs.

    References: Keras ``ops.max_pool``.
    """
    data_format = settings.standardize_data_format(data_format)
    return _max_pool(inputs, pool_size=pool_size, strides=strides, padding=lowered(padding), data_format=data_format)


@composite
def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: Any = "valid", data_format: str | None = None
) -> Any:
    """Mean of each window; padding does not count.

    Args:
        inputs: ``(batch, *space, channels)``, or ``(batch, channels, *space)`` for "channels_first".
        pool_size: size of the window, an int or one per spatial axis, in pixels.
        strides: step of the window; ``pool_size`` if not given.
        padding: "valid", "same", or (before, after) per spatial axis.
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    Returns:
        ``(batch, *out_space, channels)``, of the inputs' dtype.

    Raises:
        ShapeError: the window is larger than the inputs.

    References: Keras ``ops.average_pool``.
    """
    data_format = settings.standardize_data_format(data_format)
    return _average_pool(
        inputs, pool_size=pool_size, strides=strides, padding=lowered(padding), data_format=data_format
    )


def _adaptive(x: Any, output_size: Any, data_format: str, name: str) -> tuple[range, tuple[int, ...]]:
    if not 3 <= x.ndim <= 5:
        raise ValueError(f"{name} supports only 1D/2D/3D inputs. Received: inputs of shape {tuple(x.shape)}")
    counts = per_axis(output_size, x.ndim - 2, "output_size")
    if min(counts) < 1:
        raise ValueError(f"{name}(): `output_size` must be positive. Received: output_size={output_size}")
    first = 2 if data_format == "channels_first" else 1
    return range(first, first + len(counts)), counts


@op(static=("output_size", "data_format"))
def _adaptive_average_pool(x: Any, output_size: Any, data_format: str) -> jax.Array:
    axes, counts = _adaptive(x, output_size, data_format, "adaptive_average_pool")
    return engine.adaptive_average_pool(as_float(x), axes, counts)


@op(static=("output_size", "data_format"))
def _adaptive_max_pool(x: Any, output_size: Any, data_format: str) -> jax.Array:
    axes, counts = _adaptive(x, output_size, data_format, "adaptive_max_pool")
    return engine.adaptive_max_pool(x, axes, counts)


@composite
def adaptive_average_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Any:
    """Means over as many windows as asked for, which cover the inputs evenly.

    Window ``i`` of ``n`` over ``size`` pixels goes from ``floor(i size / n)`` to ``ceil((i + 1) size / n)``.

    Args:
        inputs: ``(batch, *space, channels)``, or ``(batch, channels, *space)`` for "channels_first".
        output_size: number of windows, an int or one per spatial axis.
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    References: Keras ``ops.adaptive_average_pool``.
    """
    data_format = settings.standardize_data_format(data_format)
    return _adaptive_average_pool(inputs, output_size=output_size, data_format=data_format)


@composite
def adaptive_max_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Any:
    """Largest values of as many windows as asked for, which cover the inputs evenly.

    Args:
        inputs: ``(batch, *space, channels)``, or ``(batch, channels, *space)`` for "channels_first".
        output_size: number of windows, an int or one per spatial axis; see ``adaptive_average_pool``.
        data_format: "channels_last" or "channels_first"; the global setting if not given.

    References: Keras ``ops.adaptive_max_pool``.
    """
    data_format = settings.standardize_data_format(data_format)
    return _adaptive_max_pool(inputs, output_size=output_size, data_format=data_format)


@op(static=("factors", "interpolation", "first"))
def enlarge(images: Any, factors: tuple[int, int], interpolation: str, first: int) -> jax.Array:
    """Images enlarged by whole factors, interpolated.

    Args:
        images: 4 axes.
        factors: outputs per row and per column.
        interpolation: "bilinear", "bicubic", "lanczos3", "lanczos5" or "nearest".
        first: axis of the rows, after which that of the columns follows.
    """
    shape = list(images.shape)
    for axis, factor in enumerate(factors, first):
        shape[axis] *= factor
    return jax.image.resize(images, shape, method=interpolation, antialias=False)
