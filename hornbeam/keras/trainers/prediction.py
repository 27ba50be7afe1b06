"""The loop of ``predict``: outputs of all batches, joined in NumPy arrays."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from hornbeam.base import trees
from hornbeam.core.tensor import Tensor
from hornbeam.engine.pace import AHEAD
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
from hornbeam.keras.trainers.runner import Runner, as_tensors


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
        outputs = None
        if usual is not None and rows is not None and rows < usual and runner.can_compile(batch):
            outputs = _filled_up(runner, feed, rows, parts[-1], guard)
        if outputs is None:
            outputs = runner.run_batch(batch, guard)
        structure = outputs
        parts.append([_array(leaf) for leaf in trees.flatten(outputs)])
        callbacks.on_predict_batch_end(number, {"outputs": outputs})
        if runner.model.stop_predicting:
            break
    joined = [_join([np.asarray(leaf) for leaf in leaves]) for leaves in zip(*parts, strict=True)]
    return trees.pack(structure, joined) if trees.is_nested(structure) else joined[0]


def _filled_up(runner: Runner, feed: ArrayFeed, rows: int, before: list[Any], guard: SafeInterrupt) -> Any:
    """Outputs for the short last batch, run as the end of a full one, so that it needs no program of its own.

    Args:
        runner: of the step.
        feed: the data.
        rows: samples in the short batch.
        before: outputs for the batch before it.
        guard: keeps Ctrl-C out of the step.

    Returns:
        None where a batch of that size gives something else: outputs that are not per sample, or depend on the other
        samples, or a step that changes the state.
    """
    size = feed.batch_size
    full = feed.batch(0, np.arange(feed.size - size, feed.size))
    program = runner.program_for(full)
    if program is None or program.state:
        return None
    outputs = runner.run_batch(full, guard)
    flat = [np.asarray(_array(leaf)) for leaf in trees.flatten(outputs)]
    if any(leaf.ndim == 0 or len(leaf) != size for leaf in flat):
        return None
    if not all(_alike(np.asarray(old)[rows:], new[: size - rows]) for old, new in zip(before, flat, strict=True)):
        return None
    flat = [leaf[size - rows :] for leaf in flat]
    return as_tensors(trees.pack(outputs, flat) if trees.is_nested(outputs) else flat[0])


def _alike(old: np.ndarray, new: np.ndarray) -> bool:
    """Whether samples have the same outputs in two batches, up to rounding; else they depend on the other samples."""
    if not jax.numpy.issubdtype(old.dtype, jax.numpy.inexact):
        return False  # whole numbers are too coarse to tell
    tolerance = float(jax.numpy.finfo(old.dtype).eps) ** 0.7
    if old.dtype.kind != "c":
        old, new = np.asarray(old, np.float64), np.asarray(new, np.float64)
    size = np.abs(np.where(np.isfinite(old), old, 0)).max(axis=0)
    return bool(np.isclose(old, new, rtol=0, atol=tolerance * size, equal_nan=True).all())


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
        if len(pieces) > AHEAD:
            # Windows that wait for the device take memory.
            jax.block_until_ready([leaf for leaf, _ in pieces[-1 - AHEAD][:1]])
        callbacks.on_predict_batch_end(first + count - 1, {"outputs": structure})
        if runner.model.stop_predicting:
            break
    joined = [_rows(leaves) for leaves in zip(*pieces, strict=True)]
    if feed.remainder and len(joined[0]) == rows.size:
        joined = _with_rest(joined, runner, feed, guard)
    return trees.pack(structure, joined) if trees.is_nested(structure) else joined[0]


def _rows(pieces: Any) -> np.ndarray:
    """Stacked batches of several calls as rows."""
    return _join([np.asarray(leaf)[:count].reshape((-1, *leaf.shape[2:])) for leaf, count in pieces])


def _with_rest(joined: list[np.ndarray], runner: Runner, feed: ArrayFeed, guard: SafeInterrupt) -> list[np.ndarray]:
    """Outputs of all batches without those that the last one, filled up from the one before it, has twice."""
    rest, whole = feed.remainder, feed.full_batches * feed.batch_size
    twice = feed.batch_size - rest
    if all(_alike(leaf[whole - twice : whole], leaf[whole : whole + twice]) for leaf in joined):
        last = [leaf[-rest:] for leaf in joined]
    else:
        # Samples depend on the other ones in their batch.
        outputs = runner.run_batch(feed.batch(feed.full_batches), guard)
        last = [np.asarray(_array(leaf)) for leaf in trees.flatten(outputs)]
    return [np.concatenate([leaf[:whole], end]) for leaf, end in zip(joined, last, strict=True)]


def _array(leaf: Any) -> Any:
    # Stays on the device until all batches are on their way.
    return leaf._value if isinstance(leaf, Tensor) else leaf


def _join(leaves: list[np.ndarray]) -> np.ndarray:
    if leaves[0].ndim == 0:
        return np.stack(leaves) if len(leaves) > 1 else np.array(leaves[0])
    return np.concatenate(leaves, axis=0) if len(leaves) > 1 else np.array(leaves[0])


def to_numpy(outputs: Any) -> Any:
    """Tensors and arrays in any nesting as NumPy arrays."""

    def one(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.numpy()
        return np.asarray(value) if isinstance(value, jax.Array) else value

    return trees.map_structure(one, outputs)
