"""The loop of ``predict``: outputs of all batches, joined in NumPy arrays."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from hornbeam.base import trees
from hornbeam.core.tensor import Tensor
from hornbeam.keras.callbacks import CallbackList
from hornbeam.keras.trainers import plan as plans
from hornbeam.keras.trainers.arguments import check_steps, check_verbose
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed
from hornbeam.keras.trainers.feeds.convert import convert, rows_of
from hornbeam.keras.trainers.feeds.iterables import is_iterable_source
from hornbeam.keras.trainers.feeds.opening import open_feed
from hornbeam.keras.trainers.feeds.stream import Stream
from hornbeam.keras.trainers.feeds.windows import Windows
from hornbeam.keras.trainers.host_head import prepared
from hornbeam.keras.trainers.interrupts import SafeInterrupt
from hornbeam.keras.trainers.preparation import prepare
from hornbeam.keras.trainers.runner import Runner


def predict(model: Any, x: Any, batch_size: Any, verbose: Any, steps: Any, callbacks: Any) -> Any:
    """See ``Trainer.predict``."""
    verbose, steps = check_verbose(verbose), check_steps("steps", steps)
    if x is not None and not is_iterable_source(x):
        x = convert(x, "x")
        leaves = [leaf for leaf in trees.flatten(x) if leaf is not None]
        if leaves and all(len(leaf) == 0 for leaf in leaves):
            return _empty_prediction(model, x)
    feed = open_feed((x, None, None), "predict", batch_size=batch_size, steps=steps)
    runner = model._runner("predict")
    prepare(model, runner, feed, "predict")
    if not isinstance(callbacks, CallbackList):
        callbacks = CallbackList(
            callbacks, add_progbar=verbose != 0, verbose=verbose, epochs=1, steps=steps or feed.num_batches, model=model
        )
    model.stop_predicting = False
    with SafeInterrupt() as guard:
        try:
            callbacks.on_predict_begin()
            feed.epoch_begins()
            collected = _in_chunks(runner, feed, guard, callbacks) if steps is None else None
            if collected is None:
                collected = _one_by_one(runner, Stream(feed, steps), guard, callbacks)
            feed.epoch_ends()
        finally:
            callbacks.on_predict_end()
    return collected


def _empty_prediction(model: Any, x: Any) -> Any:
    """No rows in, no rows out: the shapes come from a run on one row."""
    one = trees.map_structure(lambda leaf: None if leaf is None else np.zeros((1, *leaf.shape[1:]), leaf.dtype), x)
    outputs = predict(model, one, None, 0, None, None)
    return trees.map_structure(lambda leaf: leaf[:0], outputs)


def _one_by_one(runner: Runner, stream: Stream, guard: SafeInterrupt, callbacks: Any) -> Any:
    """Outputs for all batches, joined along the first axis."""
    feed = stream.feed
    parts: list[list[Any]] = []
    structure: Any = None
    usual = feed.batch_size if isinstance(feed, ArrayFeed) and feed.full_batches else None
    for number, batch in enumerate(_batches(stream)):
        callbacks.on_predict_batch_begin(number)
        rows = rows_of(batch)
        padded = usual is not None and rows is not None and rows < usual and runner.can_compile(batch)
        # A short last batch is filled up to the usual size, so that it needs no program of its own.
        outputs = runner.run_batch(_pad(batch, usual) if padded else batch, guard)
        flat = [_array(leaf) for leaf in trees.flatten(outputs)]
        if padded:
            if any(np.ndim(leaf) == 0 or leaf.shape[0] != usual for leaf in flat):
                # Outputs that are not per sample may depend on the size of the batch.
                outputs = runner.run_batch(batch, guard)
                flat = [_array(leaf) for leaf in trees.flatten(outputs)]
            else:
                flat = [leaf[:rows] for leaf in flat]
                outputs = trees.pack(outputs, flat) if trees.is_nested(outputs) else flat[0]
        structure = outputs
        parts.append(flat)
        callbacks.on_predict_batch_end(number, {"outputs": outputs})
        if runner.model.stop_predicting:
            break
    joined = [_join([np.asarray(leaf) for leaf in leaves]) for leaves in zip(*parts, strict=True)]
    return trees.pack(structure, joined) if trees.is_nested(structure) else joined[0]


def _batches(stream: Stream) -> Any:
    if not stream.is_array:
        return stream.batches()
    share = stream.share()
    return (stream.feed.batch(number) for number in range(share.start, share.stop))


def _in_chunks(runner: Runner, feed: Any, guard: SafeInterrupt, callbacks: Any) -> Any:
    """Many batches per XLA call, on windows of the data; None if that is not worth it or not possible."""
    if not isinstance(feed, ArrayFeed) or feed.full_batches < 2:
        return None
    first = feed.first()
    program = runner.program_for(first)
    if program is None or prepared(runner.model, first) is not first:
        return None
    plan = plans.choose(feed, program.steps_per_call, interval=callbacks.needed_interval("predict"))
    if program.state or plan.steps_per_call < 2:
        return None
    size = feed.batch_size
    if any(len(struct.shape) < 1 or struct.shape[0] != size for struct in program.outputs):
        return None
    # The last batch starts early enough to be full; only its last rows are new.
    starts = np.minimum(np.arange(feed.num_batches) * size, feed.size - size)
    rows = starts[:, None] + np.arange(size)
    windows = Windows(feed, plan.steps_per_call)
    pieces: list[list[Any]] = []
    structure: Any = None
    for first in range(0, feed.num_batches, plan.steps_per_call):
        chosen = rows[first : first + plan.steps_per_call]
        count = len(chosen)
        window = windows.take(chosen)
        callbacks.on_predict_batch_begin(first)
        with guard.step():
            structure = program.run_map(window, count)
        pieces.append([(_array(leaf), count) for leaf in trees.flatten(structure)])
        callbacks.on_predict_batch_end(first + count - 1, {"outputs": structure})
        if runner.model.stop_predicting:
            break
    joined = [_rows(leaves, feed) for leaves in zip(*pieces, strict=True)]
    return trees.pack(structure, joined) if trees.is_nested(structure) else joined[0]


def _rows(pieces: Any, feed: ArrayFeed) -> np.ndarray:
    """Stacked batches of several calls as rows, without those that the last batch has twice."""
    parts = [np.asarray(leaf)[:count].reshape((-1, *leaf.shape[2:])) for leaf, count in pieces]
    rows = _join(parts)
    if feed.remainder and len(rows) == feed.num_batches * feed.batch_size:
        whole = feed.full_batches * feed.batch_size
        rows = np.concatenate([rows[:whole], rows[-feed.remainder :]])
    return rows


def _array(leaf: Any) -> Any:
    # Stays on the device until all batches are on their way.
    return leaf._value if isinstance(leaf, Tensor) else leaf


def _join(leaves: list[np.ndarray]) -> np.ndarray:
    if leaves[0].ndim == 0:
        return np.stack(leaves) if len(leaves) > 1 else np.array(leaves[0])
    return np.concatenate(leaves, axis=0) if len(leaves) > 1 else np.array(leaves[0])


def _pad(batch: Any, size: int | None) -> Any:
    def fill(leaf: Any) -> Any:
        if leaf is None:
            return None
        missing = (size or 0) - len(leaf)
        if isinstance(leaf, jax.Array):
            return jax.numpy.concatenate([leaf, jax.numpy.repeat(leaf[-1:], missing, axis=0)])
        return np.concatenate([leaf, np.repeat(leaf[-1:], missing, axis=0)])

    return trees.map_structure(fill, batch)


def to_numpy(outputs: Any) -> Any:
    """Tensors and arrays in any nesting as NumPy arrays."""

    def one(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.numpy()
        return np.asarray(value) if isinstance(value, jax.Array) else value

    return trees.map_structure(one, outputs)
