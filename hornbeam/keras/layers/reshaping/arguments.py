"""Sizes given as an int, a tuple, or a tuple of pairs."""

from __future__ import annotations

from typing import Any


def int_tuple(value: Any, count: int, name: str, *, least: int = 0) -> tuple[int, ...]:
    """``count`` ints; one int stands for all of them.

    Raises:
        ValueError: another number of ints, something that is no int, or an int below ``least``.
    """
    start = f"`{name}` takes {count} ints, or one for all. Received: {name}={value}"
    if isinstance(value, int):
        value = (value,) * count
    try:
        sizes = tuple(value)
    except TypeError as error:
        raise ValueError(start) from error
    if len(sizes) != count:
        raise ValueError(start)
    for size in sizes:
        try:
            int(size)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{start}, including element {size} of type {type(size)}") from error
    low = {size for size in sizes if size < least}
    if low:
        raise ValueError(f"{start}, of which {low} are below {least}")
    return sizes


_ORDINALS = ("1st", "2nd", "3rd")


def pairs(value: Any, count: int, name: str) -> tuple[tuple[int, int], ...]:
    """``count`` pairs of ints at least 0: from an int, from ``count`` ints, or from ``count`` pairs.

    Raises:
        ValueError: anything else.
    """
    if isinstance(value, int):
        if value < 0:
            raise ValueError(f"`{name}` cannot be negative. Received: {name}={value}.")
        return ((value, value),) * count
    if not hasattr(value, "__len__"):
        raise ValueError(
            f"`{name}` takes an int for all sides, {count} ints (one per axis) or {count} pairs of ints (before and "
            f"after, per axis). Received: {name}={value}."
        )
    if len(value) != count:
        number = {2: "two", 3: "3"}[count]
        raise ValueError(f"`{name}` should have {number} elements. Received: {name}={value}.")
    return tuple(
        int_tuple(one, 2, f"{_ORDINALS[axis]} entry of {name}")  # type: ignore[misc]
        for axis, one in enumerate(value)
    )
