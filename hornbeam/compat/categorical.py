"""``to_categorical`` with its arguments of all times."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import ArgumentError
from hornbeam.compat.notes import note
from hornbeam.keras.utils.numerical import to_categorical as todays


def to_categorical(
    x: Any = None, num_classes: int | None = None, dtype: Any = None, *, y: Any = None, nb_classes: int | None = None
) -> Any:
    """Class numbers as rows with a single 1.

    Args:
        x: class numbers; ``y`` of old.
        num_classes: length of a row; ``nb_classes`` of old. By default one more than the largest number.
        dtype: element type of the rows; float by default.
        y: old name of ``x``.
        nb_classes: old name of ``num_classes``.

    References: Keras ``utils.to_categorical``.
    """
    for old, new, value, other in (("y", "x", y, x), ("nb_classes", "num_classes", nb_classes, num_classes)):
        if value is not None:
            if other is not None:
                raise ArgumentError(f"to_categorical: `{old}` and `{new}` mean the same. Received both; keep `{new}`.")
            note(f"to_categorical: argument `{old}` is called `{new}` now.")
    given = x if y is None else y
    if given is None:
        raise TypeError("to_categorical() needs class numbers as its first argument.")
    rows = todays(given, num_classes if nb_classes is None else nb_classes)
    if dtype is None:
        return rows
    return rows.astype(dtype) if hasattr(rows, "astype") else rows
