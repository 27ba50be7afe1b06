"""Strings in and out of functions that work on files and encoded bytes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.core.tensor import HostTensor, from_host
from hornbeam.errors import InvalidArgumentError, NotFoundError, PermissionDeniedError

__all__ = ["each", "file_error", "one", "path_of", "strings", "text"]


def strings(x: Any, where: str) -> np.ndarray:
    """Object array of ``bytes``.

    Raises:
        TypeError: not strings.
    """
    if isinstance(x, os.PathLike):
        x = os.fspath(x)
    if isinstance(x, (bytes, bytearray)):
        array = np.empty((), object)
        array[()] = bytes(x)
        return array
    made = x if isinstance(x, HostTensor) else ops.convert_to_tensor(x)
    if not isinstance(made, HostTensor):
        raise TypeError(f"{where}: expected strings, received dtype {made.dtype}.")
    return made._value


def one(x: Any, where: str) -> bytes:
    """One string.

    Raises:
        InvalidArgumentError: several strings.
    """
    array = strings(x, where)
    if array.size != 1 or array.ndim:
        raise InvalidArgumentError(None, None, f"{where}: expected one string, received shape {array.shape}.")
    return bytes(array.item())


def path_of(x: Any, where: str) -> str:
    """One file name as Python text; names of remote files are refused."""
    found = text(one(x, where))
    if "://" in found and not found.startswith("file://"):
        raise InvalidArgumentError(
            None,
            None,
            f"{where}: only files of this machine are read and written. Received {found!r}.\n"
            "  fix:      copy it here first, e.g. with the tools of its storage service",
        )
    return found.removeprefix("file://")


def text(item: Any) -> str:
    """Python text of bytes or text."""
    return item.decode("utf-8", "surrogateescape") if isinstance(item, bytes) else str(item)


def each(x: Any, function: Any, where: str) -> Any:
    """String tensor of a function's results, one per string."""
    array = strings(x, where)
    out = np.empty(array.shape, object)
    for index in np.ndindex(array.shape):
        out[index] = function(array[index])
    return from_host(out)


def file_error(error: OSError, where: str, path: str) -> Exception:
    """TensorFlow's exception for an operating system's one."""
    message = f"{where}: {path!r}: {error.strerror or error}"
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return NotFoundError(None, None, message)
    if isinstance(error, PermissionError):
        return PermissionDeniedError(None, None, message)
    return InvalidArgumentError(None, None, message)
