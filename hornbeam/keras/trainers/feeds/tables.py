"""Tables of other libraries, by what they look like: Arrow tables and Hugging Face data sets."""

from __future__ import annotations

from typing import Any

import numpy as np


class ArrowFrame:
    """An Arrow table (or record batch) with the face of a data frame: ``columns`` and ``frame[column]``.

    Args:
        table: has ``column_names`` and ``column(name)``.
    """

    def __init__(self, table: Any) -> None:
        self._table = table
        self.columns = list(table.column_names)
        self.dtypes = None

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, name: str) -> np.ndarray:
        return self._table.column(name).to_numpy(zero_copy_only=False)


def is_table(value: Any) -> bool:
    """True for Arrow tables and Hugging Face data sets."""
    return _library(value) in ("pyarrow", "datasets") and hasattr(value, "column_names") and hasattr(value, "__len__")


def _library(value: Any) -> str:
    return type(value).__module__.partition(".")[0]


def opened(value: Any) -> Any:
    """A table in a form that turns into arrays; any other value as it is.

    An Arrow table becomes a frame, and so one array with a column per field. A Hugging Face data set becomes a dict of
    arrays, one per column, as its rows are dicts.
    """
    if not is_table(value):
        return value
    if _library(value) == "pyarrow":
        return ArrowFrame(value)
    whole = value.with_format("numpy")[:]
    return {name: np.asarray(column) for name, column in whole.items()}
