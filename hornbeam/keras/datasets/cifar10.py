"""Small colour pictures in ten classes: 50,000 of 32x32 for training, 10,000 for testing."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from hornbeam.keras.datasets.cifar import arranged, load_batch
from hornbeam.keras.datasets.fetching import fetch_folder

__all__ = ["load_data"]

_TRAIN = [f"data_batch_{number}" for number in range(1, 6)]


def load_data(cache_dir: str | None = None) -> Any:
    """Aeroplanes, cars, birds, cats, deer, dogs, frogs, horses, ships and lorries as colour pictures.

    Args:
        cache_dir: another cache than the usual one.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8, x (samples, 32, 32, 3) in 0..255 (or channels first, as the
        settings say), y (samples, 1).

    References: Keras ``datasets.cifar10.load_data``.
    """
    folder = fetch_folder(
        "cifar-10-batches-py",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        [*_TRAIN, "test_batch"],
        cache_dir,
    )
    batches = [load_batch(os.path.join(folder, name)) for name in _TRAIN]
    x_train = np.concatenate([pictures for pictures, _ in batches])
    y_train = np.concatenate([labels for _, labels in batches])
    x_test, y_test = load_batch(os.path.join(folder, "test_batch"))
    return (arranged(x_train), y_train), (arranged(x_test), y_test)
