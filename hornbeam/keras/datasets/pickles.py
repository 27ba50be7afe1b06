"""Reading the pickles inside old data files: nothing but NumPy arrays and plain Python values is built.

A pickle is a small program. Here it may call exactly the functions that rebuild an array; whatever else it names is
refused before it is looked up.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from hornbeam.base.errors import UnsafeFileError
from hornbeam.keras.datasets.fetching import damaged


def _bytes_of(text: str, encoding: str) -> bytes:
    """Old pickle protocols write bytes as text in this one encoding; the real function would load any codec."""
    if encoding not in ("latin1", "latin-1"):
        raise UnsafeFileError(f"A data file asks for the text encoding {encoding!r}, which no such file needs.")
    return text.encode("latin1")


# Module and name as pickles spell them, for either layout of NumPy; `None` stands for the object itself.
_ALLOWED: dict[tuple[str, str], Callable[..., Any] | None] = {
    ("numpy", "ndarray"): None,
    ("numpy", "dtype"): None,
    ("_codecs", "encode"): _bytes_of,
}
for _package in ("numpy.core", "numpy._core"):
    _ALLOWED[f"{_package}.multiarray", "_reconstruct"] = None
    _ALLOWED[f"{_package}.multiarray", "scalar"] = None
    _ALLOWED[f"{_package}.numeric", "_frombuffer"] = None


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler that builds NumPy arrays, numbers, text, lists and dictionaries, and refuses the rest."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        key = (module_name, global_name)
        if key not in _ALLOWED:
            raise UnsafeFileError(
                f"A data file asks for `{module_name}.{global_name}`, which no array needs: it may be an attack. "
                "Delete the file and fetch it again from a place you trust."
            )
        stand_in = _ALLOWED[key]
        if stand_in is not None:
            return stand_in
        # The old place of these functions only warns that it moved.
        return super().find_class(module_name.replace("numpy.core", "numpy._core"), global_name)


def load_pickle(path: str, *, encoding: str = "bytes") -> Any:
    """The content of a pickle file made of arrays and plain values.

    Raises:
        UnsafeFileError: it names anything else.
        CorruptFileError: it cannot be read.
    """
    with open(path, "rb") as file:
        try:
            return ArrayUnpickler(file, encoding=encoding).load()
        except (pickle.UnpicklingError, EOFError, ValueError, IndexError, KeyError, AttributeError) as error:
            if isinstance(error, UnsafeFileError):
                raise
            raise damaged(path, error) from error


def load_npz(path: str) -> dict[str, np.ndarray]:
    """All arrays of an ``.npz`` file by name; arrays of Python lists are read with the same care.

    Raises:
        UnsafeFileError: an array holds anything but plain values.
        CorruptFileError: it cannot be read.
    """
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".npy"):
                    arrays[name.removesuffix(".npy")] = _read_array(io.BytesIO(archive.read(name)))
    except (zipfile.BadZipFile, pickle.UnpicklingError, EOFError, ValueError) as error:
        if isinstance(error, UnsafeFileError):
            raise
        raise damaged(path, error) from error
    return arrays


def _read_array(file: IO[bytes]) -> np.ndarray:
    version = np.lib.format.read_magic(file)
    # Version 3 differs from 2 only in the encoding of the header, which is plain for arrays without field names.
    read_header = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(file)
    if dtype.hasobject:
        found = ArrayUnpickler(file, encoding="bytes").load()
        if not isinstance(found, np.ndarray) or found.shape != shape:
            raise ValueError(f"expected an array of shape {shape}")
        return found
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)
