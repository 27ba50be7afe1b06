"""Giving stored values back to the objects of a program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax
import numpy as np

from hornbeam.base import dtypes
from hornbeam.base.errors import CorruptFileError
from hornbeam.core.conversion import as_array
from hornbeam.core.scopes import override
from hornbeam.core.variable import Variable
from hornbeam.keras.layers import Layer
from hornbeam.keras.models import Model
from hornbeam.keras.optimizers import Optimizer
from hornbeam.saving.protos import Message, decode
from hornbeam.saving.tf_checkpoint.bundle import OBJECT_GRAPH, Bundle
from hornbeam.saving.tf_checkpoint.objects import children, reachable
from hornbeam.saving.tf_checkpoint.optimizers import OptimizerMatch

__all__ = ["Restoration", "stored_graph"]

_NOT_OURS = frozenset({"keras_api", "root", "train_function", "train_tf_function", "test_function",
                       "test_tf_function", "predict_function", "_index_dict", "signatures"})  # fmt: skip


def stored_graph(bundle: Bundle) -> list[Message] | None:
    """Nodes of a checkpoint's object graph; None for checkpoints that hold tensors by name only."""
    if OBJECT_GRAPH not in bundle:
        return None
    content = bundle.read(OBJECT_GRAPH)
    if content.shape != ():
        raise CorruptFileError(f"{bundle.prefix}: the object graph is not a single string.")
    nodes = decode("TrackableObjectGraph", bytes(content[()])).nodes
    for node in nodes:
        for child in node.children:
            if not 0 <= child.node_id < len(nodes):
                raise CorruptFileError(f"{bundle.prefix}: the object graph refers to object {child.node_id}.")
    return nodes


