"""Batches of pictures that are read from files while they are asked for."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator as Stream
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

from hornbeam.base import settings
from hornbeam.base.errors import DataError, explain
from hornbeam.keras.preprocessing.image.iterators import Iterator, save_pictures
from hornbeam.keras.utils import terminal
from hornbeam.keras.utils.image_utils import img_to_array, load_img

__all__ = ["BatchFromFilesMixin", "DirectoryIterator"]

_CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}


@cache
def _readers() -> ThreadPoolExecutor:
    """Threads that decode pictures; Pillow lets others run meanwhile."""
    return ThreadPoolExecutor(max_workers=min(16, os.cpu_count() or 1), thread_name_prefix="hornbeam-pictures")


if hasattr(os, "register_at_fork"):
    # A forked worker inherits the pool's record, but none of its threads.
    os.register_at_fork(after_in_child=_readers.cache_clear)


class BatchFromFilesMixin:
    """What iterators over picture files share: reading, changing, saving, labels.

    References: Keras ``preprocessing.image`` (``BatchFromFilesMixin``).
    """

    dtype: Any
    class_mode: str | None
    classes: Any
    class_indices: dict[str, int]
    _filepaths: list[str]

    def set_processing_attrs(
        self,
        image_data_generator: Any,
        target_size: Any,
        color_mode: str,
        data_format: str,
        save_to_dir: str | None,
        save_prefix: str,
        save_format: str,
        subset: str | None,
        interpolation: str,
        keep_aspect_ratio: bool,
    ) -> None:
        """Note how files become batches; arguments as those of `DirectoryIterator`."""
        if color_mode not in _CHANNELS:
            raise ValueError(f"`color_mode` is one of {tuple(_CHANNELS)}. Received: color_mode={color_mode!r}")
        if subset not in (None, "training", "validation"):
            raise ValueError(f"`subset` is 'training', 'validation' or None. Received: subset={subset!r}")
        self.image_data_generator = image_data_generator
        self.target_size = tuple(target_size)
        self.keep_aspect_ratio = keep_aspect_ratio
        self.color_mode = color_mode
        self.data_format = data_format
        channels = (_CHANNELS[color_mode],)
        self.image_shape = (
            self.target_size + channels if data_format == "channels_last" else channels + self.target_size
        )
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format
        self.interpolation = interpolation
        self.split = None
        if subset is not None:
            border = image_data_generator._validation_split
            self.split = (0, border) if subset == "validation" else (border, 1)
        self.subset = subset

    def _read(self, path: str) -> np.ndarray:
        try:
            picture = load_img(
                path,
                color_mode=self.color_mode,
                target_size=self.target_size,
                interpolation=self.interpolation,
                keep_aspect_ratio=self.keep_aspect_ratio,
            )
            return img_to_array(picture, data_format=self.data_format, dtype=self.dtype)
        except (OSError, SyntaxError, EOFError) as error:
            # Pillow says what is wrong with a file, but not with which one.
            if isinstance(error, FileNotFoundError):
                raise
            raise DataError(
                explain(
                    f"The picture {path} cannot be read: {error.__cause__ or error}.",
                    expected="a whole file of one of these formats: " + ", ".join(Iterator.white_list_formats),
                    fix="mend or remove the file, then make the iterator anew",
                )
            ) from error

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        paths = [self.filepaths[number] for number in index_array]
        pictures = np.stack(list(_readers().map(self._read, paths)))
        generator = self.image_data_generator
        batch = (generator._changed(pictures) if generator else pictures).astype(self.dtype, copy=False)
        if self.save_to_dir:
            save_pictures(batch, index_array, self, 10_000_000)
        targets = self._targets_of(batch, index_array)
        if targets is None:
            return batch
        if self.sample_weight is None:
            return batch, targets
        return batch, targets, self.sample_weight[index_array]

    def _targets_of(self, batch: np.ndarray, numbers: np.ndarray) -> Any:
        mode = self.class_mode
        if mode == "input":
            return batch.copy()
        if mode in ("binary", "sparse"):
            return np.array([self.classes[number] for number in numbers], dtype=self.dtype)
        if mode == "categorical":
            found = np.zeros((len(batch), len(self.class_indices)), dtype=self.dtype)
            for row, number in zip(found, numbers, strict=True):
                row[self.classes[number]] = 1
            return found
        if mode == "multi_output":
            return [output[numbers] for output in self.labels]
        return self.labels[numbers] if mode == "raw" else None

    @property
    def filepaths(self) -> list[str]:
        """Paths of all files, in the samples' order."""
        return self._filepaths

    @property
    def labels(self) -> Any:
        """Labels of all samples."""
        raise NotImplementedError(f"{type(self).__name__} does not say what the labels of its samples are.")

    @property
    def sample_weight(self) -> np.ndarray | None:
        """Weights of all samples, or None."""
        return None


