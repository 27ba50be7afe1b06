"""``GFile``: an open file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from hornbeam.tensors.texts import file_error, path_of

_MODES = ("r", "w", "a", "rb", "wb", "ab", "r+", "w+", "a+")


class GFile:
    """An open file, of text or (mode with ``b``) of bytes.

    Args:
        name: file name.
        mode: ``"r"``, ``"w"``, ``"a"``, ``"r+"``, ``"w+"``, ``"a+"``, or one of the first three with ``"b"``.

    The file is opened at the first use.

    References: TensorFlow `tf.io.gfile.GFile`.
    """

    def __init__(self, name: Any, mode: str = "r") -> None:
        if mode not in _MODES:
            raise ValueError(f"tf.io.gfile.GFile: `mode` is one of {_MODES}. Received: mode={mode!r}")
        self._name, self._mode, self._file = path_of(name, "tf.io.gfile.GFile"), mode, None

    @property
    def name(self) -> str:
        """The file name."""
        return self._name

    @property
    def mode(self) -> str:
        """How the file was opened."""
        return self._mode

    def _open(self) -> Any:
        if self._file is None:
            text: dict[str, Any] = {} if "b" in self._mode else {"encoding": "utf-8", "newline": ""}
            try:
                self._file = open(self._name, self._mode, **text)  # noqa: SIM115 - closed by `close`
            except OSError as error:
                raise file_error(error, "tf.io.gfile.GFile", self._name) from error
        return self._file

    def read(self, n: int = -1) -> Any:
        """``n`` characters or bytes from here, or all that follow."""
        return self._open().read(n)

    def readline(self) -> Any:
        """The next line, with its end."""
        return self._open().readline()

    def readlines(self) -> list[Any]:
        """All lines from here."""
        return self._open().readlines()

    def write(self, file_content: Any) -> None:
        """Append to what was written."""
        if "b" not in self._mode and isinstance(file_content, bytes):
            file_content = file_content.decode("utf-8")
        elif "b" in self._mode and isinstance(file_content, str):
            file_content = file_content.encode("utf-8")
        self._open().write(file_content)

    def seek(self, offset: int | None = None, whence: int = 0, position: int | None = None) -> None:
        """Go to a place, in bytes: from the start (``whence`` 0), from here (1) or from the end (2)."""
        place = position if offset is None else offset
        if place is None:
            raise TypeError("GFile.seek(): give `offset`.")
        self._open().seek(place, whence)

    def tell(self) -> int:
        """The place in the file, in bytes."""
        return self._open().tell()

    def seekable(self) -> bool:
        """True."""
        return True

    def size(self) -> int:
        """Length of the file, in bytes."""
        self.flush()
        try:
            return os.path.getsize(self._name)
        except OSError as error:
            raise file_error(error, "tf.io.gfile.GFile", self._name) from error

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        if self._file is not None and self._mode != "r" and self._mode != "rb":
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> GFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._open())

    def __next__(self) -> Any:
        return next(self._open())
