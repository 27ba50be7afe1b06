"""``class_weight``: weights per class turned into weights per sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import DataError


def check_class_weight(class_weight: Any) -> dict[int, float]:
    """``class_weight`` as a dict of ints and floats.

    Raises:
        ValueError: it is no dict, or a key is no class number.
    """
    if not isinstance(class_weight, dict):
        raise ValueError(
            "`class_weight` must be a dict from class numbers to weights, e.g. {0: 1.0, 1: 5.0}. "
            f"Received: class_weight={class_weight!r}"
        )
    try:
        found = {int(key): float(weight) for key, weight in class_weight.items()}
    except (TypeError, ValueError) as error:
        raise ValueError(
            "The keys of `class_weight` must be class numbers, its values numbers. "
            f"Received: class_weight={class_weight!r}"
        ) from error
    if any(key < 0 for key in found):
        raise ValueError(f"The keys of `class_weight` must be 0 or more. Received: class_weight={class_weight!r}")
    return found


def with_class_weight(y: Any, sample_weight: Any, class_weight: Any) -> Any:
    """Sample weights that count each sample by the weight of its class.

    Args:
        y: class numbers ``(n,)`` or ``(n, 1)``, or one-hot labels ``(n, classes)``.
        sample_weight: weights to multiply with, or None.
        class_weight: weight by class; classes not named count 1.

    Raises:
        ValueError: several outputs, or labels of more than two axes.
    """
    by_class = check_class_weight(class_weight)
    leaves = [leaf for leaf in trees.flatten(y) if leaf is not None]
    if len(leaves) != 1:
        raise DataError(
            f"`class_weight` needs a model of one output. `y` holds {len(leaves)} arrays; weigh each with "
            "`sample_weight`."
        )
    labels = np.asarray(leaves[0])
    if labels.ndim > 2 or labels.dtype.kind not in "biuf":
        raise DataError(
            "`class_weight` needs class numbers or one-hot labels of at most two axes; use `sample_weight` for others. "
            f"Received: y of shape {labels.shape}, dtype {labels.dtype}"
        )
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(axis=1)
    labels = np.round(labels.reshape(-1)).astype(np.int64)
    weights = np.ones(labels.shape, np.float32)
    for key, weight in by_class.items():
        weights[labels == key] = weight
    if sample_weight is not None:
        given = np.asarray(sample_weight, np.float32)
        weights = weights.reshape(weights.shape + (1,) * (given.ndim - 1)) * given
    return weights
