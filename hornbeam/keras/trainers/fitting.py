"""The loops of ``fit``, ``evaluate`` and ``predict``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from hornbeam.base import trees
from hornbeam.base.check import closest
from hornbeam.base.errors import ArgumentError, DataError
from hornbeam.core.tensor import Tensor
from hornbeam.keras.callbacks import CallbackList
from hornbeam.keras.callbacks.logs import LazyLogs
from hornbeam.keras.trainers.class_weights import with_class_weight
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed, as_host_array, slice_validation
from hornbeam.keras.trainers.feeds.iterables import IterableFeed, is_iterable_source
from hornbeam.keras.trainers.interrupts import SafeInterrupt
from hornbeam.keras.trainers.prediction import collect_predictions


@dataclass
class FitOptions:
    """Arguments of ``fit`` beside the data."""

    batch_size: int | None
    epochs: int
    verbose: Any
    callbacks: Any
    shuffle: Any
    class_weight: dict[int, float] | None
    initial_epoch: int
    steps_per_epoch: int | None
    validation_steps: int | None
    validation_batch_size: int | None
    validation_freq: Any


def open_feed(
    data: tuple[Any, Any, Any],
    *,
    batch_size: int | None,
    shuffle: Any = False,
    class_weight: dict[int, float] | None = None,
    what: str = "fit",
) -> Any:
    """The feed for ``x``, ``y``, ``sample_weight`` in any form."""
    x, y, sample_weight = data
    if x is None:
        raise ValueError(f"{what}() needs data: argument `x` is None.")
    if is_iterable_source(x):
        if y is not None:
            raise ValueError(
                f"When `x` is a source of batches ({type(x).__name__}), it must give (x, y) itself: leave out `y`."
            )
        if sample_weight is not None:
            raise ValueError("When `x` is a source of batches, it must give the sample weights itself.")
        transform = None
        if class_weight:
            table = class_weight

            def transform(batch: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
                return (batch[0], batch[1], with_class_weight(batch[1], batch[2], table))

        return IterableFeed(x, transform)
    x, y, sample_weight = _arrays(x, y, sample_weight)
    if class_weight:
        sample_weight = with_class_weight(y, sample_weight, class_weight)
    return ArrayFeed(x, y, sample_weight, batch_size=batch_size, shuffle=shuffle)


def _arrays(x: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
    """Nested lists of numbers as arrays; lists of arrays stay lists."""
    return tuple(trees.map_structure(as_host_array, _list_of_numbers(part)) for part in (x, y, sample_weight))  # type: ignore[return-value]


def _list_of_numbers(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and value:
        leaves = trees.flatten(value)
        if all(isinstance(leaf, (int, float, bool, str, bytes, np.generic)) for leaf in leaves):
            return np.asarray(value)
    return value


def refuse_unknown(method: str, kwargs: dict[str, Any]) -> None:
    """Raise for keyword arguments that nobody takes."""
    if kwargs:
        first = next(iter(kwargs))
        known = ("x", "y", "batch_size", "verbose", "sample_weight", "steps", "callbacks", "return_dict")
        raise ArgumentError(f"Arguments not recognized: {kwargs} in {method}(){closest(first, known)}.")


# --- fit -----------------------------------------------------------------------------------------
def fit(model: Any, data: tuple[Any, Any, Any], validation_split: float, validation_data: Any, options: FitOptions) -> Any:
    """See ``Trainer.fit``."""
    model._need_compiled("fit")
    if not isinstance(options.epochs, (int, np.integer)):
        raise ValueError(f"`epochs` must be an int. Received: epochs={options.epochs!r}")
    validation: Callable[[], Any] | None = None
    if validation_data is not None:
        validation_feed = _validation_feed(validation_data, options)
        validation = lambda: validation_feed  # noqa: E731 - one feed, opened once
    elif validation_split:
        if not 0 < validation_split < 1:
            raise ValueError(f"`validation_split` must lie between 0 and 1. Received: {validation_split}")
        if is_iterable_source(data[0]):
            raise ValueError("`validation_split` is only supported for arrays, not for sources of batches.")
        data, held_out = slice_validation(_arrays(*data), validation_split)
        validation_feed = _validation_feed(held_out, options)
        validation = lambda: validation_feed  # noqa: E731
    feed = open_feed(
        data, batch_size=options.batch_size, shuffle=options.shuffle, class_weight=options.class_weight
    )
    _check_length(feed, options)
    training = model._training
    if training.busy:
        raise RuntimeError(
            f"{type(model).__name__} '{model.name}' is already running {training.busy}() in another thread or an outer call. "
            "Wait for it to end, or train a copy of the model (`keras.models.clone_model`)."
        )
    training.busy = "fit"
    try:
        return _run_fit(model, feed, validation, options)
    finally:
        training.busy = None


def _validation_feed(data: Any, options: FitOptions) -> Any:
    batch_size = options.validation_batch_size or options.batch_size
    if is_iterable_source(data):
        return open_feed((data, None, None), batch_size=batch_size)
    if isinstance(data, (list, tuple)) and len(data) in (2, 3):
        return open_feed((*data, *([None] * (3 - len(data)))), batch_size=batch_size)  # type: ignore[arg-type]
    if not isinstance(data, (list, tuple)):
        return open_feed((data, None, None), batch_size=batch_size)
    raise ValueError(
        f"`validation_data` must be (x, y) or (x, y, sample_weight), or a source of batches. Received {len(data)} items."
    )


def _check_length(feed: Any, options: FitOptions) -> None:
    passes = options.epochs - options.initial_epoch
    if isinstance(feed, IterableFeed) and feed.one_shot and passes > 1 and options.steps_per_epoch is None:
        raise DataError(
            f"A generator can be read once only, but {passes} epochs were asked for.\n"
            "  fix:      give `steps_per_epoch` and a generator that yields enough batches, or pass arrays, a "
            "keras.utils.PyDataset or a tf.data.Dataset"
        )


def _run_fit(model: Any, feed: Any, validation: Callable[[], Any] | None, options: FitOptions) -> Any:
    steps = options.steps_per_epoch or feed.num_batches
    verbose = _verbosity(options.verbose)
    callbacks = options.callbacks
    if not isinstance(callbacks, CallbackList):
        callbacks = CallbackList(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=int(options.epochs),
            steps=steps,
            model=model,
        )
    model.stop_training = False
    runner = model._runner("train")
    stream = _Stream(feed, options.steps_per_epoch)
    logs: dict[str, Any] = {}
    ran = None
    with SafeInterrupt() as guard:
        callbacks.on_train_begin()
        try:
            for epoch in range(options.initial_epoch, int(options.epochs)):
                model.reset_metrics()
                callbacks.on_epoch_begin(epoch)
                ran = _run_epoch(model, runner, stream, guard, callbacks, "train")
                if not ran:
                    break
                logs = dict(model._flat_results(ran[1]))
                if validation is not None and _is_due(epoch, options.validation_freq):
                    results = _evaluate_feed(
                        model, validation(), guard, callbacks, options.validation_steps
                    )
                    logs.update({f"val_{name}": value for name, value in results.items()})
                callbacks.on_epoch_end(epoch, logs)
                if model.stop_training:
                    break
            if ran and model.optimizer is not None:
                # With `use_ema`, the averages become the weights.
                model.optimizer.finalize_variable_values(model.trainable_weights)
        finally:
            # Callbacks may hold files or threads; they are told about the end even after an exception.
            callbacks.on_train_end(logs)
    return callbacks.history if getattr(callbacks, "history", None) is not None else model.history


class _Stream:
    """Batches of successive epochs: restarted each epoch, or continued if epochs are shorter than the data."""

    def __init__(self, feed: Any, steps: int | None) -> None:
        self.feed, self.steps = feed, steps
        self._open: Any = None
        total = feed.num_batches
        # Fewer steps than there are batches: go on where the last epoch stopped, as Keras does.
        self.continues = steps is not None and not (total is not None and steps == total)

    def epoch_feed(self) -> Any:
        if not self.continues:
            return self.feed
        return _Continued(self)

    def next_batch(self) -> Any:
        for _ in range(2):
            if self._open is None:
                self._open = iter(self.feed)
            batch = next(self._open, None)
            if batch is not None:
                return batch
            self._open = None
            if isinstance(self.feed, IterableFeed) and self.feed.one_shot:
                return None
        return None


class _Continued:
    """One epoch of a given number of batches out of a stream."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def __iter__(self) -> Any:
        for number in range(self._stream.steps or 0):
            batch = self._stream.next_batch()
            if batch is None:
                warnings.warn(
                    f"Your input ran out of data; it gave {number} of {self._stream.steps} batches. Interrupting training. Make "
                    "sure that your dataset or generator can generate at least `steps_per_epoch * epochs` batches.",
                    stacklevel=2,
                )
                return
            yield batch


