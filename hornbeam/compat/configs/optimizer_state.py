"""Stored optimizer states, in whatever order their writer kept them, onto the variables of today's optimizers.

Three orders exist: all arrays of one slot after another (slot by slot), all slots of one weight after another
(weight by weight), and the latter in groups. They are told apart by the shapes, and by names where shapes leave it
open.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from hornbeam.compat.configs.generation import version_tuple

__all__ = ["optimizer_state"]

Pairs = list[tuple[Any, np.ndarray]]


def optimizer_state(optimizer: Any, arrays: list[np.ndarray], names: list[str], info: dict[str, Any]) -> Pairs | None:
    """Pairs of an optimizer's variable and the array that belongs to it; ``None`` if the arrays do not fit.

    Args:
        optimizer: built for the model's trainable variables.
        arrays: as stored.
        names: their names in the file; may be empty.
        info: ``variables``, the model's trainable variables; where known ``version``, ``backend``, and
            ``weight_names``, the file's name of each variable by its ``id``.
    """
    own = optimizer.variables
    version = version_tuple(info.get("version"))
    if version[:1] == (3,) and [array.shape for array in arrays] == [tuple(one.shape) for one in own]:
        return list(zip(own, arrays, strict=True))
    scalars, slots = _split(arrays, names)
    pairs = _scalar_pairs(optimizer, scalars)
    if pairs is None:
        return None
    variables = list(info["variables"])
    if not variables or not hasattr(optimizer, "slot_groups"):
        return pairs if not slots else None
    slot_names = names[len(arrays) - len(slots) :]
    averages, slots, slot_names = _averages(optimizer, variables, slots, slot_names)
    found = None
    for order in _orders(variables, info, version):
        found = _slots(optimizer, order, slots, slot_names, version)
        if found is not None:
            break
    if found is None:
        found = _uneven(optimizer, variables, slots)
    if found is None:
        return None
    _restore_product(optimizer, scalars, pairs, info)
    return pairs + averages + found


# --- counters ------------------------------------------------------------------------------------
def _split(arrays: list[np.ndarray], names: list[str]) -> tuple[list[tuple[str, np.ndarray]], list[np.ndarray]]:
    """Scalars in front, with their names, and the rest."""
    count = 0
    for index, array in enumerate(arrays):
        if array.shape != () or index >= 4:
            break
        count += 1
    known = [*names[:count], *[""] * (count - len(names[:count]))]
    return list(zip(known, arrays[:count], strict=True)), arrays[count:]


def _scalar_pairs(optimizer: Any, scalars: list[tuple[str, np.ndarray]]) -> Pairs | None:
    pairs: Pairs = []
    rate = getattr(optimizer, "_learning_rate", None)
    for index, (name, array) in enumerate(scalars):
        if index == 0:
            pairs.append((optimizer._iterations, np.asarray(array).astype(np.int64)))
        elif hasattr(rate, "assign") and ("learning_rate" in name or (not name and index == 1)):
            pairs.append((rate, array))
        # Others (a schedule's running product) are computed anew.
    return pairs


def _restore_product(optimizer: Any, scalars: list[tuple[str, np.ndarray]], pairs: Pairs, info: dict) -> None:
    """Nadam's product of its momentum schedule stands in no file, but follows from the number of steps.

    The optimizers of TensorFlow 2.11 and later, whose state begins with the count alone, multiplied it once per
    weight and step; from there their training went on.
    """
    variable = getattr(optimizer, "_u_product", None)
    if variable is None or not scalars:
        return
    times = 1
    known = version_tuple(info.get("version"))
    per_weight = scalars[0][0].split(":")[0] == "iteration" or (not scalars[0][0] and not known)
    if len(scalars) == 1 and per_weight and known[:1] in ((), (2,)):
        times = len(info["variables"])
    pairs.append((variable, np.asarray(optimizer.product_after(int(scalars[0][1]), times))))


# --- slots ---------------------------------------------------------------------------------------
def _orders(variables: list[Any], info: dict[str, Any], version: tuple[int, ...]) -> list[list[Any]]:
    """Orders in which the writer may have listed the weights, the likeliest first."""
    names = info.get("weight_names") or {}
    orders = [variables]
    if version[:1] in ((1,), ()) and all(id(one) in names for one in variables):
        # The first generation sorted the weights that it trained by name.
        orders.insert(0, sorted(variables, key=lambda one: names[id(one)]))
    return orders


def _slots(
    optimizer: Any, order: list[Any], arrays: list[np.ndarray], names: list[str], version: tuple
) -> Pairs | None:
    shapes = [tuple(one.shape) for one in order]
    count = len(order)
    slots = [slot for group in optimizer.slot_groups() for slot in group]
    if not arrays:
        return []
    if len(arrays) % count:
        return None
    stored = len(arrays) // count
    given = [array.shape for array in arrays]
    # A slot that was never used is stored with one element per weight.
    while stored > len(slots) and stored > 1 and all(shape in ((1,), ()) for shape in given[(stored - 1) * count :]):
        stored -= 1
        given, arrays = given[: stored * count], arrays[: stored * count]
    by_slot = given == shapes * stored
    by_weight = given == [shape for shape in shapes for _ in range(stored)]
    grouped = _grouped(optimizer, shapes, given)
    if not (by_slot or by_weight or grouped):
        return None
    if by_slot and (by_weight or grouped):
        slotwise = _is_slot_by_slot(names, version)
        by_slot, by_weight, grouped = slotwise, by_weight and not slotwise, grouped and not slotwise
    if by_slot:
        columns = [arrays[index * count : (index + 1) * count] for index in range(stored)]
    elif grouped:
        columns = _columns_of_groups(optimizer, arrays, count)
    else:
        columns = [arrays[index::stored] for index in range(stored)]
    if len(columns) < len(slots):
        return None
    return [
        pair
        for slot, column in zip(slots, _match(slots, columns, names, count, by_slot), strict=True)
        for pair in _assign(optimizer, slot, order, column)
    ]


def _averages(
    optimizer: Any, variables: list[Any], arrays: list[np.ndarray], names: list[str]
) -> tuple[Pairs, list[np.ndarray], list[str]]:
    """The moving averages of the weights, one array per weight in front of the slots; and what follows them."""
    if not getattr(optimizer, "use_ema", False):
        return [], arrays, names
    own = [optimizer._averages[optimizer._indices[one]] for one in variables]
    count = len(own)
    if [array.shape for array in arrays[:count]] != [tuple(one.shape) for one in variables]:
        return [], arrays, names
    if names:
        are_averages = _slot_word(names[0]) == "average"
    else:
        slots = sum(len(group) for group in optimizer.slot_groups())
        are_averages = len(arrays) == count * (1 + slots) or _uneven(optimizer, variables, arrays[count:]) is not None
    if not are_averages:
        return [], arrays, names
    pairs = [pair for pair in zip(own, arrays[:count], strict=True) if pair[0] is not None]
    return pairs, arrays[count:], names[count:]


def _uneven(optimizer: Any, order: list[Any], arrays: list[np.ndarray]) -> Pairs | None:
    """Weight by weight, where some weights have fewer slots: those that hold no array here are stored nowhere."""
    slots = [slot for group in optimizer.slot_groups() for slot in group]
    places = [getattr(optimizer, slot.attribute)[optimizer._indices[one]] for one in order for slot in slots]
    own = [place for place in places if place is not None and tuple(place.shape) != ()]
    if [tuple(one.shape) for one in own] != [array.shape for array in arrays]:
        return None
    return list(zip(own, arrays, strict=True))


def _grouped(optimizer: Any, shapes: list[tuple], given: list[tuple]) -> bool:
    groups = optimizer.slot_groups()
    return len(groups) > 1 and given == [shape for group in groups for shape in shapes for _ in group]


def _columns_of_groups(optimizer: Any, arrays: list[np.ndarray], count: int) -> list[list[np.ndarray]]:
    columns, start = [], 0
    for group in optimizer.slot_groups():
        part = arrays[start : start + count * len(group)]
        start += len(part)
        columns += [part[index :: len(group)] for index in range(len(group))]
    return columns


def _is_slot_by_slot(names: list[str], version: tuple[int, ...]) -> bool:
    """Decide by names where all weights have the same shape."""
    if len(names) > 1:
        kinds = [_slot_word(name) for name in names[:2]]
        if all(kinds):
            return kinds[0] == kinds[1]
    return version[:1] != (3,)


_WORDS = (
    "m", "v", "vhat", "momentum", "velocity", "velocity_hat", "rms", "mg", "accumulator", "accum_grad",
    "accum_var", "u",
    "accumulated_grad", "accumulated_delta_var", "average_gradient", "average",
)  # fmt: skip


def _slot_word(name: str) -> str | None:
    """The word that names the slot: the last part of the name, or the second, or what it ends with."""
    parts = name.split(":")[0].split("/")
    for part in (parts[-1], parts[1] if len(parts) > 2 else ""):
        plain = re.sub(r"_\d+$", "", part)
        if plain in _WORDS:
            return plain
    ending = [word for word in _WORDS if len(word) > 2 and parts[-1].endswith("_" + word)]
    return max(ending, key=len) if ending else None


_SAME = {
    "momentum": ("momentum", "m"),
    "velocity": ("velocity", "v", "rms"),
    "velocity_hat": ("velocity_hat", "vhat"),
    "norm": ("velocity", "v", "u", "norm"),
    "average_gradient": ("average_gradient", "mg"),
}


def _match(slots: list[Any], columns: list[list], names: list[str], count: int, by_slot: bool) -> list[list]:
    """A column for each slot: by the stored names if these say it, else by position."""
    if not by_slot or len(names) < len(columns) * count:
        return columns[: len(slots)]
    words = [_slot_word(names[index * count]) for index in range(len(columns))]
    chosen = []
    for position, slot in enumerate(slots):
        wanted = _SAME.get(slot.name, (slot.name,))
        place = next((index for index, word in enumerate(words) if word in wanted), position)
        chosen.append(columns[place])
    return chosen


def _assign(optimizer: Any, slot: Any, order: list[Any], column: list[np.ndarray]) -> Pairs:
    own = getattr(optimizer, slot.attribute)
    return [
        (own[optimizer._indices[variable]], array)
        for variable, array in zip(order, column, strict=True)
        if own[optimizer._indices[variable]] is not None
    ]
