"""``text_dataset_from_directory``: a folder of text files as batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

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

__all__ = ["text_dataset_from_directory"]

_FORMATS = (".txt",)


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Batches of the texts below a folder (``.txt`` files), read while they are asked for.

    Args:
        directory: the folder, with one subfolder for each class if labels are inferred.
        labels: ``"inferred"``; None; or a list with a label for each file, in the order of the paths.
        label_mode: ``"int"``, ``"categorical"``, ``"binary"``, or None for no labels.
        class_names: the subfolders that count, in the order of the labels.
        batch_size: texts in a batch; None for single ones.
        max_length: only so many bytes from the beginning of each file; None for all.
        shuffle: in another order for each pass; else in the order of the paths.
        seed: seed of the order.
        validation_split: share of the files kept for validation, between 0 and 1.
        subset: ``"training"``, ``"validation"``, or ``"both"`` for a pair; with ``validation_split``.
        follow_links: also look into folders that are symbolic links.
        format: only ``"tf"``.
        verbose: print how many files there are.

    Returns:
        `tf.data.Dataset` of texts (batch,), or of pairs with the labels; it has the attribute ``class_names``. A list
        of two for ``subset="both"``.

    Raises:
        ValueError: arguments that do not fit each other or the folder; no texts.

    References: Keras ``utils.text_dataset_from_directory``.
    """
    labels, label_mode = check_labels(labels, label_mode, class_names)
    check_format(format)
    check_split(validation_split, subset, shuffle, seed)
    seed = int(np.random.randint(1_000_000)) if seed is None else seed
    files = index_directory(directory, labels, _FORMATS, class_names, shuffle, seed, follow_links, verbose)

    def read(path: str) -> bytes:
        with open(path, "rb") as file:
            return file.read(-1 if max_length is None else max_length)

    def make(part: Files) -> Dataset:
        return Dataset(FileNode(part, read, TensorSpec((), "string"), label_mode))

    return datasets_of(
        files,
        make,
        what="text",
        formats=_FORMATS,
        label_mode=label_mode,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
    )
