"""``class_weight``: weights per class turned into weights per sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base import trees


def with_class_weight(y: Any, sample_weight: Any, class_weight: dict[int, float]) -> Any:
    """Sample weights that count each sample by the weight of its class.

    Args:
        y: integer labels ``(n,)`` or ``(n, 1)``, or one-hot labels ``(n, classes)``.
        sample_weight: weights to multiply with, or None.
        class_weight: weight by class; classes not named count 1.

    Raises:
        ValueError: several outputs, or labels of more than two axes.
    """
    leaves = [leaf for leaf in trees.flatten(y) if leaf is not None]
    if len(leaves) != 1:
        raise ValueError("`class_weight` is only supported for Models with a single output.")
    labels = np.asarray(leaves[0])
    if labels.ndim > 2:
        raise ValueError("`class_weight` is not supported for targets of more than two axes; use `sample_weight`.")
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(axis=1)
    labels = np.round(labels.reshape(-1)).astype(np.int64)
    highest = max([int(labels.max(initial=0)), *(int(key) for key in class_weight)])
    table = np.ones((highest + 1,), np.float32)
    for key, weight in class_weight.items():
        table[int(key)] = weight
    weights = table[labels]
    if sample_weight is not None:
        given = np.asarray(sample_weight, np.float32)
        weights = weights.reshape(weights.shape + (1,) * (given.ndim - 1)) * given
    return weights
