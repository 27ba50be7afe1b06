"""Elements out of CSV files: ``CsvDataset`` and ``make_csv_dataset``."""

from __future__ import annotations

import csv
import glob
import io
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.base.errors import explain
from hornbeam.core.spec import TensorSpec
from hornbeam.data.blocks import Block
from hornbeam.data.dataset import Dataset
from hornbeam.data.files import _names_of
from hornbeam.data.plan import UNKNOWN, Carry, Cursor, Node, Scope
from hornbeam.data.structure import host_leaf
from hornbeam.errors import InvalidArgumentError
from hornbeam.io.records import compression_of, open_file

_ROWS = 1024
_KINDS = frozenset({"float32", "float64", "int32", "int64", "string"})


class Column:
    """How the fields of a column are read.

    Args:
        default: a dtype, for a column that must have a value in each row; else the value of empty fields, whose dtype
            is the column's.
    """

    def __init__(self, default: Any) -> None:
        self.required = isinstance(default, (dtypes.DType, type, np.dtype))
        if self.required:
            self.dtype, self.default = dtypes.as_dtype(default), None
        else:
            leaf = np.asarray(host_leaf(default), None if not isinstance(default, (str, bytes)) else object).reshape(-1)
            self.required = not len(leaf)
            self.default = None if self.required else leaf[0]
            self.dtype = dtypes.string if leaf.dtype.kind == "O" else dtypes.from_numpy(leaf.dtype)
        if self.dtype.name not in _KINDS:
            raise TypeError(f"CSV columns are float32, float64, int32, int64 or string, not {self.dtype.name}.")

    def values(self, fields: list[str], empty: set[str], where: str) -> np.ndarray:
        """Values of fields.

        Raises:
            InvalidArgumentError: a field is empty and must not be, or is no number.
        """
        if self.dtype == "string":
            found = np.empty(len(fields), object)
            for place, field in enumerate(fields):
                found[place] = self._default(place, where) if field in empty else field.encode("utf-8")
            return found
        number = int if self.dtype.is_integer else float
        values = []
        for place, field in enumerate(fields):
            if field.strip() in empty:
                values.append(self._default(place, where))
                continue
            try:
                values.append(number(field))
            except ValueError as error:
                raise InvalidArgumentError(
                    None,
                    None,
                    explain(f"{where}: a field is no number.", expected=self.dtype.name, received=repr(field)),
                ) from error
        return np.array(values, self.dtype.as_numpy_dtype)

    def _default(self, place: int, where: str) -> Any:
        if self.required:
            raise InvalidArgumentError(None, None, f"{where}: a field is empty, and the column has no default value.")
        return self.default


class CsvRows(Node):
    """Rows of CSV files.

    Args:
        names: yields names of files.
        columns: how each column is read.
        options: ``header``, ``delimiter``, ``quotes``, ``empty``, ``chosen``, ``compression``, ``encoding``.
        skeleton: structure of an element; by default a tuple of the columns.
    """

    def __init__(self, names: Node, columns: list[Column], options: dict[str, Any], skeleton: Any = None) -> None:
        super().__init__(names)
        self.columns, self.options = columns, options
        self.skeleton = tuple(0 for _ in columns) if skeleton is None else skeleton

    def make_spec(self) -> Any:
        """Scalars."""
        return tuple(TensorSpec((), column.dtype) for column in self.columns)

    def size(self) -> int:
        """Not known."""
        return UNKNOWN

    def stream(self, scope: Scope) -> Cursor:
        """Rows in order."""
        return _CsvCursor(self.children[0].open(scope.at(0)), self)


class _CsvCursor(Cursor):
    def __init__(self, names: Cursor, node: CsvRows) -> None:
        self._names, self._node = Carry(names, 1), node
        self._rows: Iterator[list[str]] | None = None
        self._path = ""
        self._line = 0

    def block(self, limit: int) -> Block | None:
        """The next rows, all of one file."""
        while True:
            if self._rows is None:
                found = self._names.element()
                if found is None:
                    return None
                self._path = os.fsdecode(found[1][0])
                self._rows, self._line = rows_of_file(self._path, self._node.options), 0
            rows = []
            for row in self._rows:
                rows.append(row)
                if len(rows) >= min(limit, _ROWS):
                    break
            if rows:
                return self._block(rows)
            self._rows = None

    def _block(self, rows: list[list[str]]) -> Block:
        node = self._node
        chosen, wanted = node.options["chosen"], len(node.columns)
        first, self._line = self._line, self._line + len(rows)
        for place, row in enumerate(rows):
            if (len(row) != wanted) if chosen is None else (len(row) <= max(chosen)):
                raise InvalidArgumentError(
                    None,
                    None,
                    explain(
                        f"Row {first + place} of {self._path!r} has another number of fields than the others.",
                        expected=f"{wanted} fields" if chosen is None else f"more than {max(chosen)} fields",
                        received=f"{len(row)}",
                    ),
                )
        places = range(wanted) if chosen is None else chosen
        columns = []
        for place, column in zip(places, node.columns, strict=True):
            where = f"{self._path!r}, column {place}, rows {first} to {self._line - 1}"
            columns.append(column.values([row[place] for row in rows], node.options["empty"], where))
        return Block(node.skeleton, columns, len(rows))

    def close(self) -> None:
        """Close the file."""
        close = getattr(self._rows, "close", None)
        if close is not None:
            close()
        self._names.close()


