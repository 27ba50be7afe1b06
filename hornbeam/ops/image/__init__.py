"""Ops on images, with the signatures of ``keras.ops.image``."""

from hornbeam.ops.image.color import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from hornbeam.ops.image.filters import elastic_transform, gaussian_blur, sobel_edges, ssim
from hornbeam.ops.image.patches import extract_patches, extract_patches_3d
from hornbeam.ops.image.resizing import crop_images, pad_images, resize, scale_and_translate
from hornbeam.ops.image.warps import affine_transform, map_coordinates, perspective_transform

__all__ = [
    "affine_transform",
    "crop_images",
    "elastic_transform",
    "extract_patches",
    "extract_patches_3d",
    "gaussian_blur",
    "hsv_to_rgb",
    "map_coordinates",
    "pad_images",
    "perspective_transform",
    "resize",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "scale_and_translate",
    "sobel_edges",
    "ssim",
]
