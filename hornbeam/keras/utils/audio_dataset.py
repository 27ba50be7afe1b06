"""``audio_dataset_from_directory``: a folder of WAV files as batches."""

from __future__ import annotations

import math
import wave
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.base.errors import DataError, NotSupportedError, explain
from hornbeam.core.spec import TensorSpec
from hornbeam.data import Dataset
from hornbeam.keras.utils.dataset_utils import (
    FileNode,
    Files,
    check_labels,
    check_split,
    datasets_of,
    index_directory,
)

__all__ = ["audio_dataset_from_directory"]

_FORMATS = (".wav",)
_BYTE_MIDDLE = 128


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """Batches of the sounds below a folder (``.wav`` files of plain samples), read while they are asked for.

    Args:
        directory: the folder, with one subfolder for each class if labels are inferred.
        labels: ``"inferred"``; None; or a list with a label for each file, in the order of the paths.
        label_mode: ``"int"``, ``"categorical"``, ``"binary"``, or None for no labels.
        class_names: the subfolders that count, in the order of the labels.
        batch_size: sounds in a batch; None for single ones.
        sampling_rate: samples per second to resample to (by SciPy); None keeps the files' own.
        output_sequence_length: samples to cut or fill up each sound to; None: the longest of its batch.
        ragged: ragged batches instead of filled up ones.
        shuffle: in another order for each pass; else in the order of the paths.
        seed: seed of the order.
        validation_split: share of the files kept for validation, between 0 and 1.
        subset: ``"training"``, ``"validation"``, or ``"both"`` for a pair; with ``validation_split``.
        follow_links: also look into folders that are symbolic links.
        verbose: print how many files there are.

    Returns:
        `tf.data.Dataset` of float32 sounds (batch, samples, channels) in -1..1, or of pairs with the labels; it has
        the attribute ``class_names``. A list of two for ``subset="both"``.

    Raises:
        ValueError: arguments that do not fit each other or the folder; no sounds.
        DataError: later, when a file that cannot be read is needed; it names the file.

    References: Keras ``utils.audio_dataset_from_directory``.
    """
    labels, label_mode = check_labels(labels, label_mode, class_names)
    if ragged and output_sequence_length is not None:
        raise ValueError("Ragged sounds keep their lengths: give `ragged` or `output_sequence_length`, not both.")
    if sampling_rate is not None and (not isinstance(sampling_rate, int) or sampling_rate <= 0):
        raise ValueError(f"`sampling_rate` is a positive integer, in samples per second. Received: {sampling_rate!r}")
    check_split(validation_split, subset, shuffle, seed)
    seed = int(np.random.randint(1_000_000)) if seed is None else seed
    files = index_directory(directory, labels, _FORMATS, class_names, shuffle, seed, follow_links, verbose)

    def read(path: str) -> np.ndarray:
        return read_wav(path, sampling_rate, output_sequence_length)

    def make(part: Files) -> Dataset:
        return Dataset(FileNode(part, read, TensorSpec((output_sequence_length, None), "float32"), label_mode))

    def batched(dataset: Dataset, size: int) -> Dataset:
        if ragged:
            return dataset.ragged_batch(size)
        return dataset.padded_batch(size) if output_sequence_length is None else dataset.batch(size)

    return datasets_of(
        files,
        make,
        what="audio",
        formats=_FORMATS,
        label_mode=label_mode,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        batched=batched,
    )


def read_wav(path: str, sampling_rate: int | None = None, length: int | None = None) -> np.ndarray:
    """Samples (time, channels) of a WAV file, float32 in -1..1.

    Raises:
        DataError: no such file, or one of packed samples.
    """
    try:
        with wave.open(path, "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            content = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise DataError(
            explain(
                f"The sound {path} cannot be read: {error or 'it ends too early'}.",
                expected="a whole WAV file of plain (PCM) samples",
                fix="mend or remove the file",
            )
        ) from error
    whole = len(content) // (width * channels) * width * channels
    samples = _numbers(content[:whole], width).reshape(-1, channels)
    if length is not None:
        samples = samples[:length]
        samples = np.pad(samples, [(0, length - len(samples)), (0, 0)])
    if sampling_rate is not None and sampling_rate != rate:
        samples = _resampled(samples, rate, sampling_rate)
    return samples


def _numbers(content: bytes, width: int) -> np.ndarray:
    if width == 1:
        return (np.frombuffer(content, "uint8").astype("float32") - _BYTE_MIDDLE) / _BYTE_MIDDLE
    if width == 3:
        # Three bytes become the upper ones of four.
        wide = np.zeros((len(content) // 3, 4), "uint8")
        wide[:, 1:] = np.frombuffer(content, "uint8").reshape(-1, 3)
        content, width = wide.tobytes(), 4
    return (np.frombuffer(content, f"<i{width}") / np.float64(1 << (8 * width - 1))).astype("float32")


def _resampled(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    try:
        from scipy import signal
    except ImportError as error:
        raise NotSupportedError(
            explain(
                f"Resampling sounds from {rate} to {wanted} samples per second is done by SciPy.",
                expected="the package scipy",
                received="it is not installed",
                fix="install scipy, or leave `sampling_rate` out",
            )
        ) from error
    divisor = math.gcd(rate, wanted)
    return signal.resample_poly(samples, wanted // divisor, rate // divisor, axis=0).astype("float32")
