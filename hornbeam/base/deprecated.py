"""One deprecation helper for Hornbeam's own API."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable)


def deprecated(*, since: str, remove_in: str, use: str) -> Callable[[F], F]:
    """Mark a function as going away; it warns once per call site.

    Args:
        since: version that deprecated it.
        remove_in: version that removes it.
        use: what to call instead.
    """

    def mark(function: F) -> F:
        text = f"{function.__qualname__} is deprecated since {since} and leaves in {remove_in}; use {use}."

        @functools.wraps(function)
        def warned(*args, **kwargs):
            warnings.warn(text, DeprecationWarning, stacklevel=2)
            return function(*args, **kwargs)

        return warned  # type: ignore[return-value]

    return mark
