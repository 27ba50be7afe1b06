"""Nodes of the graph that the functional API builds: one call of a layer or op on symbolic tensors."""

from __future__ import annotations

from typing import Any

from hornbeam.base import trees
from hornbeam.core.symbolic import KerasTensor


class Node:
    """One call of an operation.

    Args:
        operation: layer, model or op call.
        args: positional arguments of the call, symbolic tensors among them.
        kwargs: keyword arguments of the call.
        outputs: what the call returned.
    """

    def __init__(self, operation: Any, args: tuple, kwargs: dict[str, Any], outputs: Any) -> None:
        self.operation = operation
        if any(isinstance(leaf, KerasTensor) and leaf._uncast is not None for leaf in trees.flatten((args, kwargs))):
            # The layer casts by itself in each call: the graph leads to what it was given.
            args, kwargs = trees.map_structure(_given, (args, kwargs))
        self.args = args
        self.kwargs = kwargs
        self.outputs = trees.flatten(outputs)
        self.output_structure = outputs
        self.inputs = [leaf for leaf in trees.flatten((args, kwargs)) if isinstance(leaf, KerasTensor)]
        nodes = operation._inbound_nodes
        from_sizes = bool(self.inputs) and all(tensor._from_sizes for tensor in self.inputs)
        for position, output in enumerate(self.outputs):
            if isinstance(output, KerasTensor):
                output._keras_history = History(operation, len(nodes), position)
                output._from_sizes = from_sizes
        nodes.append(self)

    @property
    def is_input(self) -> bool:
        """True for the node that an input layer makes."""
        return not self.inputs

    @property
    def input_tensors(self) -> list[KerasTensor]:
        """Symbolic inputs of the call."""
        return self.inputs

    @property
    def output_tensors(self) -> list[Any]:
        """Symbolic outputs of the call."""
        return self.outputs

    @property
    def parent_nodes(self) -> list[Node]:
        """Nodes that made the inputs."""
        return [tensor.node for tensor in self.inputs if tensor.node is not None]

    def arguments(self, values: dict[int, Any]) -> tuple[tuple, dict[str, Any]]:
        """The call's arguments with symbolic tensors replaced by values (by id)."""

        def replace(leaf: Any) -> Any:
            return values[id(leaf)] if isinstance(leaf, KerasTensor) else leaf

        return trees.map_structure(replace, self.args), trees.map_structure(replace, self.kwargs)

    def __repr__(self) -> str:
        return f"<Node operation={self.operation.name}>"


def _given(leaf: Any) -> Any:
    return leaf._uncast if isinstance(leaf, KerasTensor) and leaf._uncast is not None else leaf


class History(tuple):
    """Where a symbolic tensor comes from: ``(operation, node_index, tensor_index)``."""

    __slots__ = ()

    def __new__(cls, operation: Any, node_index: int, tensor_index: int) -> History:
        """Make the triple."""
        return tuple.__new__(cls, (operation, node_index, tensor_index))

    def __getnewargs__(self) -> tuple:
        """Arguments for ``pickle`` and ``copy``."""
        return tuple(self)

    @property
    def operation(self) -> Any:
        """Layer, model or op call."""
        return self[0]

    @property
    def node_index(self) -> int:
        """Which call of the operation."""
        return self[1]

    @property
    def tensor_index(self) -> int:
        """Which output of that call."""
        return self[2]
