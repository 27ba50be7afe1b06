"""``find_learning_rate``: the loss over a rising learning rate, and the rate that this suggests."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from hornbeam.base import settings
from hornbeam.base.errors import ArgumentError, explain
from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers import LossScaleOptimizer
from hornbeam.keras.trainers.feeds.opening import open_feed
from hornbeam.keras.trainers.feeds.stream import Stream
from hornbeam.keras.trainers.interrupts import SafeInterrupt
from hornbeam.keras.trainers.preparation import prepare
from hornbeam.keras.trainers.rollback import Rollback
from hornbeam.keras.trainers.snapshot import Snapshot

_SMOOTHING = 0.9
"""Share of the old value in the running mean of the loss."""


@dataclass
class RateSearch:
    """What ``find_learning_rate`` found.

    Attributes:
        rates: learning rates tried, one per batch.
        losses: loss of each batch.
        smoothed: running mean of the losses.
        suggestion: rate two thirds down the longest stretch on which the smoothed loss falls.
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    suggestion: float

    def plot(self) -> Any:
        """Draw the loss over the rate, with the suggestion; returns the ``matplotlib`` figure.

        Raises:
            ImportError: matplotlib is not there.
        """
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise ImportError("RateSearch.plot() needs matplotlib: pip install hornbeam[plot]") from error
        figure, axis = pyplot.subplots(layout="constrained")
        axis.plot(self.rates, self.losses, alpha=0.3, label="batch")
        axis.plot(self.rates, self.smoothed, label="smoothed")
        axis.axvline(self.suggestion, linestyle="--", color="gray", label=f"suggestion {self.suggestion:.2g}")
        axis.set_xscale("log")
        axis.set_xlabel("learning rate")
        axis.set_ylabel("loss")
        axis.legend()
        return figure


def find(
    model: Any, data: tuple[Any, Any, Any], batch_size: Any, lowest: float, highest: float, steps: int, stop: float
) -> RateSearch:
    """See ``Trainer.find_learning_rate``."""
    model._need_compiled("find_learning_rate")
    if not 0 < lowest < highest or steps < 3:
        raise ArgumentError(
            explain(
                "find_learning_rate(): the range of rates is wrong.",
                expected="0 < lowest < highest and at least 3 steps",
                received=f"lowest={lowest!r}, highest={highest!r}, steps={steps!r}",
            )
        )
    feed = open_feed(data, "find_learning_rate", batch_size=batch_size, shuffle=True)
    with Rollback(model):
        prepare(model, model._runner("train"), feed, "find_learning_rate")
    rates = np.geomspace(lowest, highest, steps).tolist()
    before = Snapshot(model)
    try:
        with _settable_rate(model.optimizer) as rate, SafeInterrupt() as guard, model._training.metrics_lock:
            losses, smoothed = _run(model, Stream(feed, None), guard, rate, rates, stop)
    finally:
        before.restore()
    return RateSearch(rates[: len(losses)], losses, smoothed, _suggest(rates, smoothed))


@contextmanager
def _settable_rate(optimizer: Any) -> Iterator[Variable]:
    """The variable that holds the learning rate; in place of a schedule for as long as this is open."""
    if isinstance(optimizer, LossScaleOptimizer):
        optimizer = optimizer.inner_optimizer
    before = optimizer._learning_rate
    if isinstance(before, Variable):
        yield before
        return
    optimizer.__dict__["_learning_rate"] = Variable(0.0, dtype=settings.floatx(), trainable=False, name="rate")
    optimizer._changed()
    try:
        yield optimizer._learning_rate
    finally:
        optimizer.__dict__["_learning_rate"] = before
        optimizer._changed()


def _run(
    model: Any, stream: Stream, guard: SafeInterrupt, rate: Variable, rates: list[float], stop: float
) -> tuple[list[float], list[float]]:
    losses: list[float] = []
    smoothed: list[float] = []
    mean, best = 0.0, math.inf

    def before_batch(number: int) -> None:
        rate.assign(rates[len(losses)])
        model.reset_metrics()

    while len(losses) < len(rates):
        known = len(losses)
        stream.feed.epoch_begins()
        for _, outputs in model._runner("train").epoch(
            stream, guard, steps_per_execution=1, interval=1, before=before_batch
        ):
            loss = float(np.asarray(model._flat_results(outputs)["loss"]))
            if not math.isfinite(loss):
                return losses, smoothed
            losses.append(loss)
            mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
            smoothed.append(mean / (1 - _SMOOTHING ** len(losses)))
            best = min(best, smoothed[-1])
            if len(losses) == len(rates) or (len(losses) > 5 and smoothed[-1] > stop * best):
                return losses, smoothed
        stream.feed.epoch_ends()
        if len(losses) == known:
            break
    return losses, smoothed


def _suggest(rates: list[float], smoothed: list[float]) -> float:
    """The rate two thirds down the longest valley: the longest falling subsequence of the smoothed losses."""
    if not smoothed:
        return rates[0]
    lengths, origins = [1] * len(smoothed), list(range(len(smoothed)))
    for last in range(1, len(smoothed)):
        for earlier in range(last):
            if smoothed[earlier] > smoothed[last] and lengths[earlier] + 1 > lengths[last]:
                lengths[last], origins[last] = lengths[earlier] + 1, origins[earlier]
    end = int(np.argmax(lengths))
    return rates[origins[end] + int((end - origins[end]) * 2 / 3)]
