"""One step on one batch that the user gives: ``train_on_batch`` and its kin."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.trainers.checks import check_class_numbers
from hornbeam.keras.trainers.class_weights import with_class_weight
from hornbeam.keras.trainers.evaluation import as_python
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed
from hornbeam.keras.trainers.feeds.convert import convert
from hornbeam.keras.trainers.feeds.opening import open_feed
from hornbeam.keras.trainers.interrupts import SafeInterrupt
from hornbeam.keras.trainers.prediction import to_numpy
from hornbeam.keras.trainers.preparation import checks_labels, prepare


def on_batch(
    model: Any,
    kind: str,
    data: tuple[Any, Any, Any],
    class_weight: Any = None,
    reset_metrics: bool = True,
    return_dict: bool = False,
) -> Any:
    """A training or evaluation step; loss and metrics as ``evaluate`` gives them."""
    method = f"{kind}_on_batch"
    model._need_compiled(method)
    if class_weight is not None:
        x, y, sample_weight = data
        data = (x, y, with_class_weight(convert(y, "y"), convert(sample_weight, "sample_weight"), class_weight))
    feed = _one_batch(data, method)
    batch = feed.arrays
    runner = model._runner(kind)
    training = model._training
    if not runner.knows(batch):
        prepare(model, runner, feed, method)
    with SafeInterrupt() as guard, training.metrics_lock:
        if checks_labels(model, kind):
            check_class_numbers(training.compiled_loss, batch)
        if reset_metrics:
            model.reset_metrics()
        outputs = runner.run_batch(batch, guard, checked=True)
        training.has_run = True
        found = model._flat_results(outputs)
        logs = {name: as_python(found[name]) for name in model._log_order(kind, found)}
    return logs if return_dict else model._listed_results(logs)


def predict_on_batch(model: Any, x: Any) -> Any:
    """Predictions for one batch."""
    feed = _one_batch((x, None, None), "predict_on_batch")
    runner = model._runner("predict")
    if not runner.knows(feed.arrays):
        prepare(model, runner, feed, "predict_on_batch")
    with SafeInterrupt() as guard:
        return to_numpy(runner.run_batch(feed.arrays, guard))


def _one_batch(data: tuple[Any, Any, Any], method: str) -> ArrayFeed:
    feed = open_feed(data, method, steps=1)
    if not isinstance(feed, ArrayFeed):
        raise TypeError(f"{method}() takes one batch of arrays. Received: x of type {type(data[0]).__name__}")
    return feed
