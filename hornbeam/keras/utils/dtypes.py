"""``standardize_dtype``: any spelling of a dtype as its name."""

from __future__ import annotations

from typing import Any

from hornbeam.base import dtypes, settings

__all__ = ["standardize_dtype"]


def standardize_dtype(dtype: Any) -> str:
    """Name of a dtype, floatx for ``None``.

    Raises:
        ValueError: nothing of that name is known.

    References: Keras ``keras.utils.standardize_dtype``.
    """
    if dtype is None:
        return settings.floatx()
    try:
        return dtypes.as_dtype(dtype).name
    except TypeError as error:
        raise ValueError(f"Invalid dtype: {dtype}") from error
