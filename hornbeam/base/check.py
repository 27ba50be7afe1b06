"""Checks of arguments, with messages that name the object, the argument and what was received."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from hornbeam.base.errors import ArgumentError, ShapeError, explain


def owner_text(owner: Any) -> str:
    """How an object is called in a message: class and name."""
    if owner is None:
        return ""
    name = getattr(owner, "name", None)
    kind = type(owner).__name__
    return f'{kind} "{name}"' if isinstance(name, str) else kind


def positive_int(argument: str, value: Any, *, owner: Any = None) -> int:
    """``value`` as an int of at least 1."""
    whole = _whole(value)
    if whole is None or whole < 1:
        where = f"Received an invalid value for `{argument}`{_of(owner)}, expected a positive integer."
        raise ValueError(f"{where} Received: {argument}={value}")
    return whole


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int) or hasattr(value, "__index__"):
        return int(value)
    return None


def _of(owner: Any) -> str:
    return f" of {owner_text(owner)}" if owner is not None else ""


def known_axis(shape: Any, axis: int, *, owner: Any = None) -> int:
    """Size of an axis that has to be known.

    Raises:
        ShapeError: the shape has no such axis, or its size is unknown.
    """
    sizes = tuple(shape)
    if not sizes or sizes[axis] is None:
        raise ShapeError(
            explain(
                f"{owner_text(owner)} cannot be built: the size of axis {axis} of its input is not known.",
                expected=f"a known size at axis {axis}",
                received=f"input shape {sizes}",
                fix="give the size in `Input(shape=...)`, or call the layer on data first",
            )
        )
    return int(sizes[axis])


def one_of(argument: str, value: Any, allowed: Iterable[Any], *, owner: Any = None) -> Any:
    """``value`` if it is allowed, else an error naming the closest allowed one."""
    options = list(allowed)
    if value in options:
        return value
    raise ValueError(
        f"Invalid value for argument `{argument}`{_of(owner)}: expected one of {options}{closest(value, options)}. "
        f"Received: {argument}={value!r}"
    )


def closest(value: Any, options: Iterable[Any]) -> str:
    """`` (did you mean 'adam'?)`` if something close exists, else an empty text."""
    text, known = str(value), [str(option) for option in options]
    # Swapped letters are the commonest slip: 'adma' is 'adam' rather than 'adamax'.
    near = [option for option in known if sorted(option) == sorted(text)]
    near = near or difflib.get_close_matches(text, known, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def no_unknown(kwargs: dict[str, Any], *, owner: str, known: Iterable[str] = ()) -> None:
    """Refuse keyword arguments that nobody takes."""
    if kwargs:
        first = next(iter(kwargs))
        raise ArgumentError(f"Unrecognized keyword arguments passed to {owner}: {kwargs}{closest(first, known)}.")
