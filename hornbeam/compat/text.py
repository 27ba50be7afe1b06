"""``tf.compat``'s helpers for texts and bytes."""

from __future__ import annotations

import os
from typing import Any

bytes_or_text_types = (bytes, str)
"""Types that are a text or its bytes."""


def as_text(bytes_or_text: Any, encoding: str = "utf-8") -> str:
    """A text or its bytes as a text."""
    if isinstance(bytes_or_text, (bytes, bytearray)):
        return bytes(bytes_or_text).decode(encoding)
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    raise TypeError(f"as_text() takes a text or bytes. Received: {bytes_or_text!r}")


as_str = as_text


def as_bytes(bytes_or_text: Any, encoding: str = "utf-8") -> bytes:
    """A text or its bytes as bytes."""
    if isinstance(bytes_or_text, (bytes, bytearray)):
        return bytes(bytes_or_text)
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    raise TypeError(f"as_bytes() takes a text or bytes. Received: {bytes_or_text!r}")


def as_str_any(value: Any, encoding: str = "utf-8") -> str:
    """Anything as a text; bytes are decoded."""
    return as_text(value, encoding) if isinstance(value, (bytes, bytearray)) else str(value)


def path_to_str(path: Any) -> Any:
    """A path object as a text."""
    return os.fspath(path) if hasattr(path, "__fspath__") else path


def forward_compatible(year: int, month: int, day: int) -> bool:
    """True: nothing waits for other programs to be updated."""
    return True
