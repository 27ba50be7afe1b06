"""Losses and metrics as Keras 1 and 2 made, named and listed them.

Logs and histories begin with the loss, and those of validation come last. For models with several outputs
the order is: the loss, losses of the outputs, then the metrics of the first output, those of the second ...; a flat
list of metrics is for each output; and the one loss of several outputs is listed by its output's name too. Metrics
given by the name of their class have their own names: ``"AUC"`` is ``auc``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from hornbeam.base import trees
from hornbeam.compat.configs.defaults import compiles_for_all_outputs, is_first_tensorflow
from hornbeam.compat.methods.records import plain_name
from hornbeam.keras import metrics
from hornbeam.keras.metrics import Mean, Metric
from hornbeam.keras.trainers.compiled_loss import object_name

__all__ = ["AROUND_LOSS", "AROUND_METRICS", "AROUND_STEPS", "known_after_compile"]


def _listing_by_output(result_names: Callable) -> Callable:
    @functools.wraps(result_names)
    def names(self: Any, logs: dict[str, Any]) -> list[str]:
        found = result_names(self, logs)
        training = self._training
        if not compiles_for_all_outputs() or training.compiled_loss is None:
            return found
        wanted = ["loss", *(metric.name for metric in training.compiled_loss.metrics)]
        if training.compiled_metrics is not None:
            wanted += _metric_names(training.compiled_metrics)
        first = list(dict.fromkeys(name for name in wanted if name in logs))
        return first + [name for name in found if name not in first]

    return names


def _by_output(log_order: Callable) -> Callable:
    @functools.wraps(log_order)
    def order(self: Any, kind: str, logs: dict[str, Any]) -> list[str]:
        if not compiles_for_all_outputs():
            return log_order(self, kind, logs)
        if self._overrides(f"{kind}_step"):
            return list(logs)
        names = [name for name in logs if not name.startswith("val_")]
        # Validation's own order is in the logs already.
        return list(dict.fromkeys([*self._result_names(dict.fromkeys(names)), *logs]))

    return order


def _metric_names(compiled: Any) -> list[str]:
    """Names in results: output by output, and of each output those without weights first."""
    outputs = compiled._outputs or []
    prefixes = [f"{one.prefix}_" if one.prefix else "" for one in outputs]
    counts: dict[str, int] = {}
    found: list[tuple[int, str]] = []
    # Repeated names are numbered over all outputs, those without weights first.
    for kind in ("plain", "weighted"):
        for index, one in enumerate(outputs):
            for metric in getattr(one, kind):
                name = prefixes[index] + metric.name
                if kind == "weighted" and name in counts:
                    name = f"{prefixes[index]}weighted_{metric.name}"
                count = counts.get(name, 0)
                counts[name] = count + 1
                found.append((index, f"{name}_{count}" if count else name))
    return [name for _, name in sorted(found, key=lambda pair: pair[0])]


def _outputs_of(y_pred: Any) -> list[Any]:
    """Keys of the outputs: names of a dict, numbers of a list; none for one output, or a deeper nesting."""
    if not trees.is_nested(y_pred):
        return []
    pairs = trees.flatten_with_path(y_pred)
    return [path[0] for path, _ in pairs] if len(pairs) > 1 and all(len(path) == 1 for path, _ in pairs) else []


def _name_outputs(compiled: Any, keys: list[Any]) -> None:
    """Outputs of models that are no graphs have numbers for names."""
    if compiled.output_names is None and keys and all(isinstance(key, int) for key in keys):
        compiled.output_names = [f"output_{number}" for number in range(1, len(keys) + 1)]


def _for_each_output(build: Callable) -> Callable:
    @functools.wraps(build)
    def built(self: Any, y_true: Any, y_pred: Any) -> None:
        keys = _outputs_of(y_pred)
        if compiles_for_all_outputs():
            self.given, self.given_weighted = _with_own_names(self.given), _with_own_names(self.given_weighted)
        if keys and compiles_for_all_outputs():
            _name_outputs(self, keys)
            for attribute in ("given", "given_weighted"):
                given = getattr(self, attribute)
                if isinstance(given, (list, tuple)) and given and not any(map(trees.is_nested, given)):
                    shared = {key: [_copy(one) for one in given] for key in keys}
                    setattr(self, attribute, shared if isinstance(y_pred, dict) else list(shared.values()))
        build(self, y_true, y_pred)

    return built


def _with_own_names(given: Any) -> Any:
    """Metrics in place of the names of their classes; they keep the names that they give themselves."""
    if isinstance(given, dict) and "class_name" not in given:
        return {name: _with_own_names(one) for name, one in given.items()}
    if isinstance(given, (list, tuple)):
        return type(given)(_with_own_names(one) for one in given)
    if not isinstance(given, str) or not isinstance(getattr(metrics, given, None), type) or given == "Accuracy":
        return given
    found = metrics.get(given)
    # No number behind the name: how often the class was used before is not what a program's author counts.
    found.name = plain_name(found.name)
    return found


def _copy(metric: Any) -> Any:
    return type(metric).from_config(metric.get_config()) if isinstance(metric, Metric) else metric


def _naming_its_output(build: Callable) -> Callable:
    @functools.wraps(build)
    def built(self: Any, y_true: Any, y_pred: Any) -> None:
        keys = _outputs_of(y_pred) if compiles_for_all_outputs() else []
        _name_outputs(self, keys)
        build(self, y_true, y_pred)
        if keys and len(self._parts) == 1:
            self.metrics = [Mean(name=part.name) for part in self._parts]

    return built


def known_after_compile(names: property) -> property:
    """``metrics_names`` of a graph before the first batch, for programs of TensorFlow 1."""
    read: Any = names.fget

    def metrics_names(self: Any) -> list[str]:
        training = self._training
        outputs = self._known_output_names()
        if training.has_run or not training.compiled or outputs is None or not is_first_tensorflow():
            return read(self)
        return ["loss", *_names_to_come(training, outputs)]

    return property(metrics_names, doc=names.__doc__)


def _names_to_come(training: Any, outputs: list[str]) -> list[str]:
    given, loss = training.arguments, training.arguments["loss"]
    several = len(outputs) > 1
    has_loss = [name for name in outputs if loss is not None and _entry(loss, outputs, name) is not None]
    found = [f"{name}_loss" for name in has_loss] if several else []
    for name in outputs:
        for argument in ("metrics", "weighted_metrics"):
            entry = _entry(given[argument], outputs, name, flat_for_all=True)
            entries = entry if isinstance(entry, (list, tuple)) else [entry]
            found += [f"{name}_{_name(one)}" if several else _name(one) for one in entries if one is not None]
    return found


def _entry(given: Any, outputs: list[str], name: str, flat_for_all: bool = False) -> Any:
    """What was given for an output: by name, by place, or for all of them."""
    if isinstance(given, dict):
        return given.get(name)
    by_place = isinstance(given, (list, tuple)) and len(outputs) > 1
    if by_place and (not flat_for_all or any(map(trees.is_nested, given))):
        return given[outputs.index(name)]
    return given


def _name(metric: Any) -> str:
    return metric if isinstance(metric, str) else object_name(metric)


AROUND_STEPS: dict[str, Callable] = {"_result_names": _listing_by_output, "_log_order": _by_output}
AROUND_METRICS: dict[str, Callable] = {"build": _for_each_output}
AROUND_LOSS: dict[str, Callable] = {"build": _naming_its_output}
