"""Whose code a frame is running: the user's, or a library's."""

from __future__ import annotations

import linecache
import os
import traceback
from typing import Any

_LIBRARIES = frozenset({"hornbeam", "jax", "jaxlib", "numpy"})


def library_of(frame: Any) -> str | None:
    """The library that a frame belongs to, None for the user's code, whatever its folder is called."""
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    return package if package in _LIBRARIES else None


def user_line(error: BaseException) -> str | None:
    """The last line of the user's code below the first frame of a library, in words; None if there is none.

    Args:
        error: what was raised, with its traceback.
    """
    found, inside = None, False
    for frame, number in traceback.walk_tb(error.__traceback__):
        if library_of(frame) is not None:
            inside = True
        elif inside:
            found = frame.f_code.co_filename, number, frame.f_globals
    if found is None:
        return None
    filename, number, names = found
    return f"{os.path.basename(filename)}, line {number}: {linecache.getline(filename, number, names).strip()}"
