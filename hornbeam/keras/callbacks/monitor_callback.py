"""``MonitorCallback``: base of callbacks that watch one metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hornbeam.base import settings
from hornbeam.base.check import closest
from hornbeam.base.errors import explain
from hornbeam.base.notices import warn
from hornbeam.keras.callbacks.callback import Callback

# Names that mean the same metric.
_SAME = {"acc": "accuracy", "accuracy": "acc", "lr": "learning_rate", "learning_rate": "lr"}

# fmt: off
# Metric classes without a direction of their own whose larger values are better.
_LARGER_IS_BETTER = frozenset(
    (
        "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy", "TopKCategoricalAccuracy",
        "SparseTopKCategoricalAccuracy", "Precision", "Recall", "SensitivityAtSpecificity",
        "SpecificityAtSensitivity", "PrecisionAtRecall", "RecallAtPrecision", "AUC", "FBetaScore", "F1Score", "IoU",
        "BinaryIoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU", "CosineSimilarity", "R2Score", "PearsonCorrelation",
        "ConcordanceCorrelation",
    )
)
_SMALLER_IS_BETTER = frozenset(
    (
        "MeanSquaredError", "RootMeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError",
        "MeanSquaredLogarithmicError", "LogCoshError", "Hinge", "SquaredHinge", "CategoricalHinge", "KLDivergence",
        "Poisson", "BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy",
    )
)
# fmt: on


class MonitorCallback(Callback):
    """Watches one metric and tells whether it improves.

    Args:
        monitor: name of the metric in the logs. ``acc`` and ``accuracy`` stand for one another, ``lr`` and
            ``learning_rate`` too, with ``val_`` before them or not.
        mode: ``"min"`` if smaller is better, ``"max"`` if larger is, ``"auto"`` to go by the metric.
        baseline: value to beat at the start.
        min_delta: smallest change that counts.

    References: Keras ``callbacks.MonitorCallback``.
    """

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", baseline: float | None = None, min_delta: float = 0
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warn(f"{type(self).__name__} knows no mode {mode!r}; it takes 'auto'.")
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[Any, Any], Any] | None = None
        self._was_seen = False

    # --- the value -------------------------------------------------------------------------------
    def _monitored(self, logs: Mapping[str, Any] | None) -> Any:
        """Value of the metric; None if it is not in the logs this time.

        Raises:
            ValueError: the logs show that there is no such metric at all.
        """
        logs = logs or {}
        name = next((one for one in (self.monitor, same_metric(self.monitor)) if one in logs), None)
        if name is not None:
            self._was_seen = True
            return logs[name]
        if not logs or self._was_seen or self._may_come(logs):
            return None
        raise self._unknown(list(logs))

    def _unknown(self, available: list[str]) -> ValueError:
        return ValueError(
            explain(
                f"{type(self).__name__} monitors {self.monitor!r}, but there is no metric of that name"
                f"{closest(self.monitor, available)}.",
                expected=f"one of {available}",
                received=f"monitor={self.monitor!r}",
                fix="give one of these names as `monitor`, or add the metric in `compile(metrics=[...])`",
            )
        )

    @property
    def watches_logs(self) -> bool:
        """Whether the metric is looked up in the logs of epochs, by the code of this library."""
        return type(self).__module__.startswith("hornbeam.")

    def check_monitor(self, available: list[str], possible: list[str]) -> None:
        """Refuse a name that no logs will have, before training begins.

        Args:
            available: names that the logs of an epoch will have.
            possible: names that they would have with validation data; their absence is warned about later.

        Raises:
            ValueError: the name is none of them.
        """
        known = {*available, *possible, "learning_rate", "lr"}
        if self.monitor not in known and same_metric(self.monitor) not in known:
            raise self._unknown(available)

    def _may_come(self, logs: Mapping[str, Any]) -> bool:
        """True for a validation metric while no validation has been run (``validation_freq``)."""
        return self.monitor.startswith("val_") and not any(name.startswith("val_") for name in logs)

    # --- the direction ---------------------------------------------------------------------------
    def _set_monitor_op(self) -> None:
        """Choose the comparison; the model's metrics must be known by then.

        Raises:
            ValueError: ``mode="auto"`` and nothing tells whether smaller or larger is better.
        """
        direction = {"min": "down", "max": "up"}.get(self.mode) or self._direction_of_metric()
        if direction is None:
            raise ValueError(
                f"{type(self).__name__} callback received monitor={self.monitor}, but it is not known whether larger "
                "or smaller values of that metric are better. Pass `mode='max'` if larger ones are, `mode='min'` if "
                "smaller ones are."
            )
        if direction == "up":
            self.monitor_op = np.greater
        else:
            self.monitor_op = np.less
            self.min_delta *= -1

    def _direction_of_metric(self) -> str | None:
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return "down"
        metrics = _all_metrics(self.model)
        for wanted in (name, same_metric(name)):
            for metric in metrics:
                if metric.name == wanted:
                    return direction_of(metric)
        # Models with several outputs: `<output>_<metric>`, `<output>_loss`.
        for metric in metrics:
            if name.endswith(f"_{metric.name}"):
                return direction_of(metric)
        if name.endswith("_loss"):
            return "down"
        return "up" if name in _SAME and name.startswith("acc") else None

    def _is_improvement(self, monitor_value: Any, reference_value: Any) -> bool:
        if reference_value is None:
            return True
        if self.monitor_op is None:
            self._set_monitor_op()
        assert self.monitor_op is not None
        # The metrics are float32 numbers; comparing them as such keeps a `min_delta` from being lost in rounding.
        kind = np.float64 if settings.floatx() == "float64" else np.float32
        with np.errstate(over="ignore"):
            return bool(self.monitor_op(kind(monitor_value - self.min_delta), kind(reference_value)))


def same_metric(name: str) -> str:
    """The other name of a metric that has two, else the name itself."""
    prefix = "val_" if name.startswith("val_") else ""
    bare = name.removeprefix("val_")
    return prefix + _SAME.get(bare, bare)


def direction_of(metric: Any) -> str | None:
    """``"up"`` if larger values of a metric are better, ``"down"`` if smaller ones are, None if it does not say."""
    known = getattr(metric, "_direction", None)
    if known is not None:
        return "up" if known == "up" else "down"
    for kind in type(metric).__mro__:
        if kind.__name__ in _LARGER_IS_BETTER:
            return "up"
        if kind.__name__ in _SMALLER_IS_BETTER:
            return "down"
    return "up" if metric.name in ("acc", "accuracy") else None


def _all_metrics(model: Any) -> list[Any]:
    found = []
    for metric in getattr(model, "metrics", None) or ():
        inner = getattr(metric, "metrics", None)
        found += inner if isinstance(inner, (list, tuple)) else [metric]
    return found
