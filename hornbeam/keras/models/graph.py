"""The graph behind a functional model: which calls lead from inputs to outputs, and in what order."""

from __future__ import annotations

import functools
from collections import defaultdict
from typing import Any

from hornbeam.base import trees
from hornbeam.core.node import Node
from hornbeam.core.scopes import override, scopes
from hornbeam.core.symbolic import KerasTensor


class Graph:
    """Calls between given inputs and outputs.

    Args:
        inputs: nesting of symbolic tensors.
        outputs: nesting of symbolic tensors.

    Attributes:
        nodes: calls in an order in which they can be run, inputs' own not included.
        taps: functions that want the value of a tensor (their ``tensor``) of each run.
        tap_nodes: calls that lead to tapped tensors only.
        operations: layers and ops in Keras's order: by depth from the outputs, then by first visit.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self.inputs = trees.flatten(inputs)
        self.outputs = trees.flatten(outputs)
        self.input_structure, self.output_structure = inputs, outputs
        for what, tensors in (("inputs", self.inputs), ("outputs", self.outputs)):
            for tensor in tensors:
                if not isinstance(tensor, KerasTensor):
                    raise ValueError(
                        f"All `{what}` values must be KerasTensors. Received: {what}={tensor!r} of type "
                        f"{type(tensor)}. "
                        "A functional model is made of symbolic tensors, which start with `keras.Input(...)`."
                    )
        if len({id(tensor) for tensor in self.inputs}) != len(self.inputs):
            raise ValueError(f"Inputs to a functional model must be unique. Received: inputs={inputs}")
        self._input_ids = {id(tensor) for tensor in self.inputs}
        self.taps: list[Any] = []
        self.tap_nodes: list[Any] = []
        self._order()

    def _order(self) -> None:
        finished, first_visit = self._walk(self.outputs)
        depth_of_node: dict[Node, int] = {}
        depth_of: dict[Any, int] = {}
        for node in reversed(finished):
            depth = max(depth_of_node.setdefault(node, 0), depth_of.get(node.operation, 0))
            depth_of[node.operation] = depth_of_node[node] = depth
            for parent in self._parents(node):
                depth_of_node[parent] = max(depth + 1, depth_of_node.get(parent, 0))
        for tensor in self.inputs:
            operation = tensor._keras_history.operation
            if operation not in depth_of and _is_input(tensor):
                depth_of[operation] = 0
                first_visit.setdefault(operation, -1)
        by_depth: defaultdict[int, list] = defaultdict(list)
        for operation, depth in depth_of.items():
            by_depth[depth].append(operation)
        self.operations = [
            operation
            for depth in sorted(by_depth, reverse=True)
            for operation in sorted(by_depth[depth], key=lambda one: first_visit[one])
        ]
        self.nodes = [node for node in finished if not self._starts(node)]
        self.all_nodes = finished
        self.nodes_by_depth: defaultdict[int, list] = defaultdict(list)
        for node in finished:
            self.nodes_by_depth[depth_of_node[node]].append(node)

    def _starts(self, node: Any) -> bool:
        return node.is_input or all(id(tensor) in self._input_ids for tensor in node.outputs)

    def _parents(self, node: Any) -> list[Any]:
        return [] if self._starts(node) else [tensor.node for tensor in node.inputs]

    def _walk(self, outputs: list[KerasTensor]) -> tuple[list[Any], dict[Any, int]]:
        """Depth-first from the outputs: nodes after those they depend on, and operations in order of first visit."""
        finished: list[Any] = []
        done: set[int] = set()
        open_nodes: set[int] = set()
        first_visit: dict[Any, int] = {}
        for output in outputs:
            stack = [(self._node(output), False)]
            while stack:
                node, expanded = stack.pop()
                if expanded:
                    open_nodes.discard(id(node))
                    if id(node) not in done:
                        done.add(id(node))
                        finished.append(node)
                    continue
                if id(node) in done:
                    continue
                if id(node) in open_nodes:
                    raise ValueError(f"The graph has a cycle at operation {node.operation.name}.")
                first_visit.setdefault(node.operation, len(first_visit))
                open_nodes.add(id(node))
                stack.append((node, True))
                if not self._starts(node):
                    parents = [self._node(tensor) for tensor in node.inputs if id(tensor.node) not in done]
                    stack += [(parent, False) for parent in reversed(parents) if id(parent) not in done]
                elif not (
                    id(node.outputs[0]) in self._input_ids or any(id(t) in self._input_ids for t in node.outputs)
                ):
                    raise ValueError(
                        "`inputs` not connected to `outputs`: the outputs depend on input "
                        f"'{node.operation.name}', which "
                        "is not among the inputs of the model."
                    )
        return finished, first_visit

    def _node(self, tensor: KerasTensor) -> Any:
        node = tensor.node
        if node is None:
            raise ValueError(f"Tensor {tensor!r} does not come from `keras.Input` or a layer call.")
        return node

    def tap(self, tensor: KerasTensor, function: Any) -> None:
        """Call ``function`` with the value of a tensor that depends on the inputs, after each run of the graph.

        Args:
            tensor: the symbolic tensor; it need not lead to an output.
            function: called with its value; not on symbolic runs.
        """
        known = {id(node) for node in (*self.nodes, *self.tap_nodes)}
        needed = [node for node in self._walk([tensor])[0] if not self._starts(node)]
        self.tap_nodes += [node for node in needed if id(node) not in known]
        self.taps.append(function)

    @functools.cached_property
    def exposes_inner(self) -> bool:
        """Whether an output leads to another output: then gradients between outputs make sense."""
        used = {id(tensor) for node in self.nodes for tensor in node.inputs}
        if any(id(tensor) in used for tensor in self.outputs):
            return True
        inner = [getattr(operation, "_functional", None) for operation in self.operations]
        return any(graph is not None and graph.exposes_inner for graph in inner)

    @functools.cached_property
    def takes_texts(self) -> bool:
        """Whether calls inside work on texts."""
        return any(tensor.dtype == "string" for node in self.nodes for tensor in node.inputs)

    def run_taps(self, known: dict[int, Any]) -> None:
        """Hand the values of tapped tensors over.

        Args:
            known: values of the tensors that the graph has computed, by id.
        """
        if not self.taps or any(isinstance(value, KerasTensor) for value in known.values()):
            return
        _run_nodes(self.tap_nodes, known, None)
        for tap in self.taps:
            tap(known[id(tap.tensor)])

    def run(self, values: list[Any], call: Any = None) -> Any:
        """Outputs for values of the inputs.

        Args:
            values: one per input, in order.
            call: function ``(operation, args, kwargs)`` that runs one call; by default calls the operation.
        """
        known = {id(tensor): value for tensor, value in zip(self.inputs, values, strict=True)}
        # Code inside may refer to tensors of this graph that it was not given: a layer, to a variable of the program.
        with override(known=(known, scopes.known)):
            _run_nodes(self.nodes, known, call)
            if call is None:
                self.run_taps(known)
        return trees.pack(self.output_structure, [known[id(tensor)] for tensor in self.outputs])


def _run_nodes(nodes: list[Any], known: dict[int, Any], call: Any) -> None:
    for node in nodes:
        if all(id(tensor) in known for tensor in node.outputs):
            continue
        args, kwargs = node.arguments(known)
        results = node.operation(*args, **kwargs) if call is None else call(node.operation, args, kwargs)
        for tensor, value in zip(node.outputs, trees.flatten(results), strict=True):
            known[id(tensor)] = value


def _is_input(tensor: KerasTensor) -> bool:
    return tensor.node is not None and tensor.node.is_input
