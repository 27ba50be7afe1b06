"""What data sets over folders share: which files, in which order, with which labels."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbeam.base.errors import DataError, NotSupportedError, explain
from hornbeam.core.spec import TensorSpec
from hornbeam.data import AUTOTUNE, Dataset
from hornbeam.data.blocks import Block
from hornbeam.data.plan import Indexed, IndexedNode, Scope
from hornbeam.keras.utils import terminal

LABEL_MODES = ("int", "categorical", "binary", None)
_WITHOUT_BATCHES_BUFFER = 1024


class Files:
    """The files of a folder, with their labels.

    Attributes:
        directory: the folder.
        paths: paths of the files.
        labels: a number for each file, or None.
        class_names: names of the classes, or None.
    """

    def __init__(
        self, directory: str, paths: list[str], labels: list[int] | None, class_names: list[str] | None
    ) -> None:
        self.directory = directory
        self.paths = paths
        self.labels = labels
        self.class_names = class_names

    def part(self, subset: str, share: float) -> Files:
        """The last ``share`` of the files for ``"validation"``, the others for ``"training"``."""
        border = len(self.paths) - int(share * len(self.paths))
        kept = slice(border, None) if subset == "validation" else slice(None, border)
        paths = self.paths[kept]
        terminal.print_message(f"Using {len(paths)} files for {subset}.")
        return Files(self.directory, paths, None if self.labels is None else self.labels[kept], self.class_names)


def check_labels(labels: Any, label_mode: str | None, class_names: Any) -> tuple[Any, str | None]:
    """Labels and their mode, both None if there are none.

    Raises:
        ValueError: they are of the wrong kind, or do not fit each other.
    """
    if label_mode not in LABEL_MODES:
        raise ValueError(f"`label_mode` is one of {LABEL_MODES}. Received: label_mode={label_mode!r}")
    if not (labels is None or (isinstance(labels, str) and labels == "inferred")):
        if not isinstance(labels, (list, tuple)):
            raise ValueError(
                explain(
                    "`labels` says which label each file has.",
                    expected="'inferred' (by subfolder), None, or a list of as many integers as there are files",
                    received=f"labels={labels!r}",
                )
            )
        if class_names:
            raise ValueError(
                "`class_names` orders subfolders and is only for labels='inferred', not for a list of labels."
            )
    return (None, None) if labels is None or label_mode is None else (labels, label_mode)


def check_split(validation_split: float | None, subset: str | None, shuffle: bool, seed: int | None) -> None:
    """Check that share, part and seed go together.

    Raises:
        ValueError: they do not.
    """
    if validation_split and not 0 < validation_split < 1:
        raise ValueError(
            f"`validation_split` is a share between 0 and 1. Received: validation_split={validation_split}"
        )
    if bool(validation_split) != bool(subset):
        raise ValueError(
            "`subset` and `validation_split` belong together: give both or neither. "
            f"Received: subset={subset!r}, validation_split={validation_split}"
        )
    if subset not in ("training", "validation", "both", None):
        raise ValueError(f"`subset` is 'training', 'validation' or 'both'. Received: subset={subset!r}")
    if validation_split and shuffle and seed is None:
        raise ValueError(
            "Files are shuffled before the split: without a `seed` training and validation files would overlap. "
            "Give the same seed in both calls, or shuffle=False."
        )


def check_format(given: str) -> None:
    """Check ``format``.

    Raises:
        ValueError: unknown.
        NotSupportedError: ``"grain"``.
    """
    if given == "grain":
        raise NotSupportedError("format='grain' is not offered; the default format='tf' gives a `tf.data.Dataset`.")
    if given != "tf":
        raise ValueError(f"`format` is 'tf'. Received: format={given!r}")


def index_directory(
    directory: Any,
    labels: Any,
    formats: tuple[str, ...],
    class_names: Sequence[str] | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Files:
    """The files of a folder: class by class, each in the order of the alphabet, then shuffled.

    Args:
        directory: the folder.
        labels: ``"inferred"``: each subfolder is a class; None; or a label for each file, in the order of the paths.
        formats: endings of the files that count, in small letters.
        class_names: subfolders that count, in the order of the labels; all by default.
        shuffle: in random order.
        seed: seed of the order.
        follow_links: also look into folders that are symbolic links.
        verbose: print how many files there are.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: names or labels that do not fit the folder.
    """
    directory = os.fspath(directory)
    if not os.path.isdir(directory):
        raise FileNotFoundError(
            f"There is no folder {directory!r}. Check the name, and the current folder ({os.getcwd()})."
        )
    folders = [""]
    if isinstance(labels, str):
        folders = _class_folders(directory, class_names)
    elif class_names is not None:
        raise ValueError("`class_names` orders subfolders and is only for labels='inferred'.")
    paths: list[str] = []
    numbers: list[int] = []
    for number, folder in enumerate(folders):
        found = _files_below(os.path.join(directory, folder), formats, follow_links)
        paths += found
        numbers += [number] * len(found)
    filled = set(numbers)
    empty = [folder for number, folder in enumerate(folders) if number not in filled]
    if empty and paths:
        warnings.warn(
            f"Class folders of {directory} without a file that ends in one of {formats}: {', '.join(empty)}. "
            "They count as classes all the same.",
            stacklevel=3,
        )
    names: list[str] | None = folders
    if labels is None:
        numbers, names = [], None
    elif not isinstance(labels, str):
        if len(labels) != len(paths):
            raise ValueError(
                explain(
                    "`labels` does not fit the folder.",
                    expected=f"{len(paths)} labels, one for each file below {directory} that ends in {formats}",
                    received=f"{len(labels)} labels",
                )
            )
        numbers, names = list(labels), [str(label) for label in sorted(set(labels))]
    if verbose:
        classes = "" if names is None else f" belonging to {len(names)} classes"
        terminal.print_message(f"Found {len(paths)} files{classes}.")
    if shuffle:
        # Two generators of one seed bring both lists into the same order.
        for values in (paths, numbers):
            np.random.RandomState(seed).shuffle(values)
    return Files(directory, paths, None if names is None else numbers, names)


def _class_folders(directory: str, class_names: Sequence[str] | None) -> list[str]:
    there = sorted(
        name for name in os.listdir(directory) if os.path.isdir(os.path.join(directory, name)) and name[0] != "."
    )
    if class_names is None:
        return there
    if not set(class_names) <= set(there):
        raise ValueError(
            explain(
                "`class_names` names subfolders that are not there.",
                expected=f"some of {there}",
                received=f"class_names={list(class_names)}",
            )
        )
    return list(class_names)


def _files_below(folder: str, formats: tuple[str, ...], follow_links: bool) -> list[str]:
    return [
        os.path.join(root, name)
        for root, _, names in sorted(os.walk(folder, followlinks=follow_links), key=lambda found: found[0])
        for name in sorted(names)
        if name.lower().endswith(formats)
    ]


class FileNode(IndexedNode):
    """The contents of files, each with its label.

    Args:
        files: the files.
        read: from a path to an array (or ``bytes``); called in several threads.
        spec: of what it gives.
        label_mode: form of the labels.
    """

    def __init__(self, files: Files, read: Callable[[str], Any], spec: TensorSpec, label_mode: str | None) -> None:
        super().__init__()
        self._rows = _FileRows(files, read, label_mode)
        self._spec = spec

    def make_spec(self) -> Any:
        """Spec of a content, or of content and label."""
        labels = self._rows.labels
        return self._spec if labels is None else (self._spec, TensorSpec(labels.shape[1:], labels.dtype.name))

    def size(self) -> int:
        """Number of files."""
        return self._rows.size

    def indexed(self, scope: Scope) -> Indexed:
        """The files by number."""
        return self._rows


class _FileRows(Indexed):
    def __init__(self, files: Files, read: Callable[[str], Any], label_mode: str | None) -> None:
        self._paths, self._read = files.paths, read
        self.size = len(files.paths)
        self.labels = None if label_mode is None else encoded_labels(files, label_mode)
        self.parallel = min(16, max(2, os.cpu_count() or 1))

    @property
    def skeleton(self) -> Any:
        """A content, or a pair."""
        return 0 if self.labels is None else (0, 0)

    def rows(self, places: np.ndarray) -> Block:
        """The files of these numbers, read now."""
        contents = [self._read(self._paths[place]) for place in places.tolist()]
        columns: list[Any] = [contents] if self.labels is None else [contents, self.labels[places]]
        return Block(self.skeleton, columns, len(places))


def encoded_labels(files: Files, label_mode: str) -> np.ndarray:
    """Labels of all files: int32, or float32 where they are no whole numbers; of one axis more, and always float32, for
    ``"binary"`` and ``"categorical"``.

    Raises:
        ValueError: labels that are no numbers, or for ``"categorical"`` not those of the classes.
    """
    given = np.asarray(files.labels)
    if given.size and given.dtype.kind not in "biuf":
        raise ValueError(f"`labels` is a list of numbers. Received: {given[0]!r}")
    numbers = given.astype("float32" if given.dtype.kind == "f" else "int32")
    if label_mode == "binary":
        return numbers.astype("float32")[:, None]
    if label_mode == "categorical":
        count = len(files.class_names or ())
        wrong = numbers[~np.isin(numbers, np.arange(count))]
        if wrong.size:
            raise ValueError(
                explain(
                    "label_mode='categorical': a label is not the number of a class.",
                    expected=f"whole numbers from 0 to {count - 1}, as there are {count} different labels",
                    received=f"label {wrong[0]}, {wrong.size} such labels in all",
                    fix="number the classes from 0 on",
                )
            )
        return (numbers[:, None] == np.arange(len(files.class_names or ()))).astype("float32")
    return numbers


def datasets_of(
    files: Files,
    make: Callable[[Files], Dataset],
    *,
    what: str,
    formats: tuple[str, ...],
    label_mode: str | None,
    batch_size: int | None,
    shuffle: bool,
    seed: int,
    validation_split: float | None,
    subset: str | None,
    batched: Callable[[Dataset, int], Dataset] | None = None,
    batches: Callable[[Files, int], Dataset] | None = None,
) -> Any:
    """The data set of a folder, or the pair of training and validation set.

    Args:
        files: all files.
        make: from files to the data set of their contents.
        what: what the files hold, for messages.
        formats: endings that were looked for.
        label_mode: form of the labels.
        batch_size: files in a batch; None for single ones.
        shuffle: in another order for each pass.
        seed: seed of the orders.
        validation_split: share of the files kept for validation.
        subset: ``"training"``, ``"validation"``, ``"both"`` or None for all.
        batched: how batches are made of single contents; stacked by default.
        batches: from files and the size of a shuffle buffer (0: in order) to the data set of batches, in one step.

    Raises:
        DataError: no file is left.
    """
    if label_mode == "binary" and len(files.class_names or ()) != 2:
        raise ValueError(f"label_mode='binary' is for two classes. Received: class_names={files.class_names}")
    if not subset:
        parts = [("", files)]
    else:
        names = ("training", "validation") if subset == "both" else (subset,)
        parts = [(name, files.part(name, validation_split or 0)) for name in names]
    made = []
    for name, part in parts:
        if not part.paths:
            raise DataError(
                explain(
                    f"No {name + ' ' if name else ''}{what} files below {files.directory}.",
                    expected=f"files that end in one of {formats}",
                    received=f"{len(files.paths)} such files in all"
                    + (f", validation_split={validation_split}" if name else ""),
                )
            )
        is_mixed = shuffle and not (subset == "both" and name == "validation")
        buffer = (batch_size * 8 if batch_size else _WITHOUT_BATCHES_BUFFER) if is_mixed else 0
        dataset = make(part) if batches is None else batches(part, buffer)
        if buffer and batches is None:
            dataset = dataset.shuffle(buffer, seed=seed)
        if batch_size is not None and batches is None:
            dataset = batched(dataset, batch_size) if batched else dataset.batch(batch_size)
        dataset: Any = dataset.prefetch(AUTOTUNE)
        dataset.class_names = files.class_names
        dataset.file_paths = part.paths
        made.append(dataset)
    return made if subset == "both" else made[0]
