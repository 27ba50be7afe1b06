"""``image_dataset_from_directory``: a folder of pictures as batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.base import settings
from hornbeam.base.errors import explain
from hornbeam.core.spec import TensorSpec
from hornbeam.data import Dataset
from hornbeam.keras.utils.dataset_utils import (
    FileNode,
    Files,
    check_format,
    check_labels,
    check_split,
    datasets_of,
    index_directory,
)
from hornbeam.keras.utils.image_dataset_batches import FileBatches
from hornbeam.keras.utils.image_dataset_memory import Kept
from hornbeam.keras.utils.image_dataset_reading import INTERPOLATIONS, PictureReader

__all__ = ["image_dataset_from_directory"]

ALLOWLIST_FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Batches of the pictures below a folder, read while they are asked for.

    Pictures are BMP, GIF (the first frame), JPEG and PNG files. They are decoded in threads, ahead of their use, and
    stay in memory from the second pass on if all of them take at most a quarter of what is free (and 2 GiB). The
    variable ``HORNBEAM_KEEP_PICTURES=0`` turns this off.

    Args:
        directory: the folder, with one subfolder for each class if labels are inferred.
        labels: ``"inferred"``; None; or a list with a label for each file, in the order of the paths.
        label_mode: ``"int"`` (int32), ``"categorical"`` (float32, one-hot), ``"binary"`` (float32 0 or 1, for two
            classes), None for no labels.
        class_names: the subfolders that count, in the order of the labels; by default all, in alphabetical order.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        batch_size: pictures in a batch; None for single ones.
        image_size: (height, width) of the result, in pixels.
        shuffle: in another order for each pass; else in the order of the paths.
        seed: seed of the order.
        validation_split: share of the pictures kept for validation, between 0 and 1.
        subset: ``"training"``, ``"validation"``, or ``"both"`` for a pair; with ``validation_split``.
        interpolation: ``"bilinear"``, ``"nearest"``, ``"bicubic"``, ``"area"``, ``"lanczos3"``, ``"lanczos5"``,
            ``"gaussian"`` or ``"mitchellcubic"``.
        follow_links: also look into folders that are symbolic links.
        crop_to_aspect_ratio: cut the middle out instead of distorting.
        pad_to_aspect_ratio: fill up with black instead of distorting.
        data_format: ``"channels_last"`` or ``"channels_first"``; default: the global setting.
        format: only ``"tf"``.
        verbose: print how many files there are.

    Returns:
        `tf.data.Dataset` of float32 pictures (batch, height, width, channels) in 0..255 (uint8 for ``"nearest"``), or
        of pairs with the labels; it has the attributes ``class_names`` and ``file_paths``. A list of two for
        ``subset="both"``.

    Raises:
        ValueError: arguments that do not fit each other or the folder; no pictures.
        DataError: later, when a file that cannot be read is needed; it names the file.

    Example:
        >>> train, validation = image_dataset_from_directory(  # doctest: +SKIP
        ...     "photos", image_size=(180, 180), validation_split=0.2, subset="both", seed=1
        ... )

    References: Keras ``utils.image_dataset_from_directory``.
    """
    labels, label_mode = check_labels(labels, label_mode, class_names)
    if color_mode not in _CHANNELS:
        raise ValueError(f"`color_mode` is one of {tuple(_CHANNELS)}. Received: color_mode={color_mode!r}")
    check_format(format)
    check_split(validation_split, subset, shuffle, seed)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("Give one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio`, not both.")
    interpolation = interpolation.lower()
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            explain(
                "Unknown `interpolation`.",
                expected=f"one of {INTERPOLATIONS}",
                received=f"interpolation={interpolation!r}",
            )
        )
    fit = "crop" if crop_to_aspect_ratio else "pad" if pad_to_aspect_ratio else ""
    is_first = settings.standardize_data_format(data_format) == "channels_first"
    reader = PictureReader(_pair(image_size), _CHANNELS[color_mode], interpolation, fit, is_first)
    seed = int(np.random.randint(1_000_000)) if seed is None else seed
    files = index_directory(directory, labels, ALLOWLIST_FORMATS, class_names, shuffle, seed, follow_links, verbose)

    kept = Kept(reader, len(files.paths))

    def make(part: Files) -> Dataset:
        return Dataset(FileNode(part, kept, TensorSpec(reader.shape, reader.dtype), label_mode))

    def batches(part: Files, buffer: int) -> Dataset:
        return Dataset(FileBatches(part, kept, label_mode, batch_size or 1, buffer, seed))

    return datasets_of(
        files,
        make,
        what="image",
        formats=ALLOWLIST_FORMATS,
        label_mode=label_mode,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        batches=None if batch_size is None else batches,
    )


def _pair(size: Any) -> tuple[int, int]:
    if isinstance(size, int):
        size = (size, size)
    if not isinstance(size, (list, tuple)) or len(size) != 2:
        raise ValueError(
            f"`image_size` is a pair (height, width), or one number for both. Received: image_size={size!r}"
        )
    return int(size[0]), int(size[1])
