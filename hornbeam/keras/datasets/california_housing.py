"""House prices in the districts of California in 1990: 20,640 rows of 8 features."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.datasets.fetching import published
from hornbeam.keras.datasets.pickles import load_npz
from hornbeam.keras.datasets.splitting import split_table

__all__ = ["load_data"]

_SMALL_ROWS = 600


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Any:
    """Median house prices, in dollars.

    Args:
        version: ``"large"`` for all rows, ``"small"`` for the first 600 (San Francisco and around).
        path: name of the file in the cache.
        test_split: share of the rows for testing, at least 0 and below 1.
        seed: for the order of the rows before the split.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: x (rows, 8), y (rows,).

    Raises:
        ValueError: an unknown ``version``, or ``test_split`` out of range.

    References: Keras ``datasets.california_housing.load_data``.
    """
    if version not in ("small", "large"):
        raise ValueError(f"`version` of california_housing is 'small' or 'large'. Received: version={version!r}")
    file_hash = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
    found = load_npz(published("california_housing.npz", path, file_hash))
    rows = slice(None, _SMALL_ROWS if version == "small" else None)
    return split_table(found["x"][rows], found["y"][rows], test_split, seed)
