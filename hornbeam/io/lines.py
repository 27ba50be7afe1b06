"""Strings to numbers: raw bytes and comma-separated lines."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.core.tensor import from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.tensors.texts import strings, text

__all__ = ["decode_csv", "decode_raw"]


def decode_raw(
    input_bytes: Any,
    out_type: Any,
    little_endian: bool = True,
    fixed_length: int | None = None,
    name: str | None = None,
) -> Any:
    """Numbers whose bytes stand in strings.

    Args:
        input_bytes: strings of one length.
        out_type: dtype of the numbers.
        little_endian: lowest byte first.
        fixed_length: number of bytes to take of each string; shorter ones are filled up with zeros.

    Returns:
        Tensor of the strings' shape with the numbers along a new last axis.

    References: TensorFlow `tf.io.decode_raw`.
    """
    array = strings(input_bytes, "tf.io.decode_raw")
    kind = np.dtype(dtypes.as_dtype(out_type).as_numpy_dtype)
    items = list(array.reshape(-1))
    if fixed_length is not None:
        if fixed_length % kind.itemsize:
            raise InvalidArgumentError(
                None, None, f"tf.io.decode_raw: fixed_length={fixed_length} is no multiple of {kind.itemsize} bytes."
            )
        items = [item[:fixed_length].ljust(fixed_length, b"\0") for item in items]
    lengths = {len(item) for item in items}
    if len(lengths) > 1 or any(length % kind.itemsize for length in lengths):
        raise InvalidArgumentError(
            None,
            None,
            f"tf.io.decode_raw: strings must have one length, a multiple of {kind.itemsize} bytes. "
            f"Received lengths {sorted(lengths)[:5]}",
        )
    found = np.frombuffer(b"".join(items), kind.newbyteorder("=" if kind.itemsize == 1 else "<"))
    if not little_endian:
        found = found.byteswap()
    return from_host(found.astype(kind).reshape(*array.shape, -1 if items else 0))


def decode_csv(
    records: Any,
    record_defaults: Any,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    select_cols: Any = None,
    name: str | None = None,
) -> list[Any]:
    """Columns of comma-separated lines.

    Args:
        records: strings, one line each.
        record_defaults: one per column: the value of fields that are empty (or a list with it); a dtype alone,
            or a tensor without elements, makes the column compulsory.
        field_delim: what stands between fields.
        use_quote_delim: fields may stand in double quotes.
        na_value: text that counts as empty.
        select_cols: places of the columns to take, ascending; all by default.

    Returns:
        List of tensors of the shape of ``records``.

    References: TensorFlow `tf.io.decode_csv`.
    """
    array = strings(records, "tf.io.decode_csv")
    columns = [_Column(default, place) for place, default in enumerate(record_defaults)]
    quoting = csv.QUOTE_MINIMAL if use_quote_delim else csv.QUOTE_NONE
    for line in array.reshape(-1):
        try:
            fields = next(csv.reader([text(line)], delimiter=field_delim, quoting=quoting, strict=True), [])
        except csv.Error as error:
            raise InvalidArgumentError(None, None, f"tf.io.decode_csv: {error} in the line {line!r}.") from error
        taken = fields if select_cols is None else [fields[place] for place in select_cols if place < len(fields)]
        if len(taken) != len(columns):
            raise InvalidArgumentError(
                None,
                None,
                f"tf.io.decode_csv: `record_defaults` has {len(columns)} columns, but {len(taken)} fields come from "
                f"the line {text(line)!r}.",
            )
        for column, field in zip(columns, taken, strict=True):
            column.add("" if field == na_value else field)
    return [column.tensor(array.shape) for column in columns]


class _Column:
    """A column of a table while it is read."""

    def __init__(self, default: Any, place: int) -> None:
        self.place = place
        self.items: list[Any] = []
        self.default: Any = None
        if isinstance(default, (dtypes.DType, type)):
            self.dtype = dtypes.as_dtype(default)
            return
        value = default.numpy() if hasattr(default, "numpy") else default
        flat = np.asarray(value, dtype=object).reshape(-1)
        self.dtype = dtypes.as_dtype(default.dtype) if hasattr(default, "dtype") else _dtype_of(flat)
        self.default = flat[0] if flat.size else None

    def add(self, field: str) -> None:
        if field == "":
            if self.default is None:
                raise InvalidArgumentError(
                    None, None, f"Field {self.place} is required but missing in a record (tf.io.decode_csv)."
                )
            self.items.append(self.default)
            return
        try:
            self.items.append(
                field.encode("utf-8", "surrogateescape")
                if self.dtype == "string"
                else int(field)
                if self.dtype.is_integer
                else float(field)
            )
        except ValueError as error:
            raise InvalidArgumentError(
                None,
                None,
                f"Field {self.place} in a record is not a valid {self.dtype.name}: {field}",
            ) from error

    def tensor(self, shape: tuple) -> Any:
        if self.dtype == "string":
            out = np.empty(len(self.items), object)
            out[:] = [item.encode() if isinstance(item, str) else item for item in self.items]
        else:
            out = np.asarray(self.items, self.dtype.as_numpy_dtype)
        return from_host(out.reshape(shape))


def _dtype_of(flat: np.ndarray) -> dtypes.DType:
    if not flat.size:
        return dtypes.float32
    if isinstance(flat[0], (str, bytes)):
        return dtypes.string
    return dtypes.int32 if isinstance(flat[0], (int, np.integer)) else dtypes.float32
