"""Images. References: TensorFlow ``tf.image``."""

from __future__ import annotations

import importlib
from typing import Any

from hornbeam.base import registry

_HOMES: dict[str, tuple[str, ...]] = {
    "hornbeam.image.boxes": (
        "combined_non_max_suppression",
        "draw_bounding_boxes",
        "non_max_suppression",
        "non_max_suppression_overlaps",
        "non_max_suppression_padded",
        "non_max_suppression_with_scores",
    ),
    "hornbeam.image.color": (
        "adjust_brightness",
        "adjust_contrast",
        "adjust_gamma",
        "adjust_hue",
        "adjust_jpeg_quality",
        "adjust_saturation",
        "grayscale_to_rgb",
        "hsv_to_rgb",
        "per_image_standardization",
        "rgb_to_grayscale",
        "rgb_to_hsv",
        "rgb_to_yiq",
        "rgb_to_yuv",
        "yiq_to_rgb",
        "yuv_to_rgb",
    ),
    "hornbeam.image.crops": (
        "extract_glimpse",
        "sample_distorted_bounding_box",
        "stateless_sample_distorted_bounding_box",
    ),
    "hornbeam.image.dtypes": ("convert_image_dtype",),
    "hornbeam.image.quality": (
        "image_gradients",
        "psnr",
        "sobel_edges",
        "ssim",
        "ssim_multiscale",
        "total_variation",
    ),
    "hornbeam.image.random": (
        "random_brightness",
        "random_contrast",
        "random_crop",
        "random_flip_left_right",
        "random_flip_up_down",
        "random_hue",
        "random_jpeg_quality",
        "random_saturation",
        "stateless_random_brightness",
        "stateless_random_contrast",
        "stateless_random_crop",
        "stateless_random_flip_left_right",
        "stateless_random_flip_up_down",
        "stateless_random_hue",
        "stateless_random_jpeg_quality",
        "stateless_random_saturation",
    ),
    "hornbeam.image.sizes": (
        "ResizeMethod",
        "central_crop",
        "crop_and_resize",
        "crop_to_bounding_box",
        "extract_patches",
        "pad_to_bounding_box",
        "resize",
        "resize_with_crop_or_pad",
        "resize_with_pad",
    ),
    "hornbeam.image.turns": ("flip_left_right", "flip_up_down", "rot90", "transpose"),
    "hornbeam.io.pictures": (
        "decode_and_crop_jpeg",
        "decode_bmp",
        "decode_gif",
        "decode_image",
        "decode_jpeg",
        "decode_png",
        "decode_webp",
        "encode_jpeg",
        "encode_png",
        "extract_jpeg_shape",
        "is_jpeg",
    ),
}
_NAMES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_NAMES)


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        found = getattr(importlib.import_module(_NAMES[name]), name)
        globals()[name] = found
        return found
    raise registry.missing("hornbeam.image", name, __all__)


def __dir__() -> list[str]:
    return [*__all__]