def rows_of_file(path: str, options: dict[str, Any]) -> Iterator[list[str]]:
    """Rows of a CSV file as lists of texts."""
    with open_file(path, options["compression"]) as raw:
        text = io.TextIOWrapper(raw, encoding=options.get("encoding", "utf-8"), newline="")
        quoting = csv.QUOTE_MINIMAL if options["quotes"] else csv.QUOTE_NONE
        reader = csv.reader(text, delimiter=options["delimiter"], quoting=quoting)
        if options["header"]:
            next(reader, None)
        yield from (row for row in reader if row)


class CsvDataset(Dataset):
    """Rows of CSV files, as tuples of scalars.

    Args:
        filenames: name, list of names, or data set of names.
        record_defaults: per column a dtype (a value is required), or the value of empty fields.
        compression_type: "", "GZIP" or "ZLIB".
        buffer_size: bytes read at a time, a hint.
        header: the files begin with a line of names.
        field_delim: what stands between fields.
        use_quote_delim: double quotes enclose fields.
        na_value: a text that counts as an empty field.
        select_cols: places of the columns to read, in rising order.
        exclude_cols: places of the columns to leave out.

    References: TensorFlow `tf.data.experimental.CsvDataset`.
    """

    def __init__(
        self,
        filenames: Any,
        record_defaults: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        header: bool = False,
        field_delim: str = ",",
        use_quote_delim: bool = True,
        na_value: str = "",
        select_cols: Any = None,
        exclude_cols: Any = None,
    ) -> None:
        if select_cols is not None and exclude_cols is not None:
            raise ValueError("CsvDataset: give `select_cols` or `exclude_cols`, not both.")
        columns = [Column(default) for default in record_defaults]
        chosen = None if select_cols is None else [int(place) for place in select_cols]
        if exclude_cols is not None:
            left_out = {int(place) for place in exclude_cols}
            chosen = [place for place in range(len(columns) + len(left_out)) if place not in left_out]
        if chosen is not None and len(chosen) != len(columns):
            raise ValueError(f"CsvDataset: {len(chosen)} columns are chosen, but `record_defaults` has {len(columns)}.")
        options = {
            "compression": compression_of(compression_type),
            "header": header,
            "delimiter": field_delim,
            "quotes": use_quote_delim,
            "empty": {"", na_value},
            "chosen": chosen,
        }
        super().__init__(CsvRows(_names_of(filenames), columns, options))


