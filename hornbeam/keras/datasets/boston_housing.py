"""House prices in the suburbs of Boston about 1978: 506 rows of 13 features.

One of the features makes an assumption about people by the colour of their skin; prefer ``california_housing``.
"""

from __future__ import annotations

from typing import Any

from hornbeam.keras.datasets.fetching import published
from hornbeam.keras.datasets.pickles import load_npz
from hornbeam.keras.datasets.splitting import split_table

__all__ = ["load_data"]


def load_data(
    path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113, cache_dir: str | None = None
) -> Any:
    """House prices, in thousands of dollars.

    Args:
        path: name of the file in the cache.
        test_split: share of the rows for testing, at least 0 and below 1.
        seed: for the order of the rows before the split.
        cache_dir: another cache than the usual one.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: x (rows, 13), y (rows,), float64.

    Raises:
        ValueError: ``test_split`` out of range.

    References: Keras ``datasets.boston_housing.load_data``.
    """
    file_hash = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"
    found = load_npz(published("boston_housing.npz", path, file_hash, cache_dir))
    return split_table(found["x"], found["y"], test_split, seed)
