"""Endless batches of changed pictures: ``Iterator``, and the one over arrays.

References: Keras ``preprocessing.image.Iterator``, ``NumpyArrayIterator``.
"""

from __future__ import annotations

import os
import threading
import warnings
from typing import Any

import numpy as np

from hornbeam.base import settings
from hornbeam.base.errors import DataError, explain
from hornbeam.keras.utils.image_utils import array_to_img
from hornbeam.keras.utils.py_dataset import PyDataset

__all__ = ["Iterator", "NumpyArrayIterator"]


class Iterator(PyDataset):
    """Base of the picture iterators: which samples make up which batch.

    Batches come by number (``iterator[3]``), in the order of one epoch, or one after another without end
    (``next(iterator)``). Random draws are those of NumPy's global generator, seeded before each batch with ``seed``
    plus the number of batches made so far, if a seed is given.

    Args:
        n: samples in an epoch.
        batch_size: samples in a batch; the last one of an epoch may have fewer.
        shuffle: a new order for each epoch.
        seed: makes order and changes repeatable; None leaves them to NumPy's generator.
        **kwargs: of `PyDataset`: ``workers``, ``use_multiprocessing``, ``max_queue_size``.

    References: Keras ``preprocessing.image.Iterator``.
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = n
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.batch_index = 0
        self.total_batches_seen = 0
        self.index_array: Any = None
        self.lock = threading.Lock()

    def _set_index_array(self) -> None:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _seed_next(self) -> None:
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)

    def __getitem__(self, idx: int) -> Any:
        if not 0 <= idx < len(self):
            raise ValueError(f"{type(self).__name__} has {len(self)} batches. Received: batch number {idx}")
        self._seed_next()
        self.total_batches_seen += 1
        if self.index_array is None:
            self._set_index_array()
        assert self.index_array is not None
        start = self.batch_size * idx
        return self._get_batches_of_transformed_samples(self.index_array[start : start + self.batch_size])

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def on_epoch_end(self) -> None:
        """Called by `fit` after an epoch: a new order for the next one."""
        self._set_index_array()

    def reset(self) -> None:
        """Let ``next`` start an epoch anew."""
        self.batch_index = 0

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        # Only the choice of samples is under the lock: batches may be made at the same time.
        with self.lock:
            chosen = self._next_indices()
        return self._get_batches_of_transformed_samples(chosen)

    def next(self) -> Any:
        """The next batch, as the built-in ``next`` gives it."""
        return self.__next__()

    def _next_indices(self) -> np.ndarray:
        if self.n == 0:
            raise DataError(
                explain(
                    f"{type(self).__name__} holds no samples.",
                    expected="at least one picture",
                    received=self._source(),
                    fix="look at the folder, the file names' endings, and `subset` with `validation_split`",
                )
            )
        self._seed_next()
        if self.batch_index == 0 or self.index_array is None:
            self._set_index_array()
        assert self.index_array is not None
        start = (self.batch_index * self.batch_size) % self.n
        self.batch_index = self.batch_index + 1 if self.n > start + self.batch_size else 0
        self.total_batches_seen += 1
        return self.index_array[start : start + self.batch_size]

    def _source(self) -> str:
        return "an empty array"

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        """One batch.

        Args:
            index_array: numbers of the samples in it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} is an Iterator without `_get_batches_of_transformed_samples`: define how a batch "
            "is made of the samples' numbers."
        )

    def __getstate__(self) -> dict[str, Any]:
        # A lock cannot go to another process; that one makes its own.
        return {name: value for name, value in self.__dict__.items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.lock = threading.Lock()


def save_pictures(batch: np.ndarray, numbers: Any, iterator: Any, most_names: int) -> None:
    """Write each picture of a batch to the iterator's ``save_to_dir``, under a name that is hardly there yet."""
    for picture, number in zip(batch, numbers, strict=True):
        name = f"{iterator.save_prefix}_{number}_{np.random.randint(most_names)}.{iterator.save_format}"
        array_to_img(picture, iterator.data_format, scale=True).save(os.path.join(iterator.save_to_dir, name))


class NumpyArrayIterator(Iterator):
    """Batches of changed pictures out of an array.

    Args:
        x: pictures (samples, height, width, channels), or channels first; or a pair of these and an array, or list
            of arrays, of further inputs, which are passed on unchanged.
        y: targets, or None.
        image_data_generator: the `ImageDataGenerator` that changes the pictures.
        batch_size: samples in a batch.
        shuffle: a new order for each epoch.
        sample_weight: weights, or None.
        seed: makes order and changes repeatable.
        data_format: ``"channels_last"`` or ``"channels_first"``; default: the global setting.
        save_to_dir: folder where the changed pictures are written, or None.
        save_prefix: start of those files' names.
        save_format: ``"png"`` or ``"jpeg"``.
        subset: ``"training"`` or ``"validation"``: a part by the generator's ``validation_split``.
        ignore_class_split: do not check that both parts have the same classes.
        dtype: of the batches; default: the global float type.

    References: Keras ``preprocessing.image.NumpyArrayIterator``.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: Any = None,
    ) -> None:
        self.dtype = dtype or settings.floatx()
        self.data_format = data_format or settings.image_data_format()
        x, others = _with_others(x)
        for name, beside in (
            *(("further input", other) for other in others),
            ("y", y),
            ("sample_weight", sample_weight),
        ):
            if beside is not None and len(beside) != len(x):
                raise ValueError(
                    explain(
                        "Pictures and what goes with them must be of one length.",
                        expected=f"{len(x)} entries, as `x` of shape {np.shape(x)} has",
                        received=f"{len(beside)} in {name}, of shape {np.shape(beside)}",
                    )
                )
        part = slice(None)
        if subset is not None:
            border = int(len(x) * image_data_generator._validation_split)
            part = _part_of(subset, border)
            if y is not None and not ignore_class_split:
                _check_classes(np.asarray(y), border)
        self.x = np.asarray(x[part], dtype=self.dtype)
        self.x_misc = [other[part] for other in others]
        self.y = None if y is None else np.asarray(y[part])
        # Keras forgets to cut the weights too, and then takes those of other samples.
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight)[part]
        self._check_pictures()
        self.image_data_generator = image_data_generator
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _check_pictures(self) -> None:
        if self.x.ndim != 4:
            raise ValueError(
                "Pictures must have four axes: samples, rows, columns, channels. Received an array of shape "
                f"{self.x.shape}"
            )
        axis = 3 if self.data_format == "channels_last" else 1
        if self.x.shape[axis] not in (1, 3, 4):
            warnings.warn(
                f"Pictures have 1, 3 or 4 channels, on axis {axis} for data_format={self.data_format!r}; these, of "
                f"shape {self.x.shape}, have {self.x.shape[axis]}.",
                stacklevel=4,
            )

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        batch = self.image_data_generator._changed(self.x[index_array]).astype(self.dtype, copy=False)
        if self.save_to_dir:
            save_pictures(batch, index_array, self, 10_000)
        first = [batch, *(other[index_array] for other in self.x_misc)] if self.x_misc else batch
        if self.y is None:
            return first
        found = (first, self.y[index_array])
        return found if self.sample_weight is None else (*found, self.sample_weight[index_array])


def _with_others(x: Any) -> tuple[Any, list[np.ndarray]]:
    if not isinstance(x, (tuple, list)):
        return np.asarray(x) if not hasattr(x, "shape") else x, []
    others = x[1] if isinstance(x[1], list) else [x[1]]
    return np.asarray(x[0]), [np.asarray(other) for other in others]


def _part_of(subset: str, border: int) -> slice:
    if subset not in ("training", "validation"):
        raise ValueError(f"`subset` is 'training' or 'validation'. Received: subset={subset!r}")
    return slice(None, border) if subset == "validation" else slice(border, None)


def _check_classes(y: np.ndarray, border: int) -> None:
    if not np.array_equal(np.unique(y[:border]), np.unique(y[border:])):
        raise ValueError(
            explain(
                "The training and the validation part would not hold the same classes.",
                expected="every class in both parts",
                received=f"classes {np.unique(y[:border])} for validation, {np.unique(y[border:])} for training",
                fix="shuffle x and y together before the split, or give ignore_class_split=True",
            )
        )
