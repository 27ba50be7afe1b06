"""Callbacks that Keras dropped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hornbeam.keras.callbacks import Callback


class BaseLogger(Callback):
    """Averages the logs of an epoch's batches and puts the means into the logs of the epoch.

    Args:
        stateful_metrics: names whose last value counts, not the mean.

    References: Keras 2 ``callbacks.BaseLogger``.
    """

    def __init__(self, stateful_metrics: Iterable[str] | None = None) -> None:
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or ())
        self.seen = 0
        self.totals: dict[str, float] = {}

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start anew."""
        self.seen = 0
        self.totals = {}

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Add a batch; ``logs["size"]`` is its number of samples, where it is known."""
        logs = logs or {}
        size = logs.get("size", 0)
        steps = logs.get("num_steps", 1)
        self.seen += size * steps
        for name, value in logs.items():
            if name in self.stateful_metrics:
                self.totals[name] = value
            else:
                self.totals[name] = self.totals.get(name, 0.0) + value * size * steps

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Put the means into the logs."""
        if logs is None:
            return
        for name in (self.params or {}).get("metrics", []):
            if name in self.totals:
                stateful = name in self.stateful_metrics
                logs[name] = self.totals[name] if stateful or not self.seen else self.totals[name] / self.seen


def make_logs(self: Any, model: Any, logs: dict[str, Any], outputs: Any, mode: str, prefix: str = "") -> dict[str, Any]:
    """Put the results of a step into logs, under the names of the model's metrics.

    Args:
        model: the model that made the step.
        logs: they are changed.
        outputs: results in the order of ``model.metrics_names``, or what a step of ``mode="predict"`` gave.
        mode: ``"train"``, ``"test"`` or ``"predict"``.
        prefix: put before the names.

    References: Keras 2 ``callbacks.CallbackList.make_logs``.
    """
    if not self.callbacks:
        return logs
    names = model.metrics_names if mode in ("train", "test") else []
    if names:
        logs.update((prefix + name, value) for name, value in zip(names, outputs, strict=False))
    else:
        logs["outputs"] = outputs
    return logs


CALLBACK_LIST: dict[str, Any] = {"make_logs": make_logs}
