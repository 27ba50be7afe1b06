"""Pictures of clothes: 60,000 of 28x28 for training, 10,000 for testing, in ten classes."""

from __future__ import annotations

import gzip
import os
from typing import Any

import numpy as np

from hornbeam.keras.datasets.fetching import damaged, fetch

__all__ = ["load_data"]

_LABELS_HEADER_BYTES = 8
_PICTURES_HEADER_BYTES = 16


def load_data(cache_dir: str | None = None) -> Any:
    """Clothes of ten kinds (T-shirt, trousers, pullover, ...) as pictures of grey levels.

    Args:
        cache_dir: another cache than the usual one.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8, x (samples, 28, 28) in 0..255, y (samples,).

    References: Keras ``datasets.fashion_mnist.load_data``.
    """
    return _part("train", cache_dir), _part("t10k", cache_dir)


def _part(name: str, cache_dir: str | None) -> tuple[np.ndarray, np.ndarray]:
    subfolder = os.path.join("datasets", "fashion-mnist")
    labels_path = fetch(f"{name}-labels-idx1-ubyte.gz", None, subfolder=subfolder, cache_dir=cache_dir)
    pictures_path = fetch(f"{name}-images-idx3-ubyte.gz", None, subfolder=subfolder, cache_dir=cache_dir)
    labels = _bytes_after(labels_path, _LABELS_HEADER_BYTES)
    pictures = _bytes_after(pictures_path, _PICTURES_HEADER_BYTES)
    if len(pictures) != len(labels) * 28 * 28:
        raise damaged(pictures_path, ValueError(f"{len(pictures)} bytes do not make {len(labels)} pictures of 28x28"))
    return pictures.reshape(len(labels), 28, 28), labels


def _bytes_after(path: str, header_bytes: int) -> np.ndarray:
    try:
        with gzip.open(path, "rb") as file:
            content = file.read()
    except (OSError, EOFError) as error:
        raise damaged(path, error) from error
    # A copy, for arrays over a bytes object cannot be written to.
    return np.frombuffer(content, np.uint8, offset=min(header_bytes, len(content))).copy()
