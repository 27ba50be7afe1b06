"""Pictures: files, arrays, and random changes of them.

References: Keras ``keras.preprocessing.image``.
"""

from hornbeam.keras.preprocessing.image.dataframe import DataFrameIterator
from hornbeam.keras.preprocessing.image.files import DirectoryIterator
from hornbeam.keras.preprocessing.image.generator import ImageDataGenerator
from hornbeam.keras.preprocessing.image.iterators import Iterator, NumpyArrayIterator
from hornbeam.keras.preprocessing.image.pixels import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)
from hornbeam.keras.utils.image_utils import array_to_img, img_to_array, load_img, save_img, smart_resize

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "array_to_img",
    "img_to_array",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "smart_resize",
]
