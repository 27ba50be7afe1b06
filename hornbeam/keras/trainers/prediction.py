"""Collecting predictions batch by batch into NumPy arrays."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from hornbeam.base import trees
from hornbeam.core.tensor import Tensor
from hornbeam.keras.trainers import plan as plans
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed
from hornbeam.keras.trainers.interrupts import SafeInterrupt
from hornbeam.keras.trainers.runner import Runner, is_text, resident


def collect_predictions(runner: Runner, feed: Any, guard: SafeInterrupt, callbacks: Any, steps: int | None) -> Any:
    """Outputs for all batches, joined along the first axis.

    Args:
        runner: of the prediction step.
        feed: batches.
        guard: keeps Ctrl-C out of steps.
        callbacks: told about every batch.
        steps: batches to run at most.
    """
    if steps is None and runner.compiled and isinstance(feed, ArrayFeed) and feed.full_batches > 1:
        joined = _in_chunks(runner, feed, guard, callbacks)
        if joined is not None:
            return joined
    parts: list[list[Any]] = []
    structure: Any = None
    pad_to = feed.batch_size if isinstance(feed, ArrayFeed) and feed.size > feed.batch_size else None
    for number, batch in enumerate(feed):
        if steps is not None and number >= steps:
            break
        callbacks.on_predict_batch_begin(number)
        rows = _rows(batch)
        padded = pad_to is not None and rows < pad_to and runner.compiled and not _has_text(batch)
        # A short last batch is filled up to the usual size, so that it needs no program of its own.
        outputs = runner.run_batch(_pad(batch, pad_to) if padded else batch, guard)
        flat = [_array(leaf) for leaf in trees.flatten(outputs)]
        if padded:
            flat = [leaf[:rows] if leaf.ndim and leaf.shape[0] == pad_to else leaf for leaf in flat]
        structure = outputs
        parts.append(flat)
        callbacks.on_predict_batch_end(number, {"outputs": outputs})
    if structure is None:
        raise ValueError("predict() got no batches: the data source is empty.")
    joined = [_join([np.asarray(leaf) for leaf in leaves]) for leaves in zip(*parts, strict=True)]
    return trees.pack(structure, joined) if trees.is_nested(structure) else joined[0]


def _in_chunks(runner: Runner, feed: ArrayFeed, guard: SafeInterrupt, callbacks: Any) -> Any:
    """Many batches per XLA call, from data that lie on the device; None if that is not worth it or not possible."""
    if callbacks.wants_batches("predict") or any(is_text(leaf) for leaf in feed.leaves):
        return None
    program = runner.program_for(feed.first())
    plan = plans.choose(feed, program.program.closed, steps_per_execution=None, wants_batches=False)
    if program.state or not plan.resident or plan.steps_per_call < 2:
        return None
    size = feed.batch_size
    # The last batch starts early enough to be full; only its last rows are new.
    starts = np.minimum(np.arange(feed.num_batches, dtype=np.int32) * size, feed.size - size)
    data = resident(feed)
    pieces: list[list[np.ndarray]] = []
    structure: Any = None
    for first in range(0, feed.num_batches, plan.steps_per_call):
        chunk = starts[first : first + plan.steps_per_call]
        padded = np.concatenate([chunk, np.repeat(chunk[-1:], plan.steps_per_call - len(chunk))])
        callbacks.on_predict_batch_begin(first)
        with guard.step():
            structure = program.run_map(data, padded, size)
        flat = [_array(leaf) for leaf in trees.flatten(structure)]
        if any(leaf.ndim < 2 or leaf.shape[1] != size for leaf in flat):
            return None
        pieces.append([leaf[: len(chunk)].reshape((-1, *leaf.shape[2:])) for leaf in flat])
        callbacks.on_predict_batch_end(first + len(chunk) - 1, {"outputs": structure})
    joined = [_whole([np.asarray(leaf) for leaf in leaves], feed) for leaves in zip(*pieces, strict=True)]
    return trees.pack(structure, joined) if trees.is_nested(structure) else joined[0]


def _whole(parts: list[np.ndarray], feed: ArrayFeed) -> np.ndarray:
    rows = _join(parts)
    if feed.remainder:
        whole = feed.full_batches * feed.batch_size
        rows = np.concatenate([rows[:whole], rows[-feed.remainder :]])
    return rows


def _array(leaf: Any) -> Any:
    # Stays on the device until all batches are on their way.
    return leaf._value if isinstance(leaf, Tensor) else leaf


def _join(leaves: list[np.ndarray]) -> np.ndarray:
    if leaves[0].ndim == 0:
        return np.stack(leaves)
    return np.concatenate(leaves, axis=0) if len(leaves) > 1 else np.array(leaves[0])


def _rows(batch: Any) -> int:
    return next(len(leaf) for leaf in trees.flatten(batch) if leaf is not None)


def _has_text(batch: Any) -> bool:
    return any(leaf is not None and is_text(leaf) for leaf in trees.flatten(batch))


def _pad(batch: Any, size: int | None) -> Any:
    def fill(leaf: Any) -> Any:
        if leaf is None:
            return None
        missing = (size or 0) - len(leaf)
        if isinstance(leaf, jax.Array):
            return jax.numpy.concatenate([leaf, jax.numpy.repeat(leaf[-1:], missing, axis=0)])
        return np.concatenate([leaf, np.repeat(leaf[-1:], missing, axis=0)])

    return trees.map_structure(fill, batch)
