"""The layers of a model that run on the host: those that turn texts into numbers, at its inputs.

A compiled step cannot hold texts. So for functional and Sequential models the calls that work on texts (and what else
is known without the device by then) are run on the host for each batch, and the step takes their results in place of
the inputs. For arrays this is done once for all rows, where every row is worked on by itself. Of a model inside the
model that takes texts, the calls on texts are run on the host and the rest in the step.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from hornbeam.base import registry, trees
from hornbeam.core.tensor import Tensor, from_host
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed
from hornbeam.keras.trainers.feeds.convert import as_host_array, is_text
from hornbeam.keras.utils.data_tuples import pack_x_y_sample_weight, unpack_x_y_sample_weight

_PREFIX = "\0host "
"""Begin of the keys under which a step finds the values that stand for a model's inputs."""
_SHORT = np.iinfo(np.int32)


class HostHead:
    """The calls of a graph that run on the host.

    Args:
        graph: graph of a functional model.

    Attributes:
        nodes: these calls, in order.
        split: calls of models with such a part of their own, by the id of their nodes.
        frontier: symbolic tensors whose values the step takes: inputs without texts, and results of those calls.
        is_fixed: True if the sizes of all results are known but for the batch.
    """

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        ready = {id(tensor) for tensor in graph.inputs}
        self.nodes = []
        self.split: dict[int, tuple[Any, HostHead]] = {}
        for node in graph.nodes:
            texts = any(tensor.dtype == "string" for tensor in node.inputs)
            if not all(id(tensor) in ready for tensor in node.inputs) or not (texts or _runs_on_host(node.operation)):
                continue
            inner = head_of(node.operation)
            if inner is not None:
                self.split[id(node)] = (node, inner)
                continue
            self.nodes.append(node)
            ready.update(id(tensor) for tensor in node.outputs)
        own = {*map(id, self.nodes), *self.split}
        used = [tensor for node in graph.nodes if id(node) not in own for tensor in node.inputs] + graph.outputs
        found: dict[int, Any] = {id(tensor): tensor for tensor in used if id(tensor) in ready}
        self.frontier = list(found.values())
        made = {id(tensor) for node in self.nodes for tensor in node.outputs}
        fixed = all(None not in tensor.shape[1:] for tensor in self.frontier if id(tensor) in made)
        self.is_fixed = fixed and all(inner.is_fixed for _, inner in self.split.values())
        self.takes_texts = any(tensor.dtype == "string" for tensor in self.frontier)

    def run(self, model: Any, x: Any) -> dict[str, Any]:
        """Values of the frontier for a batch of inputs, on the host."""
        standardize = registry.find("keras", "graph inputs")
        values = standardize(model, self.graph, trees.map_structure(_as_tensor, x))
        known = {id(tensor): value for tensor, value in zip(self.graph.inputs, values, strict=True)}
        for node in self.nodes:
            args, kwargs = node.arguments(known)
            results = trees.flatten(node.operation(*args, **kwargs))
            known.update((id(tensor), value) for tensor, value in zip(node.outputs, results, strict=True))
        found = {f"{_PREFIX}{place}": _on_host(known[id(tensor)]) for place, tensor in enumerate(self.frontier)}
        for place, (node, inner) in enumerate(self.split.values()):
            (inputs, *_), _ = _given(node, known)
            found |= {_inside(place, key): value for key, value in inner.run(node.operation, inputs).items()}
        return found

    def arguments(self, node: Any, known: dict[int, Any], x: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """What a call outside of this part takes: results of earlier ones, and for a split model what its part gave."""
        if id(node) not in self.split:
            return node.arguments(known)
        start = _inside(list(self.split).index(id(node)), "")
        inputs = {key.removeprefix(start): value for key, value in x.items() if key.startswith(start)}
        (_, *others), kwargs = _given(node, known)
        return (inputs, *others), kwargs


def _inside(place: int, key: str) -> str:
    """Key of the outer model for a value that a split model takes."""
    return f"{_PREFIX}in {place} {key}"


def _given(node: Any, known: dict[int, Any]) -> tuple[tuple, dict[str, Any]]:
    """Arguments of a call, the inputs first; None for what is not known, as texts are in a step."""
    args, kwargs = node.arguments({id(tensor): known.get(id(tensor)) for tensor in node.inputs})
    return (args, kwargs) if args else ((kwargs.pop("inputs"),), kwargs)


def _runs_on_host(operation: Any) -> bool:
    return getattr(operation, "runs_on_host", False)


def _as_tensor(leaf: Any) -> Any:
    return leaf if leaf is None or isinstance(leaf, (Tensor, jax.Array)) else from_host(np.asarray(leaf))


def _on_host(value: Any) -> np.ndarray:
    """NumPy form, whole numbers in 32 bits where they fit."""
    array = np.asarray(value._value if isinstance(value, Tensor) else value)
    if array.dtype == np.int64 and (not array.size or (array.max() <= _SHORT.max and array.min() >= _SHORT.min)):
        return array.astype(np.int32)
    return array


def head_of(model: Any) -> HostHead | None:
    """The part of a model that runs on the host; None if there is none, or not such a model."""
    graph = getattr(model, "_functional", None)
    if graph is None:
        return None
    kept = vars(graph).get("_host_head")
    if kept is None:
        head = HostHead(graph)
        kept = (head if (head.nodes or head.split) and not head.takes_texts else None,)
        graph._host_head = kept
    return kept[0]


def is_prepared(x: Any) -> bool:
    """True for values that stand for a model's inputs."""
    return isinstance(x, dict) and str(next(iter(x), "")).startswith(_PREFIX)


def prepared(model: Any, batch: Any) -> Any:
    """A batch with the results of the model's host calls in place of its inputs; as it is for other models."""
    head = head_of(model)
    if head is None:
        return batch
    x, y, sample_weight = unpack_x_y_sample_weight(batch)
    if is_prepared(x):
        return batch
    return pack_x_y_sample_weight(head.run(model, x), y, sample_weight)


def run_prepared(graph: Any, x: dict[str, Any]) -> Any:
    """Outputs of a graph for the values that stand for its inputs."""
    head: HostHead = graph._host_head[0]
    known = {id(tensor): x[f"{_PREFIX}{place}"] for place, tensor in enumerate(head.frontier)}
    own = set(map(id, head.nodes))
    for node in graph.nodes:
        if id(node) in own:
            continue
        args, kwargs = head.arguments(node, known, x)
        results = trees.flatten(node.operation(*args, **kwargs))
        known.update((id(tensor), value) for tensor, value in zip(node.outputs, results, strict=True))
    graph.run_taps(known)
    return trees.pack(graph.output_structure, [known[id(tensor)] for tensor in graph.outputs])


def prepare_feed(model: Any, feed: Any) -> None:
    """Run the host calls for all rows of arrays at once, where each row is worked on by itself."""
    head = head_of(model)
    if head is None or not head.is_fixed or not isinstance(feed, ArrayFeed):
        return
    x, y, sample_weight = unpack_x_y_sample_weight(feed.arrays)
    if is_prepared(x):
        return
    values = {key: as_host_array(value) for key, value in head.run(model, x).items()}
    if any(len(value) != feed.size for value in values.values()):
        return
    feed.arrays = pack_x_y_sample_weight(values, y, sample_weight)
    feed.leaves = [leaf for leaf in trees.flatten(feed.arrays) if leaf is not None]


def holds_text(model: Any, batch: Any) -> bool:
    """True if a batch holds texts that a step cannot take, or the model gives texts."""
    graph = vars(model).get("_functional")
    if graph is not None and any(tensor.dtype == "string" for tensor in graph.outputs):
        return True
    return any(leaf is not None and is_text(leaf) for leaf in trees.flatten(batch))


__all__ = ["HostHead", "head_of", "holds_text", "is_prepared", "prepare_feed", "prepared", "run_prepared"]
