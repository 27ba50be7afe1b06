"""Writing the values of objects, with the graph that says which is which."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np

from hornbeam.core.variable import Variable
from hornbeam.keras.layers import Normalization
from hornbeam.keras.models import Model
from hornbeam.keras.optimizers import Optimizer
from hornbeam.saving.protos import Message, encode, message
from hornbeam.saving.tf_checkpoint.bundle import OBJECT_GRAPH, write_bundle
from hornbeam.saving.tf_checkpoint.objects import children, slot_order

__all__ = ["ObjectGraph", "write_objects"]

SLOT_NAMES = {
    "_accumulated_delta_vars": "accumulated_delta_var",
    "_accumulated_grads": "accumulated_grad",
    "_accumulators": "accumulator",
    "_average_gradients": "average_gradient",
    "_linears": "linear",
    "_momentums": "m",
    "_velocities": "v",
    "_velocity_hats": "vhat",
    "momentums": "m",
}
"""What slots are called in the names of their variables."""
_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


class ObjectGraph:
    """Objects below a root, numbered, with the keys of their values.

    Args:
        root: the object that is saved.

    Attributes:
        items: objects by number, the root first.
        links: for each object, its children as (name, number).
        keys: key of each variable, by number.
        counters: identities of step counters, which are stored in 64 bits.
    """

    def __init__(self, root: Any) -> None:
        self.items: list[Any] = [root]
        self.links: list[list[tuple[str, int]]] = []
        self.keys: dict[int, str] = {}
        self._numbers = {id(root): 0}
        self._kept: list[Any] = []
        self._slot_names: dict[int, str] = {}
        # Other programs count steps in 64 bits and refuse anything narrower.
        self.counters: set[int] = set()
        paths = [""]
        position = 0
        while position < len(self.items):
            links = []
            for name, child in self._children(self.items[position]):
                number = self._numbers.get(id(child))
                if number is None:
                    number = self._numbers[id(child)] = len(self.items)
                    self.items.append(child)
                    step = escape(name)
                    paths.append(f"{paths[position]}/{step}" if paths[position] else step)
                    if isinstance(child, Variable):
                        self.keys[number] = paths[number] + _SUFFIX
                links.append((name, number))
            self.links.append(links)
            position += 1

    def _children(self, item: Any) -> list[tuple[str, Any]]:
        found = children(item)
        # Containers that were made for the occasion must live as long as their identity is used.
        self._kept += [child for _, child in found]
        if isinstance(item, Normalization):
            self.counters.update(id(child) for name, child in found if name == "count")
        if not isinstance(item, Optimizer):
            return found
        self.counters.add(id(item._iterations))
        self._name_slots(item, found)
        return self._in_slot_order(item, found)

    def _name_slots(self, optimizer: Any, found: list[tuple[str, Any]]) -> None:
        """Name each slot after its variable: that is how readers pair them, whatever the order."""
        variables = optimizer._trainable_variables
        for name, value in found:
            if isinstance(value, list) and name != "_variables" and len(value) == len(variables):
                kind = SLOT_NAMES.get(name, name.strip("_"))
                for variable, slot in zip(variables, value, strict=True):
                    if isinstance(slot, Variable):
                        self._slot_names[id(slot)] = f"{type(optimizer).__name__}/{kind}/{full_name(variable)}"

    def _in_slot_order(self, optimizer: Any, found: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        """Slots in the order in which the other readers of such files expect them."""
        variables = list(optimizer._trainable_variables)
        wanted = {id(v) for v in variables}
        order = None
        for item in self.items:
            candidate = slot_order(item) if isinstance(item, Model) else []
            if candidate and {id(v) for v in candidate} == wanted:
                order = candidate
                break
        if order is None or [id(v) for v in order] == [id(v) for v in variables]:
            return found
        places = {id(v): place for place, v in enumerate(variables)}
        permutation = [places[id(v)] for v in order]
        moved: dict[str, Any] = {}
        new_place: dict[int, Any] = {}
        for name, value in found:
            if isinstance(value, list) and name != "_variables" and len(value) == len(variables):
                moved[name] = [value[place] for place in permutation]
                new_place.update((id(a), b) for a, b in zip(value, moved[name], strict=True) if a is not None)
        result = []
        for name, value in found:
            if name == "_variables":
                value = [new_place.get(id(v), v) for v in value]
            result.append((name, moved.get(name, value)))
        self._kept += [value for _, value in result]
        return result

    def encoded(self) -> bytes:
        """The graph as it stands in the file."""
        return encode(self.message())

    def message(self) -> Message:
        """The graph as a message."""
        nodes = []
        yes = message("BoolValue", value=True)
        for number, item in enumerate(self.items):
            node = message("TrackableObject", has_checkpoint_values=yes)
            node.children = [reference(child, name) for name, child in self.links[number]]
            if isinstance(item, Variable):
                node.attributes = [
                    message(
                        "SerializedTensor",
                        name="VARIABLE_VALUE",
                        full_name=self._slot_names.get(id(item), full_name(item)),
                        checkpoint_key=self.keys[number],
                    )
                ]
            nodes.append(node)
        return message("TrackableObjectGraph", nodes=nodes)

    def tensors(self) -> dict[str, Any]:
        """Values by key, each to be fetched when it is written."""
        found: dict[str, Any] = {key: functools.partial(self.value, number) for number, key in self.keys.items()}
        found[OBJECT_GRAPH] = self.encoded()
        return found

    def dtype(self, number: int) -> str:
        """Dtype in which a variable is stored."""
        return "int64" if id(self.items[number]) in self.counters else self.items[number]._dtype.name

    def value(self, number: int) -> np.ndarray:
        """Value of a variable as it is stored."""
        array = self.items[number].numpy()
        return array.astype("int64") if id(self.items[number]) in self.counters else array


def escape(name: str) -> str:
    """A child's name as a part of a key."""
    return re.sub(r"[./]", lambda match: ".." if match.group() == "." else ".S", name)


def reference(number: int, name: str) -> Message:
    """A child of an object in the graph."""
    return message("ObjectReference", node_id=number, local_name=name)


def full_name(variable: Variable) -> str:
    """Name that people see in listings."""
    return getattr(variable, "path", variable.name)


def write_objects(prefix: str, root: Any) -> ObjectGraph:
    """Write all variables below a root as a checkpoint."""
    graph = ObjectGraph(root)
    write_bundle(prefix, graph.tensors())
    return graph
