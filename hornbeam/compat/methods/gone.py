"""Attributes that went away for good: asking for them says what to do instead."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import HornbeamError


class GoneError(HornbeamError, AttributeError):
    """An attribute that older versions had; the message says what to do instead."""


def gone(what: str, instead: str) -> property:
    """A property that raises, so that ``hasattr`` says no and reading it gives advice.

    Args:
        what: class and attribute.
        instead: what to do, as part of a sentence.
    """

    def read(self: Any) -> Any:
        raise GoneError(f"{what} is not offered: {instead}.")

    def write(self: Any, value: Any) -> None:
        vars(self)[what.rpartition(".")[2]] = value

    return property(read, write)
