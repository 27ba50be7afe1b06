"""A second order of positional arguments, told from the first by the type of the first argument."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any


def name_may_come_first(places: Sequence[str], ignored: Sequence[str] = ()) -> Callable[[Callable], Callable]:
    """Let a method be called as ``method("name", ...)`` too: a text in first place is the name.

    Args:
        places: what the positional arguments mean in that case, the name first.
        ignored: those of them that the method does not know and that make no difference to it.
    """

    def decorate(method: Callable) -> Callable:
        @functools.wraps(method)
        def called(self: Any, *args: Any, **kwargs: Any) -> Any:
            if args and isinstance(args[0], str):
                kwargs = {**dict(zip(places, args, strict=False)), **kwargs}
                kwargs = {key: value for key, value in kwargs.items() if key not in ignored}
                args = ()
            return method(self, *args, **kwargs)

        return called

    return decorate
