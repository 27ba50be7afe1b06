"""Runs graphs: nodes in the order in which results need them, functions called by name.

Values are JAX arrays, or NumPy arrays where they are known when the program is made (constants, shapes and what
follows from them): shapes must be known to XLA, so whatever can be computed beforehand is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.base.errors import CorruptFileError, UnsupportedFileError
from hornbeam.core.variable import Variable
from hornbeam.saving.protos import Message
from hornbeam.saving.saved_model.graph import arrays, blocks, control, images, math, nn, reductions, state  # noqa: F401
from hornbeam.saving.saved_model.graph.table import OPS, Node

__all__ = ["Machine"]

_DEPTH_LIMIT = 200
_STATE_OPS = frozenset({"AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp", "Assert"})


class Machine:
    """The functions of a file, ready to run.

    Args:
        graph: the graph with its function library.
        source: name of the file, for messages.
    """

    def __init__(self, graph: Message, source: str) -> None:
        self.source = source
        self.functions: dict[str, Message] = {f.signature.name: f for f in graph.library.function}
        self._nodes = graph.node
        self._plans: dict[str, _Plan] = {}
        self.programs: dict[Any, Any] = {}
        self.resource: Callable[[str], Variable] = self._no_resource
        self._depth = 0

    def _no_resource(self, name: str) -> Variable:
        raise UnsupportedFileError(f"{self.source}: variable {name!r} belongs to no object of the file.")

    # --- functions -------------------------------------------------------------------------------
    def call(self, name: str, inputs: Sequence[Any]) -> list[Any]:
        """Run a function of the library.

        Raises:
            UnsupportedFileError: it needs an operation that is not in the table.
        """
        plan = self._plan(name)
        if len(inputs) != len(plan.arguments):
            raise CorruptFileError(f"{self.source}: function {name!r} takes {len(plan.arguments)} tensors.")
        values = {argument: [value] for argument, value in zip(plan.arguments, inputs, strict=True)}
        self._depth += 1
        try:
            if self._depth > _DEPTH_LIMIT:
                raise CorruptFileError(f"{self.source}: functions call each other more than {_DEPTH_LIMIT} deep.")
            for node in plan.order:
                self._run(node, plan, values)
            return [plan.fetch(values, reference) for reference in plan.results]
        finally:
            self._depth -= 1

    def _plan(self, name: str) -> _Plan:
        plan = self._plans.get(name)
        if plan is None:
            if name not in self.functions:
                raise CorruptFileError(f"{self.source}: function {name!r} is called, but not defined.")
            plan = self._plans[name] = _Plan(self.functions[name], self)
        return plan

    def unknown_ops(self, name: str) -> set[str]:
        """Operations that a function, and those it calls, need and that are not in the table."""
        found: set[str] = set()
        queue, seen = [name], {name}
        while queue:
            definition = self.functions.get(queue.pop())
            for node in definition.node_def if definition is not None else ():
                if node.op not in OPS:
                    found.add(node.op)
                for value in node.attr.values():
                    for inner in ([value.func] if value.has("func") else []) + (
                        list(value.list.func) if value.has("list") else []
                    ):
                        if inner.name not in seen:
                            seen.add(inner.name)
                            queue.append(inner.name)
        return found

    # --- nodes -----------------------------------------------------------------------------------
    def _run(self, node: Node, plan: _Plan, values: dict[str, list[Any]]) -> None:
        inputs = [plan.fetch(values, reference) for reference in plan.inputs[node.name]]
        operation = OPS.get(node.op)
        if operation is None:
            raise UnsupportedFileError(
                f"{self.source}: the graph uses the operation {node.op!r} (node {node.name!r}), which is not run here. "
                "Load the variables alone, or rebuild the model as a Keras model and use `load_weights`."
            )
        known = operation.foldable and all(isinstance(value, np.ndarray) for value in inputs)
        try:
            if known and inputs:
                node.xp = np
                with jax.ensure_compile_time_eval():
                    result = operation.run(node, *inputs)
                result = _as_known(result)
            else:
                node.xp = jnp
                result = operation.run(node, *inputs)
        except (UnsupportedFileError, CorruptFileError):
            raise
        except Exception as error:
            error.add_note(f"while running node {node.name!r} ({node.op}) of {self.source}")
            raise
        values[node.name] = list(result) if isinstance(result, (list, tuple)) else [result]

    def top_node(self, name: str) -> Message:
        """A node outside of the functions."""
        for node in self._nodes:
            if node.name == name:
                return node
        raise CorruptFileError(f"{self.source}: there is no node {name!r}.")

    def evaluate(self, fetches: Iterable[str], feeds: dict[str, Any]) -> list[Any]:
        """Run the graph outside of the functions, for files that have no objects."""
        plan = _Plan.of_graph(self._nodes, list(fetches), set(feeds), self)
        values = {name: [value] for name, value in feeds.items()}
        for node in plan.order:
            self._run(node, plan, values)
        return [plan.fetch(values, reference) for reference in plan.results]


def _as_known(result: Any) -> Any:
    def known(value: Any) -> Any:
        return np.asarray(value) if isinstance(value, (jax.Array, np.generic, int, float, bool)) else value

    return [known(value) for value in result] if isinstance(result, (list, tuple)) else known(result)


class _Plan:
    """The nodes of a function in an order in which they can run."""

    def __init__(self, definition: Message, machine: Machine) -> None:
        signature = definition.signature
        self.arguments = [argument.name for argument in signature.input_arg]
        self.name = signature.name
        nodes = {proto.name: proto for proto in definition.node_def}
        returned = definition.ret
        self.results = [_reference(returned[output.name]) for output in signature.output_arg]
        ends = [reference[0] for reference in self.results]
        ends += [name for name in definition.control_ret.values()]
        # Side effects must happen even where nothing says so.
        ends += [name for name, proto in nodes.items() if proto.op in _STATE_OPS]
        self._sort(nodes, ends, machine)

    @classmethod
    def of_graph(cls, nodes: list[Message], fetches: list[str], feeds: set[str], machine: Machine) -> _Plan:
        """A plan for some tensors of a graph."""
        plan = cls.__new__(cls)
        plan.arguments, plan.name = sorted(feeds), "graph"
        plan.results = [_reference(fetch) for fetch in fetches]
        by_name = {proto.name: proto for proto in nodes if proto.name not in feeds}
        plan._sort(by_name, [reference[0] for reference in plan.results], machine)
        return plan

    def _sort(self, nodes: dict[str, Message], ends: list[str], machine: Machine) -> None:
        self.inputs: dict[str, list[tuple]] = {}
        self.order: list[Node] = []
        marks: dict[str, int] = {}
        arguments = set(self.arguments)
        stack = [(name, False) for name in reversed(ends)]
        while stack:
            name, done = stack.pop()
            if name in arguments:
                continue
            if done:
                if marks.get(name) != 2:
                    marks[name] = 2
                    self.order.append(Node(nodes[name], machine))
                continue
            if marks.get(name) == 2:
                continue
            if name not in nodes:
                raise CorruptFileError(
                    f"{machine.source}: function {self.name!r} uses {name!r}, which it does not have."
                )
            marks[name] = 1
            stack.append((name, True))
            given = [text for text in nodes[name].input]
            self.inputs[name] = [_reference(text) for text in given if not text.startswith("^")]
            before = [text.removeprefix("^") if text.startswith("^") else _reference(text)[0] for text in given]
            for inner in reversed(before):
                if marks.get(inner) == 1:
                    raise CorruptFileError(f"{machine.source}: function {self.name!r} goes in a circle at {inner!r}.")
                if marks.get(inner) != 2:
                    stack.append((inner, False))
        self._ops = {node.name: node.op for node in self.order}

    def fetch(self, values: dict[str, list[Any]], reference: tuple[str, str, int]) -> Any:
        """A value that was computed."""
        name, output, index = reference
        found = values[name]
        if output:
            operation = OPS.get(self._ops.get(name, ""))
            names = operation.outputs if operation is not None else ()
            if output in names:
                index += names.index(output)
        if index >= len(found):
            raise CorruptFileError(f"Node {name!r} has no output {output or index}.")
        return found[index]


def _reference(text: str) -> tuple[str, str, int]:
    """``node:output:3`` (in functions), ``node:3`` (outside), or a name alone."""
    parts = text.split(":")
    if len(parts) == 3:
        return parts[0], parts[1], int(parts[2])
    if len(parts) == 2:
        return (parts[0], "", int(parts[1])) if parts[1].isdigit() else (parts[0], parts[1], 0)
    return parts[0], "", 0
