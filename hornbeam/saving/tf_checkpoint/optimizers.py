"""Optimizer state in checkpoints: three layouts, all of them paired with variables by identity.

- slots as variables of their own, each tied to the variable and the optimizer it belongs to;
- one list of all variables (``_variables``), and the same ones by kind (``_momentums`` ...);
- hyperparameters as variables (``beta_1`` ...) beside the first layout.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam.core.variable import Variable
from hornbeam.keras.layers import Layer
from hornbeam.keras.models import Model
from hornbeam.keras.optimizers import Nadam, Optimizer
from hornbeam.saving.protos import Message
from hornbeam.saving.tf_checkpoint.objects import children, reachable, slot_order

__all__ = ["OptimizerMatch"]

_SLOTS = {
    "m": ("_momentums", "_m"),
    "v": ("_velocities", "_u", "_v"),
    "vhat": ("_velocity_hats",),
    "momentum": ("momentums", "_momentums"),
    "rms": ("_velocities",),
    "mg": ("_average_gradients",),
    "accumulator": ("_accumulators",),
    "accum_grad": ("_accumulated_grads",),
    "accum_var": ("_accumulated_delta_vars",),
    "linear": ("_linears",),
    "average": ("_averages",),
}
"""Attributes that may hold a kind of slot, by its stored name."""
_KINDS = {
    "m": ("_momentums", "momentums", "_m"),
    "v": ("_velocities", "_v"),
    "u": ("_u",),
    "vhat": ("_velocity_hats",),
    "velocity": ("_velocities",),
    "momentum": ("_momentums", "momentums"),
    "average_gradient": ("_average_gradients",),
    "accumulator": ("_accumulators",),
    "accumulated_grad": ("_accumulated_grads",),
    "accumulated_delta_var": ("_accumulated_delta_vars",),
    "linear": ("_linears",),
    "average": ("_averages",),
}
"""The same, for slots that are known by the names of their variables only."""
_LISTS = {"_model_variables_moving_average": "_averages", "_accumulator": "_accumulators", "_linear": "_linears"}
_COUNTERS = ("_iterations", "iter", "iterations")
_RATES = ("_learning_rate", "learning_rate")
_NUMBERS = ("beta_1", "beta_2", "momentum", "rho", "decay", "epsilon")


class OptimizerMatch:
    """One optimizer of the program and the stored one that it was paired with.

    Args:
        optimizer: the optimizer.
        number: number of the stored object.
        root: where to look for the model that it trains.
    """

    def __init__(self, optimizer: Any, number: int, root: Any) -> None:
        self.optimizer = optimizer
        self.number = number
        self.root = root
        self.taken: set[str] = set()
        self._numbers: dict[str, str] = {}
        self._product: str | None = None

    def pairs(self, restoration: Any) -> Iterator[tuple[Variable, str]]:
        """Variables of the optimizer with the keys of their values; builds the optimizer if it can."""
        nodes = restoration.nodes
        node = nodes[self.number]
        named = {child.local_name: child.node_id for child in node.children}
        for name, number in named.items():
            key = _key(nodes[number])
            if key is not None:
                yield from self._single(name, key)
        if node.slot_variables:
            yield from self._tied(node, nodes, restoration)
        else:
            yield from self._listed(named, nodes, restoration)
        for name, child in children(self.optimizer):
            # An optimizer inside another, as for loss scaling.
            if isinstance(child, Optimizer) and (inner := _first(named, name, "_optimizer", "base_optimizer")):
                yield from OptimizerMatch(child, inner, self.root).pairs(restoration)

    def _single(self, name: str, key: str) -> Iterator[tuple[Variable, str]]:
        self.taken.add(key)
        if name in _COUNTERS:
            yield self.optimizer._iterations, key
        elif name in _RATES:
            rate = vars(self.optimizer).get("_learning_rate")
            if isinstance(rate, Variable):
                yield rate, key
        elif name in _NUMBERS:
            self._numbers[name] = key
        else:
            own = vars(self.optimizer).get({"current_loss_scale": "dynamic_scale", "good_steps": "step_counter"}
                                           .get(name, name))  # fmt: skip
            if isinstance(self.optimizer, Nadam) and name in ("_u_product", "momentum_cache"):
                self._product = key
            elif isinstance(own, Variable):
                yield own, key

    def _tied(self, node: Message, nodes: list[Message], restoration: Any) -> Iterator[tuple[Variable, str]]:
        found = []
        for slot in node.slot_variables:
            variable = restoration.variable_at(slot.original_variable_node_id)
            key = _key(nodes[slot.slot_variable_node_id])
            if key is not None and variable is not None:
                found.append((variable, slot.slot_name, key))
        if not self._build([variable for variable, _, _ in found]):
            return
        for variable, kind, key in found:
            own = self._slot(variable, _SLOTS.get(kind, (f"_{kind}s", f"_{kind}")))
            if own is not None:
                self.taken.add(key)
                yield own, key

    def _listed(self, named: dict[str, int], nodes: list[Message], restoration: Any) -> Iterator[tuple[Variable, str]]:
        lists: dict[str, dict[int, int]] = {}
        for name, number in named.items():
            if name in ("_variables", "_index_dict") or _key(nodes[number]) is not None:
                continue
            places = {int(c.local_name): c.node_id for c in nodes[number].children if c.local_name.isdigit()}
            if places:
                lists[_LISTS.get(name, name)] = places
        if not lists:
            lists = _by_kind(named, nodes)
        if not lists:
            return
        variables = self._owners(lists, nodes, restoration)
        if not self._build([v for v in variables.values() if v is not None]):
            return
        for name, places in lists.items():
            for place, number in places.items():
                key, variable = _key(nodes[number]), variables.get(place)
                attributes = _KINDS.get(name, (name, name.lstrip("_"), f"_{name}"))
                own = None if variable is None else self._slot(variable, attributes)
                if key is not None and own is not None:
                    self.taken.add(key)
                    yield own, key

    def _owners(
        self, lists: dict[str, dict[int, int]], nodes: list[Message], restoration: Any
    ) -> dict[int, Variable | None]:
        """Variable that each place in the slot lists belongs to."""
        by_name: dict[str, list[int]] = {}
        for number, node in enumerate(nodes):
            for attribute in node.attributes:
                by_name.setdefault(attribute.full_name, []).append(number)
        places = max(lists.values(), key=len)
        named: dict[int, Variable] = {}
        for place, number in places.items():
            attributes = nodes[number].attributes
            rest = attributes[0].full_name.split("/", 2) if attributes else []
            candidates = by_name.get(rest[2], []) if len(rest) == 3 else []
            variable = restoration.variable_at(candidates[0]) if len(candidates) == 1 else None
            if variable is not None:
                named[place] = variable
        if len(named) == len(places) and len({id(v) for v in named.values()}) == len(named):
            return dict(named)
        if not _all_built(self.root):
            # Later, when all variables exist, their names or at least their number will tell.
            return dict(named) if self.optimizer.built else {}
        order = self._order(len(places))
        return {place: order[place] if place < len(order) else None for place in places} if order else dict(named)

    def _order(self, count: int) -> list[Variable]:
        """Trainable variables in stored order, of the model that this optimizer trains."""
        for item in reachable(self.root):
            if isinstance(item, Model) and (item.optimizer is self.optimizer or item is not self.root):
                order = slot_order(item)
                if len(order) == count:
                    return order
        return list(self.optimizer._trainable_variables)

    def _build(self, variables: list[Variable]) -> bool:
        """Make sure that slots exist; False if it is too early for that."""
        optimizer = self.optimizer
        if optimizer.built:
            return True
        if not _all_built(self.root):
            return False
        for item in reachable(self.root):
            if isinstance(item, Model) and getattr(item, "optimizer", None) is optimizer:
                variables = item.trainable_variables
        if not variables:
            return False
        vars(optimizer).pop("build", None)
        optimizer.build(_in_model_order(self.root, variables))
        return True

    def _slot(self, variable: Variable, attributes: tuple[str, ...]) -> Variable | None:
        place = self.optimizer._indices.get(variable)
        for attribute in attributes:
            slots = vars(self.optimizer).get(attribute)
            if isinstance(slots, list) and place is not None and place < len(slots):
                return slots[place]
        return None

    def finish(self, restoration: Any) -> None:
        """Hyperparameters that are plain numbers here, and what follows from the step count."""
        for name, key in self._numbers.items():
            before = vars(self.optimizer).get(name)
            if isinstance(before, (int, float)) and not isinstance(before, bool):
                now = float(restoration.bundle.read(key))
                if np.float32(before) != np.float32(now):
                    setattr(self.optimizer, name, now)
        self._numbers = {}
        if isinstance(self.optimizer, Nadam) and self.optimizer.built:
            # The product stands in few files, and follows from the number of steps. Some writers multiplied it once
            # per variable instead of once per step: their training goes on from what they stored.
            product = self.optimizer.product_after(int(self.optimizer._iterations))
            stored = restoration.bundle.read(self._product) if self._product is not None else product
            variable = self.optimizer._u_product
            restoration.restored[id(variable)] = variable
            variable.assign(stored if 0 <= stored <= product * 1.001 else product)


def _all_built(root: Any) -> bool:
    return all(item.built for item in reachable(root) if isinstance(item, Layer))


def _by_kind(named: dict[str, int], nodes: list[Message]) -> dict[str, dict[int, int]]:
    """Slots by kind, from names ``Optimizer/kind/variable``, where only the list of all variables is stored.

    That is so in files of a program that restored its optimizer and never trained.
    """
    lists: dict[str, dict[int, int]] = {}
    if "_variables" not in named:
        return lists
    listed = [c for c in nodes[named["_variables"]].children if c.local_name.isdigit()]
    for child in sorted(listed, key=lambda child: int(child.local_name)):
        attributes = nodes[child.node_id].attributes
        parts = attributes[0].full_name.split("/", 2) if attributes else []
        if len(parts) == 3 and parts[1] in _KINDS:
            slots = lists.setdefault(parts[1], {})
            slots[len(slots)] = child.node_id
    return lists


def _first(named: dict[str, int], *names: str) -> int | None:
    return next((named[name] for name in names if name in named), None)


def _key(node: Message) -> str | None:
    return next((a.checkpoint_key for a in node.attributes if a.name == "VARIABLE_VALUE"), None)


def _in_model_order(root: Any, variables: list[Variable]) -> list[Variable]:
    """Variables in the order of the model that holds them all, if there is one."""
    wanted = {id(v) for v in variables}
    for item in reachable(root):
        if isinstance(item, Model) and item.built:
            order = item.trainable_variables
            if wanted == {id(v) for v in order}:
                return list(order)
    return variables
