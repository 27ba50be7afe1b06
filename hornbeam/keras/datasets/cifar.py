"""The layout that CIFAR-10 and CIFAR-100 share: pickled rows of 3,072 bytes."""

from __future__ import annotations

import numpy as np

from hornbeam.base import settings
from hornbeam.keras.datasets.fetching import damaged
from hornbeam.keras.datasets.pickles import load_pickle


def load_batch(path: str, label_key: str = "labels") -> tuple[np.ndarray, np.ndarray]:
    """One file: pictures (samples, 3, 32, 32) uint8 and labels (samples, 1) uint8."""
    found = load_pickle(path)
    try:
        named = {key.decode("utf8") if isinstance(key, bytes) else key: value for key, value in found.items()}
        pictures = np.asarray(named["data"], dtype="uint8").reshape(-1, 3, 32, 32)
        labels = np.asarray(named[label_key], dtype="uint8").reshape(-1, 1)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise damaged(path, error) from error
    return pictures, labels


def arranged(pictures: np.ndarray) -> np.ndarray:
    """Channels where the settings want them."""
    return pictures.transpose(0, 2, 3, 1) if settings.image_data_format() == "channels_last" else pictures
