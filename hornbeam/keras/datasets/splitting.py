"""What several data sets share: a fixed shuffle, a split, and the treatment of word numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


def shuffled(rng: np.random.RandomState, *arrays: np.ndarray) -> list[np.ndarray]:
    """The arrays in one random order."""
    order = np.arange(len(arrays[0]))
    rng.shuffle(order)
    return [array[order] for array in arrays]


def split_table(x: np.ndarray, y: np.ndarray, test_split: float, seed: int) -> Any:
    """Shuffle rows and cut the last ``test_split`` of them off: ``(x_train, y_train), (x_test, y_test)``."""
    if not 0 <= test_split < 1:
        raise ValueError(f"`test_split` must be a share, at least 0 and below 1. Received: test_split={test_split}")
    x, y = shuffled(np.random.RandomState(seed), x, y)
    border = int(len(x) * (1 - test_split))
    return (np.array(x[:border]), np.array(y[:border])), (np.array(x[border:]), np.array(y[border:]))


def marked(texts: Iterable[Sequence[int]], start_char: int | None, index_from: int) -> list[list[int]]:
    """Word numbers moved up by ``index_from``, with the start mark in front."""
    start = [] if start_char is None else [start_char]
    return [start + [word + (index_from or 0) for word in text] for text in texts]


def shorter_than(maxlen: int | None, texts: list[list[int]], labels: np.ndarray) -> tuple[list[list[int]], np.ndarray]:
    """Only the texts of fewer than ``maxlen`` words, and their labels."""
    if not maxlen:
        return texts, labels
    kept = [place for place, text in enumerate(texts) if len(text) < maxlen]
    return [texts[place] for place in kept], np.asarray(labels)[kept]


def frequent(texts: list[list[int]], num_words: int | None, skip_top: int, oov_char: int | None) -> list[list[int]]:
    """Replace numbers outside ``skip_top <= number < num_words`` by ``oov_char``; if it is None, leave them out."""
    most = num_words or max((max(text) for text in texts if text), default=0)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < most] for text in texts]
    return [[word if skip_top <= word < most else oov_char for word in text] for text in texts]


def as_objects(texts: list[list[int]]) -> np.ndarray:
    """Lists in an array of one axis, also where all have one length."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array