class Restoration:
    """The pairing of a stored graph with objects; values are given to variables as they turn up.

    Args:
        bundle: the checkpoint.
        root: the object that stands for the root of the graph.
        start: number of the stored object that ``root`` is.

    Attributes:
        matched: object by number of the stored one.
        restored: variables that have got their value.
    """

    def __init__(self, bundle: Bundle, root: Any, start: int = 0) -> None:
        self.bundle = bundle
        self.root = root
        self.start = start
        graph = stored_graph(bundle)
        self.has_objects = graph is not None
        self.nodes: list[Message] = graph or []
        self.matched: dict[int, Any] = {}
        self.restored: dict[int, Variable] = {}
        self._keys: dict[int, tuple[Variable, str]] = {}
        self._numbers: dict[int, int] = {}
        self.optimizers: list[OptimizerMatch] = []

    # --- pairing ---------------------------------------------------------------------------------
    def match(self) -> None:
        """Pair what is there now; may be called again when more objects exist."""
        if not self.has_objects:
            self._match_names()
            return
        self.matched, self._numbers, self.optimizers, self._keys = {}, {}, [], {}
        self._pair(self.root, self.start)
        for optimizer in self.optimizers:
            for variable, key in optimizer.pairs(self):
                self._note(variable, key)

    def pair_with(self, items: dict[int, Any]) -> None:
        """Pair stored objects with given ones, instead of by names from the root."""
        self.matched, self._numbers, self.optimizers, self._keys = dict(items), {}, [], {}
        for number, item in items.items():
            if isinstance(item, Optimizer):
                self.optimizers.append(OptimizerMatch(item, number, self.root))
        for optimizer in self.optimizers:
            for variable, key in optimizer.pairs(self):
                self._note(variable, key)

    def _pair(self, item: Any, number: int) -> None:
        queue = [(item, number)]
        while queue:
            item, number = queue.pop(0)
            # A stored object may be several here: configs do not say that two models share a layer.
            again = number in self.matched
            if id(item) in self._numbers or (again and isinstance(item, Optimizer)):
                continue
            self.matched.setdefault(number, item)
            self._numbers[id(item)] = number
            node = self.nodes[number]
            if isinstance(item, Variable):
                key = value_key(node)
                if key is not None:
                    self._note(item, key)
                continue
            if isinstance(item, Optimizer):
                self.optimizers.append(OptimizerMatch(item, number, self.root))
                continue
            queue += self._paired_children(item, node)

    def _paired_children(self, item: Any, node: Message) -> list[tuple[Any, int]]:
        own: dict[str, Any] = {}
        for name, child in children(item):
            own.setdefault(name, child)
        stored = {child.local_name: child.node_id for child in node.children}
        if isinstance(item, Model):
            # Calls of plain functions count as layers in some files and not here, so numbers that count layers with
            # weights are to be preferred; before all layers are built, those say nothing.
            built = all(layer.built for layer in item._flatten_layers())
            passed_over = "layer-" if built else "layer_with_weights-"
            stored = {name: number for name, number in stored.items() if not name.startswith(passed_over)}
        found = [(own[name], number) for name, number in stored.items() if name in own]
        if isinstance(item, Layer) and not isinstance(item, Model):
            found += self._by_shape(own, found, stored)
        return found

    def _by_shape(
        self, own: dict[str, Any], found: list[tuple[Any, int]], stored: dict[str, int]
    ) -> list[tuple[Any, int]]:
        """Variables under other names than ours, where their shapes leave no choice."""
        taken, used = {id(child) for child, _ in found}, {number for _, number in found}
        free = {id(v): v for v in own.values() if isinstance(v, Variable) and id(v) not in taken}
        left = {n for n in stored.values() if n not in used and value_key(self.nodes[n]) is not None}
        by_shape: dict[tuple, list[int]] = {}
        for number in left:
            key = value_key(self.nodes[number])
            if key is not None and key in self.bundle:
                by_shape.setdefault(self.bundle.shape(key), []).append(number)
        pairs = []
        for variable in free.values():
            alike = [v for v in free.values() if tuple(v.shape) == tuple(variable.shape)]
            candidates = by_shape.get(tuple(variable.shape), [])
            if len(alike) == len(candidates) == 1:
                pairs.append((variable, candidates[0]))
        return pairs

    def _match_names(self) -> None:
        """Checkpoints without objects: tensors are found by the variables' names."""
        for variable in _variables(self.root):
            for name in _possible_names(variable):
                if name in self.bundle:
                    self._note(variable, name)
                    break

    def _note(self, variable: Variable, key: str) -> None:
        if key not in self.bundle:
            raise CorruptFileError(f"{self.bundle.prefix}: the tensor {key!r} that the object graph names is missing.")
        self._keys.setdefault(id(variable), (variable, key))

    def variable_at(self, number: int) -> Variable | None:
        """The variable that was paired with a stored one."""
        item = self.matched.get(number)
        return item if isinstance(item, Variable) else None

    # --- values ----------------------------------------------------------------------------------
    def assign(self, skip_mismatch: bool = False) -> None:
        """Give paired variables their values, those that have none yet; all of them, or none if a shape differs.

        Raises:
            ValueError: listing the variables whose stored shape differs.
        """
        new, problems = [], []
        for identity, (variable, key) in self._keys.items():
            if identity in self.restored:
                continue
            shape = self.bundle.shape(key)
            if tuple(variable.shape) != shape:
                problems.append(f"{variable.path}: shape {tuple(variable.shape)}, stored as {key!r} with shape {shape}")
            else:
                new.append((variable, key))
        if problems and not skip_mismatch:
            listing = "\n  ".join(problems)
            raise ValueError(
                f"The checkpoint {self.bundle.prefix!r} does not fit: {len(problems)} variables have another shape. "
                f"Nothing was changed.\n  {listing}"
            )
        arrays = [self.bundle.read(key) for _, key in new]
        with jax.ensure_compile_time_eval(), override(frame=None, tapes=(), autocast=None):
            for (variable, _), array in zip(new, arrays, strict=True):
                _set(variable, array)
                self.restored[id(variable)] = variable
            for optimizer in self.optimizers:
                optimizer.finish(self)

    # --- what is left ----------------------------------------------------------------------------
    def unused(self) -> list[str]:
        """Keys of stored values that no object took."""
        taken = {key for _, key in self._keys.values()}
        taken.update(key for optimizer in self.optimizers for key in optimizer.taken)
        if not self.has_objects:
            return [name for name in self.bundle.names() if name not in taken]
        found = []
        for node in self._below(self.start):
            key = value_key(node)
            if key is not None and key not in taken:
                found.append(key)
        return found

    def _below(self, start: int) -> Iterable[Message]:
        queue, seen = [start], {start}
        while queue:
            node = self.nodes[queue.pop(0)]
            yield node
            following = [c.node_id for c in node.children if c.local_name not in _NOT_OURS]
            for number in following + [slot.slot_variable_node_id for slot in node.slot_variables]:
                if number not in seen:
                    seen.add(number)
                    queue.append(number)

    def unmatched(self) -> list[Variable]:
        """Variables of the program that got no value."""
        return [v for v in _variables(self.root) if id(v) not in self.restored]


def value_key(node: Message) -> str | None:
    """Key of a stored variable's value; None for other objects."""
    for attribute in node.attributes:
        if attribute.name == "VARIABLE_VALUE":
            return attribute.checkpoint_key
    return None


def _variables(root: Any) -> list[Variable]:
    return [item for item in reachable(root) if isinstance(item, Variable)]


def _possible_names(variable: Variable) -> list[str]:
    path = getattr(variable, "path", variable.name)
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _set(variable: Variable, array: np.ndarray) -> None:
    variable.__dict__.pop("_pending", None)
    if variable.dtype == "string":
        variable.assign(array)
        return
    variable._write(on_device(array, variable._dtype))
    # On the CPU the device may use the very memory that was read: it must not be donated.
    variable._lent = True


def on_device(array: np.ndarray, dtype: Any) -> Any:
    """A host array on the device, without a program being compiled for its shape where that can be avoided."""
    if dtypes.is_wide(dtype):
        return as_array(array, dtype)
    return jax.device_put(np.asarray(array, dtype.as_numpy_dtype))
