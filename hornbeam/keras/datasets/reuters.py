"""Newswire messages as lists of word numbers, in 46 topics: 11,228 of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from hornbeam.keras.datasets.fetching import published
from hornbeam.keras.datasets.pickles import load_npz
from hornbeam.keras.datasets.splitting import as_objects, frequent, marked, shorter_than, shuffled

__all__ = ["get_label_names", "get_word_index", "load_data"]

_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    cache_dir: str | None = None,
) -> Any:
    """Newswire messages. A word's number is its rank by frequency, moved up by ``index_from``.

    Args:
        path: name of the file in the cache.
        num_words: only numbers below this are kept; None for all.
        skip_top: numbers below this are not kept.
        maxlen: only messages of fewer numbers than this, start mark included.
        test_split: share of the messages for testing.
        seed: for the order of the messages before the split.
        start_char: mark in front of each message; None for none.
        oov_char: stands where a number is not kept; None leaves it out.
        index_from: by how much the ranks are moved up, to make room for the marks.
        cache_dir: another cache than the usual one.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: x an object array of lists of int, y (samples,) of 0..45.

    References: Keras ``datasets.reuters.load_data``.
    """
    file_hash = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
    found = load_npz(published("reuters.npz", path, file_hash, cache_dir))
    texts, labels = shuffled(np.random.RandomState(seed), found["x"], found["y"])
    kept, labels = shorter_than(maxlen, marked(texts, start_char, index_from), labels)
    kept = frequent(kept, num_words, skip_top, oov_char)
    border = int(len(kept) * (1 - test_split))
    train = as_objects(kept[:border]), np.array(labels[:border])
    return train, (as_objects(kept[border:]), np.array(labels[border:]))


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The rank of each word by frequency, from 1; ``load_data`` adds its ``index_from`` to it.

    Args:
        path: name of the file in the cache.

    References: Keras ``datasets.reuters.get_word_index``.
    """
    with open(published("reuters_word_index.json", path, "4d44cc38712099c9e383dc6e5f11a921"), encoding="utf-8") as file:
        return json.load(file)


def get_label_names() -> tuple[str, ...]:
    """Names of the 46 topics, in the order of their numbers.

    References: Keras ``datasets.reuters.get_label_names``.
    """
    return tuple(_TOPICS.split())