def _run_epoch(
    model: Any, runner: Any, stream: _Stream, guard: SafeInterrupt, callbacks: Any, kind: str
) -> tuple[int, Any] | None:
    """All batches of one epoch; returns (number of the last batch, its logs), None without batches."""
    before = {"train": callbacks.on_train_batch_begin, "test": callbacks.on_test_batch_begin}[kind]
    after = {"train": callbacks.on_train_batch_end, "test": callbacks.on_test_batch_end}[kind]
    last = None
    training = model._training
    feed = stream.epoch_feed()
    getattr(stream.feed, "on_epoch_begin", lambda: None)()
    for number, outputs in runner.epoch(
        feed,
        guard,
        steps_per_execution=training.steps_per_execution,
        wants_batches=callbacks.wants_batches(kind),
        limit=stream.steps,
        before=before,
    ):
        training.has_run = True
        last = (number, outputs)
        after(number, LazyLogs(model._flat_results(outputs)))
        if model.stop_training and kind == "train":
            break
    getattr(stream.feed, "on_epoch_end", lambda: None)()
    return last


def _is_due(epoch: int, frequency: Any) -> bool:
    if isinstance(frequency, (list, tuple, set)):
        return epoch + 1 in frequency
    if not isinstance(frequency, int) or frequency < 1:
        raise ValueError(f"`validation_freq` must be an int of at least 1 or a list of epochs. Received: {frequency!r}")
    return (epoch + 1) % frequency == 0