def make_csv_dataset(
    file_pattern: Any,
    batch_size: int,
    column_names: Any = None,
    column_defaults: Any = None,
    label_name: str | None = None,
    select_columns: Any = None,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    header: bool = True,
    num_epochs: int | None = None,
    shuffle: bool = True,
    shuffle_buffer_size: int = 10000,
    shuffle_seed: int | None = None,
    prefetch_buffer_size: int | None = None,
    num_parallel_reads: int | None = None,
    sloppy: bool = False,
    num_rows_for_inference: int | None = 100,
    compression_type: Any = None,
    ignore_errors: bool = False,
    encoding: str = "utf-8",
) -> Dataset:
    """Batches of columns of CSV files: dicts of vectors, or pairs of such a dict and the label column.

    Args:
        file_pattern: pattern of file names, or list of patterns.
        batch_size: rows in a batch.
        column_names: names of all columns; by default the files' first lines.
        column_defaults: per chosen column a dtype or the value of empty fields; by default guessed from the first rows.
        label_name: the column that is split off.
        select_columns: names or places of the columns to read.
        field_delim: what stands between fields.
        use_quote_delim: double quotes enclose fields.
        na_value: a text that counts as an empty field.
        header: the files begin with a line of names.
        num_epochs: passes; without end for None.
        shuffle: in random order.
        shuffle_buffer_size: rows in the shuffle buffer.
        shuffle_seed: seed of the order.
        prefetch_buffer_size: batches made ahead; None to leave it to the library.
        num_parallel_reads: at least 1; files are read one after another in any case.
        sloppy: the order may vary; it does not.
        num_rows_for_inference: rows looked at for dtypes; None for all.
        compression_type: "", "GZIP" or "ZLIB".
        ignore_errors: leave out rows that cannot be read.
        encoding: encoding of the files.

    References: TensorFlow `tf.data.experimental.make_csv_dataset`.
    """
    patterns = (
        [file_pattern]
        if isinstance(file_pattern, (str, bytes)) or hasattr(file_pattern, "__fspath__")
        else file_pattern
    )
    files = sorted({file for pattern in patterns for file in glob.glob(os.fsdecode(pattern))})
    if not files:
        raise ValueError(f"make_csv_dataset(): no file fits {file_pattern!r}.")
    if num_parallel_reads is not None and num_parallel_reads < 1:
        raise ValueError(f"`num_parallel_reads` must be at least 1. Received: {num_parallel_reads}")
    options = {
        "compression": compression_of(compression_type),
        "header": header,
        "delimiter": field_delim,
        "quotes": use_quote_delim,
        "empty": {"", na_value},
        "encoding": encoding,
        "chosen": None,
    }
    names = _column_names(files, column_names, options)
    chosen = _chosen(names, select_columns)
    options["chosen"] = chosen
    if column_defaults is None:
        columns = _guessed(files[0], chosen, options, num_rows_for_inference)
    else:
        defaults = list(column_defaults)
        if len(defaults) == len(names) != len(chosen):
            defaults = [defaults[place] for place in chosen]
        columns = [Column(default) for default in defaults]
    picked = [names[place] for place in chosen]
    if label_name is not None and label_name not in picked:
        raise ValueError(f"make_csv_dataset(): `label_name` {label_name!r} is none of the columns {picked}.")
    return _assembled(
        Dataset(CsvRows(_names_of(files), columns, options)),
        picked,
        label_name,
        batch_size,
        (shuffle, shuffle_buffer_size, shuffle_seed),
        num_epochs,
        prefetch_buffer_size,
        ignore_errors,
    )


def _assembled(
    rows: Dataset,
    names: list[str],
    label: str | None,
    batch_size: int,
    order: tuple[bool, int, int | None],
    epochs: int | None,
    ahead: int | None,
    ignore_errors: bool,
) -> Dataset:
    if ignore_errors:
        rows = rows.ignore_errors()
    shuffle, buffer, seed = order
    if shuffle:
        rows = rows.shuffle(buffer, seed)
    rows = rows.repeat(epochs).batch(batch_size, drop_remainder=epochs is None)

    def named(*columns: Any) -> Any:
        found = dict(zip(names, columns, strict=True))
        return found if label is None else (found, found.pop(label))

    return rows.map(named).prefetch(-1 if ahead is None else ahead)


def _column_names(files: list[str], given: Any, options: dict[str, Any]) -> list[str]:
    if given is not None:
        return list(given)
    if not options["header"]:
        raise ValueError("make_csv_dataset(): give `column_names` for files without a header line.")
    found = [next(rows_of_file(file, {**options, "header": False}), []) for file in files]
    for file, names in zip(files, found, strict=True):
        if names != found[0]:
            raise ValueError(f"make_csv_dataset(): the header of {file!r} differs from that of {files[0]!r}.")
    if len(set(found[0])) != len(found[0]):
        raise ValueError(f"make_csv_dataset(): a column name comes twice: {found[0]}")
    return found[0]


def _chosen(names: list[str], select: Any) -> list[int]:
    if select is None:
        return list(range(len(names)))
    try:
        return sorted(names.index(one) if isinstance(one, str) else int(one) for one in select)
    except ValueError as error:
        raise ValueError(f"make_csv_dataset(): `select_columns` names {select}, the columns are {names}.") from error


def _guessed(file: str, chosen: list[int], options: dict[str, Any], count: int | None) -> list[Column]:
    """Dtypes that fit the first rows: int32, int64, float32, float64 or string, the narrowest first."""
    rows = []
    for row in rows_of_file(file, options):
        rows.append(row)
        if count is not None and len(rows) >= count:
            break
    columns = []
    for place in chosen:
        fields = [row[place].strip() for row in rows if len(row) > place and row[place].strip() not in options["empty"]]
        columns.append(Column(_default_for(fields)))
    return columns


def _default_for(fields: list[str]) -> Any:
    try:
        numbers = [int(field) for field in fields]
        if not numbers:
            return ""
        return np.int32(0) if all(-(2**31) <= number < 2**31 for number in numbers) else np.int64(0)
    except ValueError:
        pass
    try:
        values = [float(field) for field in fields]
    except ValueError:
        return ""
    wide = any(abs(value) > np.finfo(np.float32).max for value in values if np.isfinite(value))
    return np.float64(0) if wide else np.float32(0)
