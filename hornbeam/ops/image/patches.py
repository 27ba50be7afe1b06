"""Images and volumes cut into patches."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base import check
from hornbeam.core.door import op
from hornbeam.ops.composite import composite
from hornbeam.ops.image.layout import is_last
from hornbeam.ops.promotion import promote

__all__ = ["extract_patches", "extract_patches_3d"]


def _several(value: Any, count: int, argument: str) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,) * count
    sizes = tuple(int(one) for one in value)
    if len(sizes) != count:
        raise ValueError(f"extract_patches: `{argument}` is an int or {count} ints. Received: {argument}={value}")
    return sizes


@composite
def extract_patches(
    images: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Patches of images (or of volumes, if ``size`` has three numbers), each laid out as one row of channels.

    Args:
        images: one image or a batch of them; volumes have one axis more.
        size: height and width of a patch, or depth, height and width; an int stands for equal sizes.
        strides: distance between patches; ``size`` by default.
        dilation_rate: distance between the pixels of a patch.
        padding: ``"valid"`` or ``"same"`` (zeros around, as convolutions have them).
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting by default.

    Returns:
        Patches in a grid, with ``patch pixels * channels`` channels; pixels first, channels fastest.

    References: Keras ``ops.image.extract_patches``.
    """
    if not isinstance(size, int):
        if not isinstance(size, (tuple, list)):
            raise TypeError(f"extract_patches: `size` is an int, a pair or a triple. Received: size={size!r}")
        if len(size) not in (2, 3):
            raise ValueError(f"extract_patches: `size` has two or three numbers. Received: size={size}")
    spatial = 2 if isinstance(size, int) else len(size)
    return _patches(images, size, strides or size, dilation_rate, padding, data_format, spatial)


@composite
def extract_patches_3d(
    volumes: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Patches of volumes; arguments as in ``extract_patches``, with three spatial axes.

    References: Keras ``ops.image.extract_patches_3d``.
    """
    return _patches(volumes, size, size if strides is None else strides, dilation_rate, padding, data_format, 3)


def _patches(
    images: Any, size: Any, strides: Any, dilation: Any, padding: str, data_format: str | None, spatial: int
) -> Any:
    check.one_of("padding", str(padding).lower(), ("valid", "same"))
    return _cut(
        images,
        size=_several(size, spatial, "size"),
        strides=_several(strides, spatial, "strides"),
        dilation=_several(dilation, spatial, "dilation_rate"),
        same=str(padding).lower() == "same",
        last=is_last(data_format),
    )


@op(static=("size", "strides", "dilation", "same", "last"))
def _cut(images: Any, size: tuple, strides: tuple, dilation: tuple, same: bool, last: bool) -> jax.Array:
    images = promote(images)[0]
    spatial = len(size)
    if images.ndim not in (spatial + 1, spatial + 2):
        raise ValueError(
            f"extract_patches: expected {spatial + 1} axes (one) or {spatial + 2} (a batch). "
            f"Received: shape={tuple(images.shape)}"
        )
    single = images.ndim == spatial + 1
    if single:
        images = images[None]
    if not last:
        images = jnp.moveaxis(images, 1, -1)
    found = cut_patches(images, size, strides, dilation, same)
    if not last:
        found = jnp.moveaxis(found, -1, 1)
    return found[0] if single else found


def cut_patches(images: jax.Array, size: tuple, strides: tuple, dilation: tuple, same: bool) -> jax.Array:
    """Patches of (batch, *spatial, channels), as (batch, *grid, pixels * channels)."""
    spatial = len(size)
    for number in range(spatial):
        # Axes before are already pairs (grid, patch).
        axis = 1 + 2 * number
        length, reach = images.shape[axis], (size[number] - 1) * dilation[number] + 1
        if same:
            count = -(-length // strides[number])
            total = max((count - 1) * strides[number] + reach - length, 0)
            widths = [(0, 0)] * images.ndim
            widths[axis] = (total // 2, total - total // 2)
            images = jnp.pad(images, widths)
        else:
            count = max((length - reach) // strides[number] + 1, 0)
        places = np.arange(count)[:, None] * strides[number] + np.arange(size[number])[None, :] * dilation[number]
        images = jnp.take(images, places, axis=axis)
    grid, pixels = range(1, 2 * spatial, 2), range(2, 2 * spatial + 1, 2)
    images = jnp.transpose(images, (0, *grid, *pixels, 2 * spatial + 1))
    return images.reshape(*images.shape[: spatial + 1], -1)
