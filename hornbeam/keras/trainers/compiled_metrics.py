"""The metrics given to ``compile``, by output, as one metric."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import ArgumentError, DataError, ShapeError, explain
from hornbeam.keras import metrics as metrics_module
from hornbeam.keras.metrics import MeanMetricWrapper, Metric
from hornbeam.keras.trainers.compiled_loss import family, object_name
from hornbeam.keras.trainers.label_columns import careful
from hornbeam.keras.trainers.outputs import Outputs, match_targets, match_weights

_ACCURACY = ("accuracy", "acc")
_CROSSENTROPY = ("crossentropy", "ce")
_CLASSES = {
    ("accuracy", "binary"): "BinaryAccuracy",
    ("accuracy", "sparse"): "SparseCategoricalAccuracy",
    ("accuracy", "categorical"): "CategoricalAccuracy",
    ("crossentropy", "binary"): "BinaryCrossentropy",
    ("crossentropy", "sparse"): "SparseCategoricalCrossentropy",
    ("crossentropy", "categorical"): "CategoricalCrossentropy",
}


@dataclass
class _PerOutput:
    """Metrics of one output."""

    prefix: str | None
    plain: list[Metric] = field(default_factory=list)
    weighted: list[Metric] = field(default_factory=list)


class CompiledMetrics(Metric):
    """All metrics given to ``compile``.

    Args:
        metrics: names, functions or ``Metric`` objects: one, a list, or (several outputs) lists or a dict by output.
        weighted_metrics: the same; these are weighted by ``sample_weight`` and ``class_weight``.
        output_names: names of the outputs, if known.
    """

    def __init__(self, metrics: Any, weighted_metrics: Any = None, output_names: list[str] | None = None) -> None:
        super().__init__(name="compile_metrics")
        # The metrics inside are found through `metrics`, in order; the base class need not look for them.
        self._tracks = False
        self.given, self.given_weighted, self.output_names = metrics, weighted_metrics, output_names
        self._outputs: list[_PerOutput] | None = None
        for one in (metrics, weighted_metrics):
            _check(one)

    @property
    def built(self) -> bool:
        """True once the outputs were seen."""
        return self._outputs is not None

    @property
    def metrics(self) -> list[Metric]:
        """Metric objects in order of the outputs, plain ones before weighted ones; none before the first batch."""
        outputs = self._outputs or []
        return [metric for one in outputs for metric in one.plain] + [m for one in outputs for m in one.weighted]

    @property
    def variables(self) -> list[Any]:
        """State of all metrics."""
        found: list[Any] = []
        for metric in self.metrics:
            found += [variable for variable in metric.variables if not any(variable is one for one in found)]
        return found

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Resolve names by the shapes of targets and predictions."""
        outputs = Outputs(y_pred, self.output_names)
        plain = _by_output(self.given, "metrics", outputs)
        weighted = _by_output(self.given_weighted, "weighted_metrics", outputs)
        wanted = [bool(a or b) for a, b in zip(plain, weighted, strict=True)]
        targets = match_targets(outputs, y_true, wanted)
        # Deeply nested outputs are named as the model names them, without the path.
        names = outputs.names if outputs.flat else outputs.layer_names
        found = []
        for index, pred in enumerate(outputs.values):
            one = _PerOutput(names[index] if len(outputs) > 1 else None)
            one.plain = [resolve(given, targets[index], pred) for given in plain[index]]
            one.weighted = [resolve(given, targets[index], pred) for given in weighted[index]]
            found.append(one)
        self._outputs = found

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take one batch into account."""
        if self._outputs is None:
            self.build(y_true, y_pred)
        per_output = self._outputs or []
        outputs = Outputs(y_pred, self.output_names)
        targets = match_targets(outputs, y_true, [bool(one.plain or one.weighted) for one in per_output])
        weights = match_weights(outputs, sample_weight)
        for one, target, pred, weight in zip(per_output, targets, outputs.values, weights, strict=True):
            for metric in one.plain:
                _update(metric, target, pred)
            for metric in one.weighted:
                _update(metric, target, pred, sample_weight=weight)

    def reset_state(self) -> None:
        """Start anew."""
        for metric in self.metrics:
            metric.reset_state()

    def result(self) -> dict[str, Any]:
        """Current values by name (``output_metric`` for several outputs)."""
        found: dict[str, Any] = {}
        counts: dict[str, int] = {}
        per_output = self._outputs or []
        for one in per_output:
            for metric in one.plain:
                _put(found, counts, _prefixed(one, metric.name), metric)
        for one in per_output:
            for metric in one.weighted:
                name = _prefixed(one, metric.name)
                if name in counts:
                    name = _prefixed(one, f"weighted_{metric.name}")
                _put(found, counts, name, metric)
        return found

    def reset_build(self) -> None:
        """Forget the outputs seen."""
        self._outputs = None

    def get_config(self) -> dict[str, Any]:
        """Not for use: what is stored are the arguments of ``compile``."""
        raise NotImplementedError("The metrics of a model are stored with `model.get_compile_config()`.")


def _update(metric: Metric, target: Any, pred: Any, **weights: Any) -> None:
    try:
        metric.update_state(target, pred, **weights)
    except ShapeError:
        # Class numbers under a metric of columns ("mae" beside "accuracy"): compared with each column.
        if len(np.shape(target)) != 1 or len(np.shape(pred)) != 2:
            raise
        metric.update_state(target[:, None], pred, **weights)


def _prefixed(one: _PerOutput, name: str) -> str:
    return f"{one.prefix}_{name}" if one.prefix else name


def _put(found: dict[str, Any], counts: dict[str, int], name: str, metric: Metric) -> None:
    count = counts.get(name, 0)
    counts[name] = count + 1
    found[f"{name}_{count}" if count else name] = metric.result()


def _by_output(given: Any, what: str, outputs: Outputs) -> list[list[Any]]:
    """Metrics as given, a list per output."""
    if given is None or (trees.is_nested(given) and not given):
        return [[] for _ in outputs.values]
    if len(outputs) == 1:
        return [[one for one in trees.flatten(given) if one is not None]]
    flat_list = isinstance(given, (list, tuple)) and not any(trees.is_nested(one) or one is None for one in given)
    if not trees.is_nested(given) or (flat_list and len(given) != len(outputs)):
        # Not one per output: all of them for each output, each with a state of its own.
        return [[_copy(one) for one in trees.flatten(given)] for _ in outputs.values]
    entries = outputs.spread(given, what)
    return [[one for one in _as_list(entry) if one is not None] for entry in entries]


def _copy(metric: Any) -> Any:
    return type(metric).from_config(metric.get_config()) if isinstance(metric, Metric) else metric


def _as_list(entry: Any) -> list[Any]:
    if entry is None:
        return []
    return list(entry) if isinstance(entry, (list, tuple)) else [entry]


def resolve(given: Any, y_true: Any, y_pred: Any) -> Metric:
    """A metric object for a name, function or object; ``"accuracy"`` and ``"crossentropy"`` by the shapes."""
    if isinstance(given, Metric):
        return given
    if isinstance(given, str):
        kind = _kind(given)
        if kind is not None:
            if y_true is None:
                raise DataError(f"Metric {given!r} compares predictions with targets, but no `y` was given.")
            return getattr(metrics_module, _CLASSES[kind, family(y_true, y_pred)])(name=given)
    found = metrics_module.get(given)
    if not isinstance(found, Metric):
        name = given if isinstance(given, str) else object_name(found)
        return MeanMetricWrapper(careful(found, y_true, y_pred), name=name)
    if isinstance(given, str):
        # Reported under the name that was given.
        found.name = given
    return found


def _kind(name: str) -> str | None:
    lower = name.lower()
    if lower in _ACCURACY:
        return "accuracy"
    return "crossentropy" if lower in _CROSSENTROPY else None


def _check(given: Any) -> None:
    """Unknown names fail in ``compile``, not in ``fit``."""
    if isinstance(given, str):
        if _kind(given) is None:
            metrics_module.get(given)
    elif isinstance(given, dict) and "class_name" not in given:
        for one in given.values():
            _check(one)
    elif isinstance(given, (list, tuple)):
        for one in given:
            _check(one)
    elif isinstance(given, Metric):
        _check_signature(given)


def _check_signature(metric: Metric) -> None:
    """Metrics of values (``Mean``, ``Sum``) would take the predictions for weights."""
    names = list(inspect.signature(metric.update_state).parameters)
    if names[1:2] == ["sample_weight"]:
        raise ArgumentError(
            explain(
                f"compile(): {type(metric).__name__} '{metric.name}' is a metric of values, not of targets and "
                "predictions.",
                expected="metrics whose `update_state` takes (y_true, y_pred, sample_weight)",
                received=f"update_state({', '.join(names)})",
                fix="pass a function of (y_true, y_pred), or keras.metrics.MeanMetricWrapper(function)",
            )
        )