def picture_files(folder: str, formats: tuple[str, ...], follow_links: bool) -> Stream[str]:
    """Paths of the pictures below a folder: folder by folder, each in the order of the alphabet."""
    for root, _, names in sorted(os.walk(folder, followlinks=follow_links), key=lambda found: found[0]):
        for name in sorted(names):
            if name.lower().endswith(formats):
                if name.lower().endswith(".tiff"):
                    warnings.warn(
                        f"{os.path.join(root, name)}: of a TIFF file with several pages or bands only what fits the "
                        "colour mode is read.",
                        stacklevel=4,
                    )
                yield os.path.join(root, name)


class DirectoryIterator(BatchFromFilesMixin, Iterator):
    """Batches of changed pictures out of a folder with one subfolder for each class.

    Args:
        directory: the folder.
        image_data_generator: the `ImageDataGenerator` that changes the pictures, or None.
        target_size: (height, width) that pictures are resized to, in pixels.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        classes: names of the subfolders, in the order of the labels; default: all, in the order of the alphabet.
        class_mode: form of the targets: ``"categorical"`` (one-hot), ``"binary"``, ``"sparse"`` (label numbers),
            ``"input"`` (the pictures themselves), None for none.
        batch_size: pictures in a batch.
        shuffle: a new order for each epoch.
        seed: makes order and changes repeatable.
        data_format: ``"channels_last"`` or ``"channels_first"``; default: the global setting.
        save_to_dir: folder where the changed pictures are written, or None.
        save_prefix: start of those files' names.
        save_format: ``"png"`` or ``"jpeg"``.
        follow_links: also look into folders that are symbolic links.
        subset: ``"training"`` or ``"validation"``: a part by the generator's ``validation_split``.
        interpolation: how pictures are resized: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"lanczos"``,
            ``"box"`` or ``"hamming"``.
        keep_aspect_ratio: cut the middle out instead of distorting.
        dtype: of the batches; default: the global float type.

    Raises:
        ValueError: an unknown mode or subset.
        DataError: later, when a picture that cannot be read is needed.

    References: Keras ``preprocessing.image.DirectoryIterator``.
    """

    allowed_class_modes = {"categorical", "binary", "sparse", "input", None}

    def __init__(
        self,
        directory: Any,
        image_data_generator: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = None,
    ) -> None:
        self.set_processing_attrs(
            image_data_generator,
            target_size,
            color_mode,
            data_format or settings.image_data_format(),
            save_to_dir,
            save_prefix,
            save_format,
            subset,
            interpolation,
            keep_aspect_ratio,
        )
        if class_mode not in self.allowed_class_modes:
            raise ValueError(
                f"`class_mode` of a folder is one of {self.allowed_class_modes}. Received: class_mode={class_mode!r}"
            )
        self.directory = os.fspath(directory)
        self.class_mode = class_mode
        self.dtype = dtype or settings.floatx()
        names = list(classes) if classes else _subfolders(self.directory)
        self.num_classes = len(names)
        self.class_indices = {name: number for number, name in enumerate(names)}
        self.filenames: list[str] = []
        labels: list[int] = []
        for name in names:
            found = self._files_of(name, follow_links)
            self.filenames += found
            labels += [self.class_indices[name]] * len(found)
        self.samples = len(self.filenames)
        self.classes = np.array(labels, dtype="int32")
        terminal.print_message(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        Iterator.__init__(self, self.samples, batch_size, shuffle, seed)

    def _files_of(self, name: str, follow_links: bool) -> list[str]:
        folder = os.path.join(self.directory, name)
        found = [
            os.path.relpath(path, self.directory)
            for path in picture_files(folder, self.white_list_formats, follow_links)
        ]
        if not found:
            warnings.warn(f"The class folder {folder} holds no pictures ({self.white_list_formats}).", stacklevel=4)
        if self.split:
            found = found[int(self.split[0] * len(found)) : int(self.split[1] * len(found))]
        return found

    def _source(self) -> str:
        return f"the folder {self.directory}"

    @property
    def labels(self) -> np.ndarray:
        return self.classes


def _subfolders(directory: str) -> list[str]:
    if not os.path.isdir(directory):
        raise FileNotFoundError(
            f"There is no folder {directory!r}. Check the name, and the current folder ({os.getcwd()})."
        )
    return sorted(name for name in os.listdir(directory) if os.path.isdir(os.path.join(directory, name)))
