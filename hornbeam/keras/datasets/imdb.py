"""Reviews of films as lists of word numbers, each good (1) or bad (0): 25,000 for training, 25,000 for testing."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from hornbeam.keras.datasets.fetching import published
from hornbeam.keras.datasets.pickles import load_npz
from hornbeam.keras.datasets.splitting import as_objects, frequent, marked, shorter_than, shuffled

__all__ = ["get_word_index", "load_data"]


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> Any:
    """Film reviews. A word's number is its rank by frequency, moved up by ``index_from``.

    Args:
        path: name of the file in the cache.
        num_words: only numbers below this are kept; None for all.
        skip_top: numbers below this are not kept.
        maxlen: only reviews of fewer numbers than this, start mark included.
        seed: for the order of the reviews.
        start_char: mark in front of each review; None for none.
        oov_char: stands where a number is not kept; None leaves it out.
        index_from: by how much the ranks are moved up, to make room for the marks.
        **kwargs: ``nb_words``, a former name of ``num_words``, and ``cache_dir``, another cache.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: x an object array of lists of int, y (samples,) of 0 and 1.

    Raises:
        ValueError: no review is shorter than ``maxlen``.

    References: Keras ``datasets.imdb.load_data``.
    """
    num_words = kwargs.pop("nb_words", num_words)
    cache_dir = kwargs.pop("cache_dir", None)
    if kwargs:
        raise TypeError(f"imdb.load_data() has no such arguments: {sorted(kwargs)}")
    file_hash = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
    found = load_npz(published("imdb.npz", path, file_hash, cache_dir))
    rng = np.random.RandomState(seed)
    parts = []
    for name in ("train", "test"):
        texts, labels = shuffled(rng, found[f"x_{name}"], found[f"y_{name}"])
        parts.append(shorter_than(maxlen, marked(texts, start_char, index_from), labels))
    (train, y_train), (test, y_test) = parts
    if maxlen and not (train and test):
        raise ValueError(f"No review of imdb is shorter than maxlen={maxlen}: choose a larger one, or None.")
    kept = frequent(train + test, num_words, skip_top, oov_char)
    border = len(train)
    return (as_objects(kept[:border]), np.asarray(y_train)), (as_objects(kept[border:]), np.asarray(y_test))


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The rank of each word by frequency, from 1; ``load_data`` adds its ``index_from`` to it.

    Args:
        path: name of the file in the cache.

    References: Keras ``datasets.imdb.get_word_index``.
    """
    with open(published("imdb_word_index.json", path, "bfafd718b763782e994055a2d397834f"), encoding="utf-8") as file:
        return json.load(file)
