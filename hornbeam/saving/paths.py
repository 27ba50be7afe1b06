"""What users give as the place of a file, as a path of this machine. Needs no JAX."""

from __future__ import annotations

import os
import re
import urllib.request
from typing import Any

from hornbeam.base.errors import NotSupportedError

__all__ = ["local_path"]

# `pathlib` makes one slash of two.
_FILE = re.compile(r"file:(?://(?:localhost)?)?(?=/)", re.IGNORECASE)
_REMOTE = re.compile(r"(?:[a-z][a-z0-9+.-]+://|(?:gs|s3|hf|https?|ftp|hdfs|abfss?|wasbs?):/)", re.IGNORECASE)


def local_path(path: Any) -> str:
    """A path as text: ``~`` is the user's folder, and ``file:///...`` names a file as browsers do.

    Raises:
        TypeError: it is no path, but an open file or something else.
        NotSupportedError: it lies on another machine.
    """
    if not isinstance(path, (str, bytes, os.PathLike)):
        name = getattr(path, "filename", None) or getattr(path, "name", None)
        what = f" Give its name: {name!r}." if isinstance(name, str) else ""
        raise TypeError(
            f"Expected the path of a file or folder, as text or `pathlib.Path`; received {type(path).__name__}. Models "
            f"are read from disk and written there, not from and to open files.{what}"
        )
    text = os.fsdecode(os.fspath(path))
    match = _FILE.match(text)
    if match is not None:
        return urllib.request.url2pathname(text[match.end() :])
    if _REMOTE.match(text):
        raise NotSupportedError(
            f"{text} is no path of this machine, and nothing is fetched or sent here. To load it, fetch it first, for "
            "instance with `keras.utils.get_file(origin=...)`, and give the path of the copy. To save there, write to "
            "a path of this machine, and copy that."
        )
    return os.path.expanduser(text)
