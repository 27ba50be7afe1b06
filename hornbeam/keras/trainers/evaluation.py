"""The loop of ``evaluate``, and the one epoch that it shares with ``fit``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base.errors import DataError
from hornbeam.core.variable import commit_all, read_all
from hornbeam.keras.callbacks import CallbackList
from hornbeam.keras.callbacks.logs import LazyLogs
from hornbeam.keras.trainers.arguments import check_steps, check_verbose
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed
from hornbeam.keras.trainers.feeds.opening import open_feed
from hornbeam.keras.trainers.feeds.stream import Stream
from hornbeam.keras.trainers.interrupts import SafeInterrupt
from hornbeam.keras.trainers.preparation import prepare


def evaluate(
    model: Any, data: Any, batch_size: Any, verbose: Any, steps: Any, callbacks: Any, return_dict: bool
) -> Any:
    """See ``Trainer.evaluate``."""
    model._need_compiled("evaluate")
    verbose, steps = check_verbose(verbose), check_steps("steps", steps)
    feed = open_feed(data, "evaluate", batch_size=batch_size, steps=steps)
    prepare(model, model._runner("test"), feed, "evaluate")
    if not isinstance(callbacks, CallbackList):
        callbacks = CallbackList(
            callbacks,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=1,
            steps=steps or feed.num_batches,
            model=model,
        )
    training = model._training
    with SafeInterrupt() as guard, training.metrics_lock:
        metrics = model.metrics_variables if training.busy else []
        before = read_all(metrics)
        try:
            results = evaluate_feed(model, feed, guard, callbacks, steps)
        finally:
            # A callback may evaluate in the midst of a training epoch, whose metrics go on afterwards.
            commit_all(metrics, before)
    return results if return_dict else model._listed_results(results)


def evaluate_feed(
    model: Any, feed: Any, guard: SafeInterrupt, callbacks: Any, steps: int | None, loop: Any = None
) -> dict[str, Any]:
    """One pass over a feed; results by name, as Python floats where they are single numbers."""
    model.reset_metrics()
    model.stop_evaluating = False
    logs: dict[str, Any] = {}
    try:
        callbacks.on_test_begin()
        last = run_epoch(model, "test", Stream(feed, steps), guard, callbacks, loop)
        if last is None:
            raise DataError("evaluate() got no samples: the data source gave no batches.")
        logs = {name: as_python(last[name]) for name in model._log_order("test", last)}
    finally:
        callbacks.on_test_end(logs)
    return logs


def run_epoch(
    model: Any, kind: str, stream: Stream, guard: SafeInterrupt, callbacks: Any, loop: Any = None
) -> dict[str, Any] | None:
    """All batches of an epoch; returns the last logs (on the device), None without batches.

    Args:
        model: the model.
        kind: ``"train"`` or ``"test"``.
        stream: where batches come from.
        guard: keeps Ctrl-C out of steps.
        callbacks: are told about each batch.
        loop: the run of ``fit`` whose epoch or validation this is, None for a call of ``evaluate``.
    """
    before, after, stop = _HOOKS[kind]
    before, after = getattr(callbacks, before), getattr(callbacks, after)
    training = model._training
    last, done = None, 0
    if isinstance(stream.feed, ArrayFeed) and callbacks.run_code_of_others:
        stream.feed.resident = None
    stream.feed.epoch_begins()
    trains = kind == "train"
    if trains and loop is not None:
        done = loop.done_in_epoch()
        loop.enter()
        last = loop.resumed_logs() if done else None
    for number, outputs in model._runner(kind).epoch(
        stream,
        guard,
        steps_per_execution=training.steps_per_execution,
        interval=callbacks.needed_interval(kind),
        before=before,
        done=done,
    ):
        training.has_run = True
        last = model._flat_results(outputs)
        after(number, LazyLogs(last, model._log_order(kind, last)))
        if loop is not None:
            if trains:
                loop.after_batch(number, last)
            else:
                loop.during_validation()
        if getattr(model, stop, False):
            break
    stream.feed.epoch_ends()
    return last


_HOOKS = {
    "train": ("on_train_batch_begin", "on_train_batch_end", "stop_training"),
    "test": ("on_test_batch_begin", "on_test_batch_end", "stop_evaluating"),
}


def as_python(value: Any) -> Any:
    """A float for a single number, else a NumPy array."""
    array = np.asarray(value)
    return float(array) if not array.ndim else array
