"""Pictures: functions of TensorFlow 1 that were renamed, or that placed pixels otherwise."""

from __future__ import annotations

from typing import Any

from hornbeam import image, ops
from hornbeam.base.errors import NotSupportedError
from hornbeam.compat.configs.tf_functions import sampled

_METHODS = {0: "bilinear", 1: "nearest", 2: "bicubic", 3: "area"}


def resize_bilinear(
    images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Any:
    """Pictures in another size; places are the corners of pixels, unless ``half_pixel_centers`` says their centres.

    Args:
        images: (batch, height, width, channels).
        size: new height and width.
        align_corners: the corners of old and new pictures lie at one place.
        name: no effect.
        half_pixel_centers: as ``tf.image.resize`` of today has it.
    """
    return _resized(images, size, "bilinear", align_corners, half_pixel_centers)


def resize_nearest_neighbor(
    images: Any, size: Any, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Any:
    """Pictures in another size by taking the nearest pixel; see ``resize_bilinear``."""
    return _resized(images, size, "nearest", align_corners, half_pixel_centers)


def resize_area(images: Any, size: Any, align_corners: bool = False, name: str | None = None) -> Any:
    """Pictures in another size by means over areas; see ``resize_bilinear``."""
    return _resized(images, size, "area", align_corners)


def resize_images(
    images: Any,
    size: Any,
    method: Any = 0,
    align_corners: bool = False,
    preserve_aspect_ratio: bool = False,
    name: str | None = None,
) -> Any:
    """Pictures in another size.

    Args:
        images: (batch, height, width, channels), or one picture without the batch axis.
        size: new height and width.
        method: name, or number: 0 bilinear, 1 nearest, 3 area.
        align_corners: see ``resize_bilinear``.
        preserve_aspect_ratio: must be False.
        name: no effect.
    """
    if preserve_aspect_ratio:
        raise NotSupportedError("resize_images: use `tf.image.resize(..., preserve_aspect_ratio=True)`.")
    method = str(getattr(method, "value", method) if not isinstance(method, int) else _METHODS.get(method, method))
    if len(images.shape) == 3:
        return _resized(ops.expand_dims(images, 0), size, method, align_corners)[0]
    return _resized(images, size, method, align_corners)


def _resized(images: Any, size: Any, method: str, align_corners: bool, half_pixel_centers: bool = False) -> Any:
    if align_corners and half_pixel_centers:
        raise ValueError("resize: `align_corners` and `half_pixel_centers` exclude each other. Set one of them.")
    if half_pixel_centers or (method == "area" and not align_corners):
        return image.resize(images, size, method=method)
    if method not in ("bilinear", "nearest"):
        raise NotSupportedError(
            f"resize: method {method!r} with the pixels of TensorFlow 1 (align_corners={align_corners}) is not "
            "offered. Use `tf.image.resize`, whose places are the centres of pixels."
        )
    return sampled(ops.convert_to_tensor(images), size, align_corners, method)


def extract_image_patches(
    images: Any,
    ksizes: Any = None,
    strides: Any = None,
    rates: Any = None,
    padding: Any = None,
    name: str | None = None,
    sizes: Any = None,
) -> Any:
    """Patches of pictures along the last axis: ``tf.image.extract_patches``, with ``ksizes`` for ``sizes``."""
    return image.extract_patches(images, sizes if ksizes is None else ksizes, strides, rates, padding)
