"""``adapt`` of preprocessing layers with the arguments of Keras 2, and the old name of a vocabulary's size."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

from hornbeam.compat.notes import note
from hornbeam.keras.layers.preprocessing import data_batches

_BATCH = 32


def _in_batches(adapt: Callable) -> Callable:
    """Let ``adapt`` take ``batch_size`` and ``steps``, which together say how much of an array is looked at."""

    @functools.wraps(adapt)
    def adapted(self: Any, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        if steps is not None:
            if data_batches.is_dataset(data):
                data = data.take(steps)
            elif data_batches.is_one_array(data):
                data = data[: steps * (batch_size or _BATCH)]
            else:
                data = list(itertools.islice(data_batches.batches(data), steps))
        adapt(self, data)

    return adapted


def vocab_size(self: Any) -> int:
    """Number of words, with those for masked and unknown ones."""
    note("vocab_size: `vocabulary_size` is its name now.")
    return self.vocabulary_size()


AROUND_ADAPT: dict[str, Callable] = {"adapt": _in_batches}
LOOKUP: dict[str, Any] = {"vocab_size": vocab_size}
