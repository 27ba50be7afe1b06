"""Mirrored and turned images."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.arguments import static_value
from hornbeam.tensors.face import face, tensor

__all__ = ["flip_left_right", "flip_up_down", "rot90", "transpose"]


def checked(image: Any, where: str) -> Any:
    """The images as a tensor.

    Raises:
        ValueError: neither one image nor a batch.
    """
    image = tensor(image)
    if len(image.shape) not in (3, 4):
        raise ValueError(
            f"{where}: expected one image (3 axes) or a batch of images (4 axes), received {len(image.shape)} axes."
        )
    return image


@face
def flip_left_right(image: Any) -> Any:
    """Left and right change places."""
    return ops.flip(checked(image, "tf.image.flip_left_right"), axis=-2)


@face
def flip_up_down(image: Any) -> Any:
    """Top and bottom change places."""
    return ops.flip(checked(image, "tf.image.flip_up_down"), axis=-3)


@face
def rot90(image: Any, k: Any = 1, name: str | None = None) -> Any:
    """Turn counter-clockwise by ``k`` times 90 degrees."""
    image = checked(image, "tf.image.rot90")
    return ops.rot90(image, k=int(static_value(k, "k")) % 4, axes=(len(image.shape) - 3, len(image.shape) - 2))


@face
def transpose(image: Any, name: str | None = None) -> Any:
    """Rows become columns."""
    return ops.swapaxes(checked(image, "tf.image.transpose"), -3, -2)
