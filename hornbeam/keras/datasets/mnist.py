"""Hand-written digits: 60,000 pictures of 28x28 for training, 10,000 for testing."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.datasets.fetching import published
from hornbeam.keras.datasets.pickles import load_npz

__all__ = ["load_data"]


def load_data(path: str = "mnist.npz", cache_dir: str | None = None) -> Any:
    """Digits 0 to 9 as pictures of grey levels.

    Args:
        path: name of the file in the cache.
        cache_dir: another cache than the usual one.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8, x (samples, 28, 28) in 0..255, y (samples,).

    References: Keras ``datasets.mnist.load_data``.
    """
    file_hash = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
    found = load_npz(published("mnist.npz", path, file_hash, cache_dir))
    return (found["x_train"], found["y_train"]), (found["x_test"], found["y_test"])
