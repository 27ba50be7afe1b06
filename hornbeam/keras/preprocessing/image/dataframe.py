"""Batches of pictures whose names and labels are in a table."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from hornbeam.base.errors import explain
from hornbeam.keras.preprocessing.image.files import BatchFromFilesMixin
from hornbeam.keras.preprocessing.image.iterators import Iterator
from hornbeam.keras.utils import terminal

__all__ = ["DataFrameIterator"]

_WITHOUT_CLASSES = ("input", "multi_output", "raw", None)


class DataFrameIterator(BatchFromFilesMixin, Iterator):
    """Batches of changed pictures named in a pandas table.

    Args:
        dataframe: the table.
        directory: folder that the names are relative to; None if they are whole paths.
        image_data_generator: the `ImageDataGenerator` that changes the pictures, or None.
        x_col: column of the file names.
        y_col: column of the labels; a list of columns for ``"multi_output"`` and, if wanted, ``"raw"``.
        weight_col: column of the sample weights, or None.
        target_size: (height, width) that pictures are resized to, in pixels.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        classes: names of the classes, in the order of the labels; rows of others are left out. Default: all, sorted.
        class_mode: form of the targets: ``"categorical"`` (one-hot; a cell may hold several names), ``"binary"``,
            ``"sparse"``, ``"input"`` (the pictures themselves), ``"raw"`` (the column's values), ``"multi_output"``
            (the values of several columns), None for none.
        batch_size: pictures in a batch.
        shuffle: a new order for each epoch.
        seed: makes order and changes repeatable.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        save_to_dir: folder where the changed pictures are written, or None.
        save_prefix: start of those files' names.
        save_format: ``"png"`` or ``"jpeg"``.
        subset: ``"training"`` or ``"validation"``: a part by the generator's ``validation_split``.
        interpolation: how pictures are resized; as for `DirectoryIterator`.
        keep_aspect_ratio: cut the middle out instead of distorting.
        dtype: of the batches.
        validate_filenames: leave rows out whose file is not there or is no picture by its name.

    Raises:
        ValueError: an unknown mode, or classes that do not fit ``"binary"``.
        TypeError: a column holds values of the wrong kind.

    References: Keras ``ImageDataGenerator.flow_from_dataframe``.
    """

    allowed_class_modes = {"binary", "categorical", "input", "multi_output", "raw", "sparse", None}

    def __init__(
        self,
        dataframe: Any,
        directory: Any = None,
        image_data_generator: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str = "channels_last",
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = "float32",
        validate_filenames: bool = True,
    ) -> None:
        self.set_processing_attrs(
            image_data_generator,
            target_size,
            color_mode,
            data_format,
            save_to_dir,
            save_prefix,
            save_format,
            subset,
            interpolation,
            keep_aspect_ratio,
        )
        self.directory = os.fspath(directory or "")
        self.class_mode = class_mode
        self.dtype = dtype
        table = dataframe.copy()
        self._check_columns(table, x_col, y_col, weight_col, classes)
        if validate_filenames:
            table = self._with_files(table, x_col)
        if class_mode not in _WITHOUT_CLASSES:
            table, names = _with_classes(table, y_col, classes)
            self.class_indices = {name: number for number, name in enumerate(names)}
        if self.split:
            table = table.iloc[int(self.split[0] * len(table)) : int(self.split[1] * len(table))]
        if class_mode not in _WITHOUT_CLASSES:
            self.classes = [self._numbers_of(label) for label in table[y_col]]
        self.filenames = table[x_col].tolist()
        self._sample_weight = table[weight_col].to_numpy() if weight_col else None
        if class_mode == "multi_output":
            self._targets: Any = [np.array(table[column].tolist()) for column in y_col]
        elif class_mode == "raw":
            self._targets = table[y_col].to_numpy()
        self.samples = len(self.filenames)
        self._tell(validate_filenames)
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        Iterator.__init__(self, self.samples, batch_size, shuffle, seed)

    def _tell(self, validated: bool) -> None:
        text = f"Found {self.samples} {'validated' if validated else 'non-validated'} image filenames"
        if self.class_mode not in _WITHOUT_CLASSES:
            text += f" belonging to {len(self.class_indices)} classes"
        terminal.print_message(f"{text}.")

    def _check_columns(self, table: Any, x_col: str, y_col: Any, weight_col: str | None, classes: Any) -> None:
        mode = self.class_mode
        if mode not in self.allowed_class_modes:
            raise ValueError(
                f"`class_mode` of a table is one of {self.allowed_class_modes}. Received: class_mode={mode!r}"
            )
        if mode == "multi_output" and not isinstance(y_col, list):
            raise TypeError(f"class_mode='multi_output' needs a list of columns. Received: y_col={y_col!r}")
        labels = [] if mode in (None, "input") else y_col if isinstance(y_col, list) else [y_col]
        for column in [x_col, *labels, *([weight_col] if weight_col else [])]:
            if column not in table:
                raise KeyError(f"flow_from_dataframe: no column {column!r} in the table, only {list(table.columns)}.")
        _check_values(table, x_col, str, f"file names (column x_col={x_col!r})")
        if mode in ("binary", "sparse"):
            _check_values(table, y_col, str, f"labels for class_mode={mode!r} (column y_col={y_col!r})")
        if mode == "categorical":
            _check_values(table, y_col, (str, list, tuple), f"labels for class_mode={mode!r} (column y_col={y_col!r})")
        if mode == "binary":
            count = len(set(classes)) if classes else table[y_col].nunique()
            if count != 2:
                raise ValueError(f"class_mode='binary' is for two classes; there are {count} in y_col={y_col!r}.")
        if classes and mode in _WITHOUT_CLASSES:
            warnings.warn(f"class_mode={mode!r} has no classes: `classes` is not used.", stacklevel=4)
        if weight_col and not np.issubdtype(np.asarray(table[weight_col]).dtype, np.number):
            raise TypeError(
                f"Sample weights (column weight_col={weight_col!r}) are numbers. Received: "
                f"{table[weight_col].dtype} values"
            )

    def _with_files(self, table: Any, x_col: str) -> Any:
        found = [
            name.lower().endswith(self.white_list_formats) and os.path.isfile(os.path.join(self.directory, name))
            for name in table[x_col]
        ]
        missing = [name for name, is_there in zip(table[x_col], found, strict=True) if not is_there]
        if missing:
            shown = ", ".join(missing[:3]) + (" ..." if len(missing) > 3 else "")
            warnings.warn(
                f"{len(missing)} rows are left out: their file names in x_col={x_col!r} are invalid, that is, "
                "not there "
                f"or not of a picture ({shown}).",
                stacklevel=4,
            )
        return table[np.array(found, dtype=bool)]

    def _numbers_of(self, label: Any) -> Any:
        if isinstance(label, (list, tuple)):
            return [self.class_indices[name] for name in label]
        return self.class_indices[label]

    def _source(self) -> str:
        return f"a table of {len(self.filenames)} usable rows"

    @property
    def labels(self) -> Any:
        return self._targets if self.class_mode in ("multi_output", "raw") else self.classes

    @property
    def sample_weight(self) -> np.ndarray | None:
        return self._sample_weight


def _check_values(table: Any, column: Any, kinds: Any, what: str) -> None:
    for row, value in zip(table.index, table[column], strict=True):
        if not isinstance(value, kinds):
            wanted = "strings" if kinds is str else "strings, lists or tuples"
            raise TypeError(explain(f"In the table: {what}.", expected=wanted, received=f"{value!r} in row {row!r}"))


def _with_classes(table: Any, column: str, classes: Any) -> tuple[Any, list[Any]]:
    """The rows that belong to one of the classes, without other names in their cells; and the classes in order."""
    if not classes:
        names: set[Any] = set()
        for label in table[column]:
            names.update(label if isinstance(label, (list, tuple)) else [label])
        return table.dropna(subset=[column]), sorted(names)
    names_in_order = list(dict.fromkeys(classes))
    known = set(names_in_order)

    def kept(label: Any) -> Any:
        if isinstance(label, (list, tuple)):
            return [name for name in label if name in known] or None
        return label if label in known else None

    cells = np.empty(len(table), dtype=object)
    cells[:] = [kept(label) for label in table[column]]
    table = table.copy()
    table[column] = cells
    return table[np.array([cell is not None for cell in cells], dtype=bool)], names_in_order
