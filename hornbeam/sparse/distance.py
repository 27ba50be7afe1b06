"""``tf.edit_distance``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.core.arguments import value_of
from hornbeam.core.tensor import HostTensor, Tensor, from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.sparse.tensor import SparseTensor

__all__ = ["edit_distance"]


def edit_distance(hypothesis: SparseTensor, truth: SparseTensor, normalize: bool = True, name: str = "") -> Tensor:
    """Levenshtein distances of sequences: insertions, deletions and replacements that make one of the other.

    Args:
        hypothesis: sparse tensor whose rows along the last axis are sequences.
        truth: sparse tensor of as many axes.
        normalize: divide by the length of the true sequence; where that is empty, the distance to anything is inf.

    Returns:
        float32, the larger one of the two shapes without the last axis.

    Raises:
        TypeError: an argument is no sparse tensor.

    Example: ``"ab"`` against ``"ac"`` is 1, normalized 0.5.

    References: TensorFlow `tf.edit_distance`.
    """
    for given, label in ((hypothesis, "hypothesis"), (truth, "truth")):
        if not isinstance(given, SparseTensor):
            raise TypeError(f"tf.edit_distance: `{label}` must be a SparseTensor. Received: {type(given).__name__}")
    if hypothesis.ndim != truth.ndim:
        raise InvalidArgumentError(None, None, f"tf.edit_distance: ranks differ: {hypothesis.shape} and {truth.shape}.")
    shape = tuple(np.maximum(hypothesis._sizes, truth._sizes)[:-1].tolist())
    found = np.zeros(shape, np.float32)
    guesses, wanted = _sequences(hypothesis), _sequences(truth)
    for place in guesses.keys() | wanted.keys():
        guess, right = guesses.get(place, []), wanted.get(place, [])
        distance = float(_levenshtein(guess, right))
        if normalize:
            distance = distance / len(right) if right else float("inf")
        found[place] = distance
    return from_host(found)


def _sequences(given: SparseTensor) -> dict[tuple[int, ...], list[Any]]:
    """Elements of each sequence by its place."""
    held = given.values._value if isinstance(given.values, HostTensor) else np.asarray(value_of(given.values))
    found: dict[tuple[int, ...], list[Any]] = {}
    for place, value in zip(given._indices.tolist(), held.tolist(), strict=True):
        found.setdefault(tuple(place[:-1]), []).append(value)
    return found


def _levenshtein(one: Sequence[Any], other: Sequence[Any]) -> int:
    """Length of the shortest way from one sequence to the other, row by row (Wagner and Fischer 1974)."""
    row = list(range(len(other) + 1))
    for count, item in enumerate(one, 1):
        corner, row[0] = row[0], count
        for place, beside in enumerate(other, 1):
            corner, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, corner + (item != beside))
    return row[-1]
