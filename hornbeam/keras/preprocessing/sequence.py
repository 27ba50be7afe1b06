"""Sequences: padding, pairs of neighbouring words, windows of time series.

References: Keras ``preprocessing.sequence`` (``pad_sequences`` and its legacy functions).
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.base.errors import explain
from hornbeam.keras.utils.py_dataset import PyDataset
from hornbeam.keras.utils.sequence_utils import pad_sequences

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]

_EULER_GAMMA = 0.577


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """Probability to keep a word for `skipgrams`, by its rank, if frequencies follow Zipf's law.

    ``min(1, sqrt(factor / frequency))`` with ``1 / frequency = r (log r + 0.577) + 1/2 - 1/(12 r)`` for rank r.

    Args:
        size: how many words.
        sampling_factor: smaller values drop more of the frequent words.

    References: Keras ``preprocessing.sequence.make_sampling_table``.
    """
    rank = np.arange(size, dtype="float64")
    # Number 0 is no word; it takes the value of the most frequent one.
    rank[:1] = 1
    inverse_frequency = rank * (np.log(rank) + _EULER_GAMMA) + 0.5 - 1 / (12 * rank)
    return np.minimum(1, np.sqrt(sampling_factor * inverse_frequency))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Pairs of words that stand near each other (label 1), and pairs drawn at random (label 0).

    Random numbers are those of Python's ``random``.

    Args:
        sequence: word numbers; 0 is no word and is left out.
        vocabulary_size: one more than the largest number.
        window_size: words within this distance are near.
        negative_samples: random pairs for each near one.
        shuffle: mix the pairs.
        categorical: labels ``[0, 1]`` and ``[1, 0]`` instead of 1 and 0.
        sampling_table: probability to keep each word, of `make_sampling_table`.
        seed: for the mixing.

    Returns:
        Pairs, and their labels.

    References: Keras ``preprocessing.sequence.skipgrams``.
    """
    couples = []
    for place, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        start = max(0, place - window_size)
        for near_place, near in enumerate(sequence[start : place + window_size + 1], start=start):
            if near_place != place and near:
                couples.append([word, near])
    near_label, far_label = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels: list[Any] = [near_label for _ in couples]
    if negative_samples > 0:
        count = int(len(labels) * negative_samples)
        words = [couple[0] for couple in couples]
        random.shuffle(words)
        couples += [[words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(count)]
        labels += [far_label] * count
    if shuffle:
        seed = random.randint(0, 10_000_000) if seed is None else seed
        for mixed in (couples, labels):
            random.seed(seed)
            random.shuffle(mixed)
    return couples, labels


class TimeseriesGenerator(PyDataset):
    """Batches of windows of a time series, each with the target that follows it.

    Args:
        data: series, time on the first axis.
        targets: one for each moment.
        length: moments in a window, before sampling.
        sampling_rate: take every so-manieth moment of a window.
        stride: moments between two windows.
        start_index: moments before this are not used.
        end_index: the last moment that is used.
        shuffle: windows at random instead of in order.
        reverse: newest moment first.
        batch_size: windows in a batch.
        **kwargs: of `PyDataset`: ``workers``, ``use_multiprocessing``, ``max_queue_size``.

    Raises:
        ValueError: lengths differ, or no window fits.

    Example:
        >>> batches = TimeseriesGenerator(np.arange(6), np.arange(6), length=2, batch_size=3)
        >>> batches[0]
        (array([[0, 1],
               [1, 2],
               [2, 3]]), array([2, 3, 4]))

    References: Keras ``preprocessing.sequence.TimeseriesGenerator``.
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if len(data) != len(targets):
            raise ValueError(f"`data` and `targets` must be of one length. Received: {len(data)} and {len(targets)}")
        self.data = data
        self.targets = targets
        self.length = length
        self.sampling_rate = sampling_rate
        self.stride = stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle = shuffle
        self.reverse = reverse
        self.batch_size = batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                explain(
                    "No window of TimeseriesGenerator fits.",
                    expected=f"start_index + length at most end_index={self.end_index}",
                    received=f"{start_index} + {length}",
                )
            )

    def __len__(self) -> int:
        step = self.batch_size * self.stride
        return (self.end_index - self.start_index + step) // step

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if not 0 <= index < len(self):
            raise IndexError(f"TimeseriesGenerator has {len(self)} batches. Received: batch number {index}")
        if self.shuffle:
            rows = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            first = self.start_index + self.batch_size * self.stride * index
            rows = np.arange(first, min(first + self.batch_size * self.stride, self.end_index + 1), self.stride)
        windows = np.array([self.data[row - self.length : row : self.sampling_rate] for row in rows])
        targets = np.array([self.targets[row] for row in rows])
        return (windows[:, ::-1, ...] if self.reverse else windows), targets

    def get_config(self) -> dict[str, Any]:
        """Settings, data and targets as JSON texts; ``start_index`` counts the first window's target."""
        return {
            "data": _as_json("data", self.data),
            "targets": _as_json("targets", self.targets),
            "length": self.length,
            "sampling_rate": self.sampling_rate,
            "stride": self.stride,
            "start_index": self.start_index,
            "end_index": self.end_index,
            "shuffle": self.shuffle,
            "reverse": self.reverse,
            "batch_size": self.batch_size,
        }

    def to_json(self, **kwargs: Any) -> str:
        """JSON text of class name and settings; ``kwargs`` go to ``json.dumps``."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def _as_json(name: str, values: Any) -> str:
    try:
        return json.dumps(values.tolist() if isinstance(values, np.ndarray) else values)
    except TypeError as error:
        raise TypeError(f"TimeseriesGenerator: `{name}` cannot be written as JSON ({error}).") from error