def _verbosity(verbose: Any) -> int:
    if verbose == "auto":
        return 1
    if verbose is None:
        return 0
    if verbose not in (0, 1, 2):
        raise ValueError(f"`verbose` must be 0, 1, 2 or 'auto'. Received: verbose={verbose!r}")
    return int(verbose)


# --- evaluate ------------------------------------------------------------------------------------
def evaluate(
    model: Any, data: Any, batch_size: Any, verbose: Any, steps: Any, callbacks: Any, return_dict: bool
) -> Any:
    """See ``Trainer.evaluate``."""
    model._need_compiled("evaluate")
    feed = open_feed(data, batch_size=batch_size, what="evaluate")
    verbose = _verbosity(verbose)
    if not isinstance(callbacks, CallbackList):
        callbacks = CallbackList(
            callbacks,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=1,
            steps=steps or feed.num_batches,
            model=model,
        )
    with SafeInterrupt() as guard:
        results = _evaluate_feed(model, feed, guard, callbacks, steps)
    if return_dict:
        return results
    values = list(results.values())
    return values[0] if len(values) == 1 else values


def _evaluate_feed(model: Any, feed: Any, guard: SafeInterrupt, callbacks: Any, steps: int | None) -> dict[str, Any]:
    runner = model._runner("test")
    model.reset_metrics()
    callbacks.on_test_begin()
    logs: dict[str, Any] = {}
    try:
        ran = _run_epoch(model, runner, _Stream(feed, steps), guard, callbacks, "test")
        if ran is None:
            raise DataError("evaluate() got no batches: the data source is empty.")
        logs = {name: _as_python(value) for name, value in model._flat_results(ran[1]).items()}
    finally:
        callbacks.on_test_end(logs)
    return logs


def _as_python(value: Any) -> Any:
    array = np.asarray(value)
    return float(array) if not array.ndim else array


# --- predict -------------------------------------------------------------------------------------
def predict(model: Any, x: Any, batch_size: Any, verbose: Any, steps: Any, callbacks: Any) -> Any:
    """See ``Trainer.predict``."""
    if x is None:
        raise ValueError("predict() needs data: argument `x` is None.")
    if not is_iterable_source(x):
        x = trees.map_structure(as_host_array, _list_of_numbers(x))
        leaves = trees.flatten(x)
        if leaves and all(leaf is not None and len(leaf) == 0 for leaf in leaves):
            return _empty_prediction(model, x)
    feed = open_feed((x, None, None), batch_size=batch_size, what="predict")
    verbose = _verbosity(verbose)
    if not isinstance(callbacks, CallbackList):
        callbacks = CallbackList(
            callbacks, add_progbar=verbose != 0, verbose=verbose, epochs=1, steps=steps or feed.num_batches, model=model
        )
    callbacks.on_predict_begin()
    try:
        with SafeInterrupt() as guard:
            return collect_predictions(model._runner("predict"), feed, guard, callbacks, steps)
    finally:
        callbacks.on_predict_end()


def _empty_prediction(model: Any, x: Any) -> Any:
    """No rows in, no rows out: the shapes come from an abstract run on one row."""
    one = trees.map_structure(lambda leaf: np.zeros((1, *leaf.shape[1:]), leaf.dtype), x)
    outputs = predict(model, one, None, 0, None, None)
    return trees.map_structure(lambda leaf: leaf[:0], outputs)


# --- one batch -----------------------------------------------------------------------------------
def on_batch(model: Any, kind: str, data: tuple[Any, Any, Any], class_weight: Any, return_dict: bool) -> Any:
    """One step on one batch given by the user."""
    batch = _arrays(*data)
    sizes = {len(leaf) for leaf in trees.flatten(batch) if leaf is not None}
    if len(sizes) > 1:
        raise DataError(f"The parts of the batch have different numbers of samples: {sorted(sizes)}.")
    if class_weight is not None:
        batch = (batch[0], batch[1], with_class_weight(batch[1], batch[2], class_weight))
    with SafeInterrupt() as guard:
        outputs = model._runner(kind).run_batch(batch, guard)
    model._training.has_run = True
    logs = {name: _as_python(value) for name, value in model._flat_results(outputs).items()}
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def predict_on_batch(model: Any, x: Any) -> Any:
    """Predictions for one batch."""
    batch = (trees.map_structure(as_host_array, _list_of_numbers(x)), None, None)
    with SafeInterrupt() as guard:
        outputs = model._runner("predict").run_batch(batch, guard)
    return trees.map_structure(_to_numpy, outputs)


def _to_numpy(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.numpy()
    return np.asarray(value) if isinstance(value, jax.Array) else value
