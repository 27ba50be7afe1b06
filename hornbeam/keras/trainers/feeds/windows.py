"""The rows of several batches laid one after the other, for one XLA call."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes
from hornbeam.engine.jax_compat import put, wide_types
from hornbeam.engine.memory import aligned_empty
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed

RESIDENT_LIMIT_BYTES = 1 << 30
"""Data sets up to this size are put on an accelerator as a whole."""
_COPY_LIMIT_BYTES = 1 << 28
"""Views up to this size are copied into rows that lie in one piece, which are picked several times as quickly."""


class Windows:
    """Picks rows of arrays for the calls of a pass.

    On the CPU, NumPy picks them while XLA works on the window before: there the data set is never copied as a whole.
    An accelerator picks them from the data set in its own memory, if it fits there.

    Args:
        feed: the arrays.
        calls: batches in a window.
    """

    def __init__(self, feed: ArrayFeed, calls: int) -> None:
        leaves = jax.tree_util.tree_leaves(feed.arrays)
        self._calls = calls
        to_put = sum(leaf.nbytes for leaf in leaves if not isinstance(leaf, jax.Array))
        self._on_host = jax.default_backend() == "cpu" or to_put > RESIDENT_LIMIT_BYTES
        if self._on_host:
            self._leaves = [_compact(np.asarray(leaf)) for leaf in leaves]
            return
        if feed.resident is None:
            feed.resident = [_put(leaf) for leaf in leaves]
        self._leaves = feed.resident

    def take(self, rows: np.ndarray) -> list[Any]:
        """The rows of each array, shape (batches in a window, rows in a batch, ...).

        Args:
            rows: row numbers, shape (batches, rows in a batch); batches that are missing hold anything.
        """
        if self._on_host:
            return [self._picked(leaf, rows) for leaf in self._leaves]
        missing = self._calls - len(rows)
        if missing:
            rows = np.concatenate([rows, np.zeros((missing, rows.shape[1]), rows.dtype)])
        with wide_types(any(dtypes.is_wide(leaf.dtype.name) for leaf in self._leaves)):
            return _take(self._leaves, rows)

    def _picked(self, leaf: np.ndarray, rows: np.ndarray) -> Any:
        window = aligned_empty((self._calls, rows.shape[1], *leaf.shape[1:]), leaf.dtype)
        if leaf.flags.c_contiguous:
            # Any other mode than the default writes into the window without a copy in between.
            np.take(leaf, rows, axis=0, out=window[: len(rows)], mode="clip")
        else:
            # `take` would copy the leaf as a whole, each time.
            window[: len(rows)] = leaf[rows]
        return _put(window)


def _compact(leaf: np.ndarray) -> np.ndarray:
    """A leaf with its rows in one piece, unless that takes much memory: views may stand for far more than they hold."""
    return np.ascontiguousarray(leaf) if leaf.nbytes <= _COPY_LIMIT_BYTES else leaf


def _put(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray) and not dtypes.is_wide(leaf.dtype.name):
        return put(leaf)
    with wide_types(dtypes.is_wide(leaf.dtype.name)):
        return jax.device_put(leaf)


@jax.jit
def _take(leaves: list[Any], rows: Any) -> list[Any]:
    return [leaf[rows] for leaf in leaves]
