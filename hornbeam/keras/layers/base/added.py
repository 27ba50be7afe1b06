"""Losses and metrics that are added to layers and models: by values in ``call``, or by symbolic tensors of a graph."""

from __future__ import annotations

from typing import Any

from hornbeam.base.errors import explain
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.variable import Variable
from hornbeam.keras.layers.base import call_context, tracking
from hornbeam.keras.layers.base.state import LayerState
from hornbeam.keras.metrics import Mean, Metric


class LossTap:
    """Adds the value of a symbolic tensor to a model's losses whenever the model's graph has run.

    Args:
        model: the model.
        tensor: the symbolic loss.
    """

    def __init__(self, model: Any, tensor: KerasTensor) -> None:
        self.model, self.tensor = model, tensor

    def __call__(self, value: Any) -> None:
        """Take the value of this run."""
        self.model.add_loss(value)


class MetricTap:
    """Updates a metric with the value of a symbolic tensor whenever the model's graph has run.

    Args:
        metric: the metric.
        tensor: what it is the mean of.
    """

    def __init__(self, metric: Metric, tensor: KerasTensor) -> None:
        self.metric, self.tensor = metric, tensor

    def __call__(self, value: Any) -> None:
        """Take the value of this run."""
        self.metric.update_state(value)


def add_symbolic_losses(model: Any, tensors: list[KerasTensor]) -> None:
    """Make symbolic tensors losses of a functional model.

    Raises:
        ValueError: the model has no graph, or the tensor does not depend on its inputs alone.
    """
    graph = vars(model).get("_functional")
    if graph is None:
        raise ValueError(
            explain(
                f"{type(model).__name__} '{model.name}': a symbolic tensor was given to `add_loss`.",
                expected="a value computed in `call`, or a model that was made from symbolic inputs and outputs",
                received=f"{tensors[0]!r}",
                fix="compute the loss in the `call` of a layer and call `self.add_loss(...)` there",
            )
        )
    for tensor in tensors:
        graph.tap(tensor, LossTap(model, tensor))
    _adopt_layers(model, graph)


def _adopt_layers(model: Any, graph: Any) -> None:
    """Layers that lead to losses only are layers of the model too: their weights are trained."""
    known = {id(layer) for layer in model._flatten_layers()}
    found = [node.operation for node in graph.tap_nodes if isinstance(node.operation, LayerState)]
    if extra := [layer for layer in tracking.unique(found) if id(layer) not in known]:
        model._loss_layers = [*vars(model).get("_loss_layers", ()), *extra]
    model._changed()


def symbolic_losses(layer: Any) -> list[KerasTensor]:
    """Symbolic losses of a functional model."""
    graph = vars(layer).get("_functional")
    if graph is None:
        return []
    return [tap.tensor for tap in graph.taps if isinstance(tap, LossTap) and tap.model is layer]


def add_metric(layer: Any, value: Any, name: str | None, aggregation: str | None) -> None:
    """See ``Layer.add_metric``."""
    if aggregation not in (None, "mean"):
        raise ValueError(
            f"{type(layer).__name__} '{layer.name}': `aggregation` of a metric is 'mean' or None. "
            f"Received: aggregation={aggregation!r}. For other ones update a metric object of your own in `call`."
        )
    made_by = _metric_behind(layer, value)
    if made_by is not None and not isinstance(value, KerasTensor):
        # `self.add_metric(self.accuracy(y, p))`: that metric has counted already, and is found as an attribute.
        return
    if name is None:
        raise ValueError(
            f"{type(layer).__name__} '{layer.name}': a metric needs a name: `add_metric(value, name='...')`."
        )
    metric = _named_metric(layer, name)
    if isinstance(value, KerasTensor):
        graph = vars(layer).get("_functional")
        if graph is None:
            raise ValueError(
                f"{type(layer).__name__} '{layer.name}': a symbolic tensor can be a metric of a functional model only. "
                f"Received: {value!r}. Call `self.add_metric(...)` with a value computed in `call`."
            )
        graph.tap(value, MetricTap(metric, value))
        _adopt_layers(layer, graph)
        return
    if call_context.current() is None:
        raise ValueError(
            f"{type(layer).__name__} '{layer.name}': `add_metric` takes symbolic tensors, or values inside of `call`. "
            f"Received: {value!r} outside of `call`."
        )
    metric.update_state(value)


def _named_metric(layer: Any, name: str) -> Metric:
    """The metric of this name that was added before, or a new one."""
    for metric in tracking.members(layer, Metric):
        if metric.name == name:
            return metric
    metric = Mean(name=name)
    layer._added_metrics = [*vars(layer).get("_added_metrics", ()), metric]
    return metric


def _metric_behind(layer: Any, value: Any) -> Metric | None:
    """The layer's metric whose call gave this value."""
    if isinstance(value, Variable):
        return next((one for one in tracking.members(layer, Metric) if any(value is v for v in one.variables)), None)
    return getattr(value, "_metric", None)


def layer_metrics(layer: Any) -> list[Metric]:
    """Metrics that are attributes of a layer and of the layers in it, and those added to them."""
    return tracking.gathered(layer, lambda inner: tracking.members(inner, Metric))


__all__ = ["LossTap", "MetricTap", "add_metric", "add_symbolic_losses", "layer_metrics", "symbolic_losses"]
