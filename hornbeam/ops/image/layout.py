"""Where height, width and channels of images lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.base import settings

INTERPOLATIONS = {"nearest": 0, "bilinear": 1}
"""Order of the spline of each interpolation that warps know."""


def is_last(data_format: str | None) -> bool:
    """True if the channels are the last axis; None stands for the global setting."""
    return settings.standardize_data_format(data_format) == "channels_last"


def image_rank(shape: Sequence[Any], where: str) -> int:
    """Number of axes, 3 for one image and 4 for a batch.

    Raises:
        ValueError: any other number.
    """
    if len(shape) not in (3, 4):
        raise ValueError(
            f"{where}: expected one image (3 axes) or a batch of images (4 axes). Received: shape={tuple(shape)}"
        )
    return len(shape)


def as_batch(images: jax.Array, last: bool) -> jax.Array:
    """Images as (batch, height, width, channels), from one image or channels first too."""
    if images.ndim == 3:
        images = images[None]
    return images if last else jnp.transpose(images, (0, 2, 3, 1))


def restored(images: jax.Array, rank: int, last: bool) -> jax.Array:
    """The inverse of ``as_batch``."""
    if not last:
        images = jnp.transpose(images, (0, 3, 1, 2))
    return images[0] if rank == 3 else images


def spatial_axes(rank: int, last: bool) -> tuple[int, int]:
    """Axes of height and width, from the end."""
    return (-3, -2) if last else (-2, -1)


def check_interpolation(value: str, where: str, known: Sequence[str] = tuple(INTERPOLATIONS)) -> None:
    """Refuse an unknown interpolation."""
    if value not in known:
        raise ValueError(f"{where}: `interpolation` is one of {tuple(known)}. Received: interpolation={value!r}")
