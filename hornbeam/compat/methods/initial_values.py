"""Initializers that were called with a name and then gave a variable."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from hornbeam.compat.loading import load
from hornbeam.compat.notes import note


def _taking_name(call: Callable) -> Callable:
    """``init((3, 4), name="W")`` gives a variable of that name: so layers once made their weights."""

    @functools.wraps(call)
    def called(self: Any, shape: Any, *args: Any, name: str | None = None, **kwargs: Any) -> Any:
        value = call(self, shape, *args, **kwargs)
        if name is None:
            return value
        note("Initializers: make weights with `self.add_weight(...)`; an initializer gives a value, not a variable.")
        return load("keras.backend:variable")(value, name=name)

    return called


AROUND_INITIALIZER: dict[str, Callable] = {"__call__": _taking_name}
