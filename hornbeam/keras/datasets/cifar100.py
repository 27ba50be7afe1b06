"""Small colour pictures in 100 classes of 20 groups: 50,000 of 32x32 for training, 10,000 for testing."""

from __future__ import annotations

import os
from typing import Any

from hornbeam.keras.datasets.cifar import arranged, load_batch
from hornbeam.keras.datasets.fetching import fetch_folder

__all__ = ["load_data"]


def load_data(label_mode: str = "fine", cache_dir: str | None = None) -> Any:
    """Things, plants and animals as colour pictures.

    Args:
        label_mode: ``"fine"`` for the 100 classes, ``"coarse"`` for the 20 groups.
        cache_dir: another cache than the usual one.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 pictures (samples, 32, 32, 3) in 0..255 (or channels first, as
        the settings say) and integer labels (samples, 1).

    Raises:
        ValueError: an unknown ``label_mode``.

    References: Keras ``datasets.cifar100.load_data``.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"`label_mode` of cifar100 is 'fine' or 'coarse'. Received: label_mode={label_mode!r}")
    folder = fetch_folder(
        "cifar-100-python",
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
        ["train", "test"],
        cache_dir,
    )
    key = f"{label_mode}_labels"
    x_train, y_train = load_batch(os.path.join(folder, "train"), key)
    x_test, y_test = load_batch(os.path.join(folder, "test"), key)
    # The 100-class files give their labels as Python integers, which Keras leaves at NumPy's own width.
    return (arranged(x_train), y_train.astype("int64")), (arranged(x_test), y_test.astype("int64"))
