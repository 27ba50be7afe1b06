"""The loop of ``fit``."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.base.errors import DataError, explain
from hornbeam.keras.callbacks import CallbackList
from hornbeam.keras.callbacks.logs import LazyLogs
from hornbeam.keras.trainers.arguments import FitOptions
from hornbeam.keras.trainers.evaluation import evaluate_feed, run_epoch
from hornbeam.keras.trainers.feeds.arrays import split_validation
from hornbeam.keras.trainers.feeds.convert import convert
from hornbeam.keras.trainers.feeds.iterables import is_iterable_source
from hornbeam.keras.trainers.feeds.opening import open_feed
from hornbeam.keras.trainers.feeds.stream import Stream, check_passes
from hornbeam.keras.trainers.interrupts import SafeInterrupt
from hornbeam.keras.trainers.loop import Loop
from hornbeam.keras.trainers.monitors import check_monitors
from hornbeam.keras.trainers.numerics import NumericsWatch
from hornbeam.keras.trainers.preparation import prepare
from hornbeam.keras.trainers.rollback import Rollback


def fit(model: Any, data: tuple[Any, Any, Any], split: Any, validation_data: Any, options: FitOptions) -> Any:
    """See ``Trainer.fit``."""
    model._need_compiled("fit")
    model._warn_if_refrozen()
    running = model._training.claim("fit")
    if running is not None:
        raise RuntimeError(
            f"{type(model).__name__} '{model.name}' is already running {running}() in another thread or an outer call. "
            "Wait for it to end, or train a copy of the model (`keras.models.clone_model`)."
        )
    try:
        data, validation = _split(data, split, validation_data, options)
        feed = open_feed(
            data,
            "fit",
            batch_size=options.batch_size,
            steps=options.steps_per_epoch,
            shuffle=options.shuffle,
            class_weight=options.class_weight,
        )
        check_passes(feed, options.epochs - options.initial_epoch, options.steps_per_epoch)
        _prepare(model, feed, validation, options)
        if options.check_numerics:
            model._runner("train").watch = NumericsWatch(model)
        return _run(model, feed, validation, options)
    finally:
        for runner in model._training.runners.values():
            runner.watch = None
        model._training.release()


def _prepare(model: Any, feed: Any, validation: Any, options: FitOptions) -> None:
    """Check all data, build the model and capture its steps, before anything is trained."""
    was_built = model._all_built()
    with Rollback(model):
        prepare(model, model._runner("train"), feed, "fit")
        if not was_built:
            # Keras draws an order for the batch that it builds the model on; equal seeds must give equal orders.
            feed.draw_order()
        if validation is not None and any(map(options.validates_after, range(options.initial_epoch, options.epochs))):
            prepare(model, model._runner("test"), validation, "validation")


def _split(data: tuple[Any, Any, Any], split: Any, validation_data: Any, options: FitOptions) -> tuple[Any, Any]:
    """Training data, and the feed of validation data or None."""
    if validation_data is None and split:
        if not isinstance(split, (int, float)) or not 0 < split < 1:
            raise ValueError(f"`validation_split` must lie between 0 and 1. Received: validation_split={split!r}")
        if is_iterable_source(data[0]):
            raise DataError(
                explain(
                    "`validation_split` needs arrays, as it takes the last rows.",
                    received=f"a source of batches ({type(data[0]).__name__})",
                    fix="split the source yourself and pass `validation_data`",
                )
            )
        parts = tuple(convert(part, name) for part, name in zip(data, ("x", "y", "sample_weight"), strict=True))
        data, validation_data = split_validation(parts, split)  # type: ignore[arg-type]
    if validation_data is None:
        return data, None
    lone = validation_data[0] if isinstance(validation_data, tuple) and len(validation_data) == 1 else validation_data
    if data[1] is not None and isinstance(lone, np.ndarray):
        raise DataError(
            explain(
                "`validation_data` has inputs but no targets, while the training data have both.",
                expected="(x, y) or (x, y, sample_weight)",
                received=f"an array of shape {lone.shape} alone",
                fix="pass `validation_data=(x_val, y_val)`",
            )
        )
    return data, _validation_feed(validation_data, options)


def _validation_feed(data: Any, options: FitOptions) -> Any:
    parts: Any = (data, None, None)
    if isinstance(data, (list, tuple)):
        if len(data) not in (1, 2, 3):
            raise DataError(
                explain(
                    "`validation_data` has a wrong form.",
                    expected="(x, y) or (x, y, sample_weight), or a source of batches",
                    received=f"a {type(data).__name__} of {len(data)} items",
                )
            )
        parts = (*data, *([None] * (3 - len(data))))
    batch_size = options.validation_batch_size or options.batch_size
    return open_feed(parts, "validation", batch_size=batch_size, steps=options.validation_steps)


def _run(model: Any, feed: Any, validation: Any, options: FitOptions) -> Any:
    stream = Stream(feed, options.steps_per_epoch)
    callbacks = options.callbacks
    if not isinstance(callbacks, CallbackList):
        callbacks = CallbackList(
            callbacks,
            add_history=True,
            add_progbar=options.verbose != 0,
            verbose=options.verbose,
            epochs=options.epochs,
            steps=stream.num_batches,
            model=model,
        )
    model.stop_training = False
    logs = LazyLogs()
    loop = model._training.loop = Loop(model, stream, validation, callbacks)
    try:
        check_monitors(model, loop.single_callbacks, validation is not None)
        loop.prepare()
        with loop.termination, SafeInterrupt() as guard:
            try:
                callbacks.on_train_begin()
                first = loop.begin(getattr(model, "_initial_epoch", None) or options.initial_epoch)
                for epoch in range(first, 0 if model.stop_training else options.epochs):
                    found = _epoch(loop, epoch, guard, options)
                    if found is None:
                        if epoch == first:
                            raise _no_samples(epoch, stream)
                        break  # a generator gave all it has: what was learned so far counts
                    logs = found
                    callbacks.on_epoch_end(epoch, logs)
                    loop.after_epoch()
                    if model.stop_training:
                        break
            except BaseException as error:
                _end_after(error, model, callbacks, logs, options)
                raise
            _finish(model, options)
            loop.finished = True
            callbacks.on_train_end(logs)
    finally:
        model._training.loop = None
    return model.history


def _no_samples(epoch: int, stream: Stream) -> DataError:
    source = type(getattr(stream.feed, "source", stream.feed)).__name__
    return DataError(f"fit() got no samples in epoch {epoch + 1}: the data source ({source}) gave no batches.")


def _epoch(loop: Loop, epoch: int, guard: SafeInterrupt, options: FitOptions) -> LazyLogs | None:
    """One epoch with its validation; returns its logs, or None if there were no batches."""
    model, stream, validation, callbacks = loop.model, loop.stream, loop.validation, loop.callbacks
    loop.epoch = epoch
    callbacks.on_epoch_begin(epoch)
    # Other threads may evaluate between epochs, not during them: metrics have one state.
    with model._training.metrics_lock:
        model.reset_metrics()
        last = run_epoch(model, "train", stream, guard, callbacks, loop)
        if last is None:
            return None
        logs = dict(last)
        if validation is not None and options.validates_after(epoch):
            loop.before_validation(logs)
            results = evaluate_feed(model, validation, guard, callbacks, options.validation_steps, loop)
            loop.after_validation()
            logs.update({f"val_{name}": value for name, value in results.items()})
    return LazyLogs(logs, model._log_order("train", logs))


def _finish(model: Any, options: FitOptions) -> None:
    finalize = getattr(model.optimizer, "finalize_variable_values", None)
    if finalize is not None and options.epochs > 0 and model.optimizer.built:
        finalize(model.trainable_weights)


def _end_after(error: BaseException, model: Any, callbacks: Any, logs: Any, options: FitOptions) -> None:
    """Callbacks may hold files or threads: they are told about the end; the first error stays the one raised."""
    for step in (lambda: _finish(model, options), lambda: callbacks.on_train_end(logs)):
        try:
            step()
        except Exception as second:
            error.add_note(f"While ending the run, {type(second).__name__} was raised too: {second}")
