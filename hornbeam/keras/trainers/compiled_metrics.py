"""The metrics given to ``compile``, by output."""

from __future__ import annotations

from typing import Any

from hornbeam.keras import metrics as metrics_module
from hornbeam.keras.metrics import MeanMetricWrapper, Metric
from hornbeam.keras.trainers.outputs import Outputs

_ACCURACY = ("accuracy", "acc")
_CROSSENTROPY = ("crossentropy", "ce")


class CompiledMetrics:
    """All metrics given to ``compile``.

    Args:
        metrics: names, functions or ``Metric`` objects: one, a list, or (several outputs) lists or a dict by output.
        weighted_metrics: the same; these are weighted by ``sample_weight`` and ``class_weight``.
        output_names: names of the outputs, if known.
    """

    def __init__(self, metrics: Any, weighted_metrics: Any = None, output_names: list[str] | None = None) -> None:
        self.given, self.given_weighted, self.output_names = metrics, weighted_metrics, output_names
        self.built = False
        self._plain: list[list[Metric]] = []
        self._weighted: list[list[Metric]] = []
        self._names: list[str] = []
        for one in (metrics, weighted_metrics):
            _check(one)

    @property
    def metrics(self) -> list[Metric]:
        """Metric objects, in order of the outputs."""
        if not self.built:
            return []
        found = []
        for plain, weighted in zip(self._plain, self._weighted, strict=True):
            found += [*plain, *weighted]
        return found

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Resolve names by the shapes of targets and predictions."""
        outputs = Outputs(y_pred, self.output_names)
        targets = outputs.match(y_true, "y")
        self._names = outputs.names if len(outputs) > 1 else [""]
        self._plain = self._resolved(self.given, "metrics", outputs, targets)
        self._weighted = self._resolved(self.given_weighted, "weighted_metrics", outputs, targets)
        self.built = True

    def _resolved(self, given: Any, what: str, outputs: Outputs, targets: list[Any]) -> list[list[Metric]]:
        return [
            [resolve(one, target, pred) for one in _as_list(entry) if one is not None]
            for entry, target, pred in zip(_by_output(given, what, outputs), targets, outputs.values, strict=True)
        ]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take one batch into account."""
        if not self.built:
            self.build(y_true, y_pred)
        outputs = Outputs(y_pred, self.output_names)
        targets = outputs.match(y_true, "y")
        weights = outputs.match(sample_weight, "sample_weight", broadcast=True)
        for plain, weighted, target, pred, weight in zip(
            self._plain, self._weighted, targets, outputs.values, weights, strict=True
        ):
            for metric in plain:
                metric.update_state(target, pred)
            for metric in weighted:
                metric.update_state(target, pred, sample_weight=weight)

    def reset_state(self) -> None:
        """Start anew."""
        for metric in self.metrics:
            metric.reset_state()

    def result(self) -> dict[str, Any]:
        """Current values by name (``output_metric`` for several outputs)."""
        found: dict[str, Any] = {}
        for name, plain, weighted in zip(self._names, self._plain, self._weighted, strict=True):
            for metric in (*plain, *weighted):
                value = metric.result()
                entries = value if isinstance(value, dict) else {metric.name: value}
                for key, one in entries.items():
                    _put(found, f"{name}_{key}" if name else key, one)
        return found


def _put(found: dict[str, Any], key: str, value: Any) -> None:
    name, count = key, 1
    while name in found:
        name, count = f"{key}_{count}", count + 1
    found[name] = value


def _by_output(given: Any, what: str, outputs: Outputs) -> list[Any]:
    if given is None:
        return [None] * len(outputs)
    if len(outputs) == 1 and not isinstance(given, dict):
        # One output: a flat list, or a list holding the one output's list.
        flat = _as_list(given)
        return [flat[0] if len(flat) == 1 and isinstance(flat[0], (list, tuple)) else flat]
    if isinstance(given, (list, tuple)):
        nested = any(isinstance(one, (list, tuple)) or one is None for one in given)
        if nested or len(given) == len(outputs):
            return outputs.match(given, what)
        if not given:
            return [None] * len(outputs)
        _too_flat(given, what, outputs)
    return outputs.match(given, what, broadcast=True)


def _too_flat(given: Any, what: str, outputs: Outputs) -> None:
    raise ValueError(
        f"For a model with multiple outputs, when providing the `{what}` argument as a list, it should have as many "
        f"entries as the model has outputs. Received: {what}={given} of length {len(given)} whereas the model has "
        f"{len(outputs)} outputs."
    )


def _as_list(entry: Any) -> list[Any]:
    if entry is None:
        return []
    return list(entry) if isinstance(entry, (list, tuple)) else [entry]


def resolve(given: Any, y_true: Any, y_pred: Any) -> Metric:
    """A metric object for a name, function or object; ``"accuracy"`` by the shapes."""
    if isinstance(given, Metric):
        return given
    if isinstance(given, str):
        lower = given.lower()
        if lower in _ACCURACY or lower in _CROSSENTROPY:
            return _by_shape(lower, given, y_true, y_pred)
        found = metrics_module.get(given)
        if isinstance(found, Metric):
            # Aliases such as "mae" are reported under the name that was given.
            found.name = given if given != given.title() else found.name
            return found
        return MeanMetricWrapper(found, name=given)
    found = metrics_module.get(given)
    if isinstance(found, Metric):
        return found
    name = getattr(found, "__name__", None) or type(found).__name__
    return MeanMetricWrapper(found, name=name)


def _by_shape(kind: str, name: str, y_true: Any, y_pred: Any) -> Metric:
    true_shape, pred_shape = tuple(y_true.shape), tuple(y_pred.shape)
    last = pred_shape[-1] if pred_shape else 1
    if last == 1 or not pred_shape:
        family = "binary"
    elif len(true_shape) < len(pred_shape) or (true_shape and true_shape[-1] == 1):
        family = "sparse"
    else:
        family = "categorical"
    classes = {
        ("acc", "binary"): "BinaryAccuracy",
        ("acc", "sparse"): "SparseCategoricalAccuracy",
        ("acc", "categorical"): "CategoricalAccuracy",
        ("ce", "binary"): "BinaryCrossentropy",
        ("ce", "sparse"): "SparseCategoricalCrossentropy",
        ("ce", "categorical"): "CategoricalCrossentropy",
    }
    chosen = classes[("acc" if kind in _ACCURACY else "ce", family)]
    return getattr(metrics_module, chosen)(name=name)


def _check(given: Any) -> None:
    """Unknown names fail in ``compile``, not in ``fit``."""
    if isinstance(given, str):
        if given.lower() not in (*_ACCURACY, *_CROSSENTROPY):
            metrics_module.get(given)
    elif isinstance(given, dict):
        for one in given.values():
            _check(one)
    elif isinstance(given, (list, tuple)):
        for one in given:
            _check(one)
