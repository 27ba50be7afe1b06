"""``CSVLogger``: one row per epoch in a CSV file."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from hornbeam.base.notices import warn
from hornbeam.keras.callbacks.callback import Callback


class CSVLogger(Callback):
    """Writes the logs of each epoch to a CSV file.

    Each row is written whole, and the file is open only while it is: a run that ends in any way leaves complete rows
    and no open file.

    Args:
        filename: path of the file.
        separator: text between the fields.
        append: add to an existing file instead of replacing it.

    References: Keras ``callbacks.CSVLogger``.
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.sep = separator
        self.filename = os.fspath(filename)
        self.append = append
        self.keys: list[str] | None = None
        self.append_header = True
        self._path = self.filename

    def on_train_begin(self, logs: Any = None) -> None:
        # The working folder may change during training.
        self._path = os.path.abspath(self.filename)
        if self.append and os.path.exists(self._path):
            self.append_header = os.path.getsize(self._path) == 0
        # Opened at once, so that a wrong path fails before the first epoch.
        with open(self._path, "a" if self.append or self.resuming else "w", encoding="utf-8"):
            self.keys = None

    def get_state(self) -> dict[str, Any]:
        """Columns, and how long the file is."""
        size = os.path.getsize(self._path) if os.path.exists(self._path) else 0
        return {"keys": self.keys, "append_header": self.append_header, "size": size}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on behind the rows that were written; rows of epochs that will be run again are taken away."""
        self.keys, self.append_header = state["keys"], state["append_header"]
        size = os.path.getsize(self._path)
        if size > state["size"]:
            os.truncate(self._path, state["size"])
        elif size < state["size"]:
            warn(
                f"CSVLogger: {self._path} is shorter ({size} bytes) than it was when the run was backed up "
                f"({state['size']} bytes); the rows of earlier epochs are missing from it."
            )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        is_first = self.keys is None
        if self.keys is None:
            self.keys = _columns(logs)
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.sep)
        if is_first and self.append_header:
            writer.writerow(["epoch", *self.keys])
        writer.writerow([epoch, *(_field(logs[key]) if key in logs else "NA" for key in self.keys)])
        with open(self._path, "a", encoding="utf-8", newline="") as file:
            file.write(text.getvalue())


def _columns(logs: Any) -> list[str]:
    """Names in order; those of the validation too, as it may be run in later epochs only."""
    keys = sorted(logs)
    if any(key.startswith("val_") for key in keys):
        return keys
    return keys + [f"val_{key}" for key in keys]


def _field(value: Any) -> Any:
    if isinstance(value, str) or not isinstance(value, Iterable) or (isinstance(value, np.ndarray) and not value.ndim):
        return value
    return f'"[{", ".join(map(str, value))}]"'
