"""Weights in HDF5, in the layout of Keras's ``.weights.h5`` files: arrays under the path of their object."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import h5py
import numpy as np

from hornbeam.base.errors import FileFormatError
from hornbeam.core.variable import Variable
from hornbeam.keras.layers import Layer
from hornbeam.keras.layers.base.tracking import own_variables
from hornbeam.keras.optimizers import Optimizer
from hornbeam.saving.atomic import atomic_file, is_alive
from hornbeam.saving.h5_file import atomic_h5, write_array
from hornbeam.saving.numbered import host_view, saves_by_number
from hornbeam.saving.restore import SIDE_STATE
from hornbeam.saving.sources import shard_names
from hornbeam.saving.texts import parse_json
from hornbeam.saving.walk import walk

__all__ = ["Entry", "entries", "own_arrays", "random_states", "write_entries", "write_shards"]


class Entry(NamedTuple):
    """One object's arrays: the path of the object, its name, and its arrays by name."""

    path: str
    name: str | None
    arrays: dict[str, np.ndarray]


def entries(model: Any, *, with_optimizer: bool = True, with_random: bool = False) -> Iterator[Entry]:
    """What a weights file holds of a model, object by object; each array is of the moment when it is reached.

    Args:
        model: the model.
        with_optimizer: include the optimizer's state.
        with_random: include the states of random generators, which other programs pass over.
    """
    for path, item in walk(model):
        if with_optimizer or path.split("/")[0] != "optimizer":
            yield Entry(f"{path}/vars" if path else "vars", getattr(item, "name", None), own_arrays(item))
    states = random_states(model) if with_random else []
    if states:
        yield Entry(SIDE_STATE, None, {str(index): np.asarray(variable) for index, variable in enumerate(states)})


def write_entries(found: Iterable[Entry], file: h5py.File) -> None:
    """Put arrays into an open, empty file."""
    for entry in found:
        group = file.create_group(entry.path)
        if entry.name:
            group.attrs["name"] = entry.name
        for name, array in entry.arrays.items():
            write_array(group, name, array)


def own_arrays(item: Any) -> dict[str, np.ndarray]:
    """The arrays that an object stores for itself, as of now; nobody may change them."""
    if isinstance(item, Layer) and saves_by_number(item):
        return {str(index): host_view(variable) for index, variable in enumerate(own_variables(item))}
    if isinstance(item, Optimizer) and type(item).save_own_variables is Optimizer.save_own_variables:
        return {str(index): host_view(variable) for index, variable in enumerate(item.variables)}
    store: dict[str, Any] = {}
    if hasattr(item, "save_own_variables"):
        item.save_own_variables(store)
    return {str(name): np.asarray(value) for name, value in store.items()}


def random_states(model: Any) -> list[Variable]:
    """States of the random generators of all layers of a model, in order."""
    weights = {id(weight) for weight in model.weights}
    return [variable for variable in model.variables if id(variable) not in weights]


# --- several files -------------------------------------------------------------------------------
def write_shards(model: Any, path: str, max_bytes: int) -> None:
    """Write weights into parts of at most ``max_bytes`` (a larger array has a part of its own), and an index of them.

    Args:
        model: the model.
        path: the index, ``NAME.weights.json``; the parts are ``NAME_00000.weights.h5`` and so on beside it.
        max_bytes: size of the arrays in one part.
    """
    stem = path.removesuffix(".weights.json")
    old = _parts_of(path)
    # Parts that an index names are not touched before a new index stands: a crash leaves the old set whole.
    tag = f"_{os.getpid()}-{os.urandom(4).hex()}" if old else ""
    parts: list[list[Entry]] = [[]]
    weight_map: dict[str, list[str]] = {}
    filled = total = 0

    def part_name() -> str:
        return f"{os.path.basename(stem)}{tag}_{len(parts) - 1:05d}.weights.h5"

    def flush() -> None:
        nonlocal filled
        _write_part(os.path.join(os.path.dirname(stem), part_name()), parts[-1])
        # The arrays are on disk: only the number of the part is still needed.
        parts[-1] = []
        parts.append([])
        filled = 0

    for found in entries(model):
        entry = Entry(found.path, found.name, {})
        parts[-1].append(entry)
        places = weight_map.setdefault(f"/{found.path}", [part_name()])
        for name, array in found.arrays.items():
            if filled and filled + array.nbytes > max_bytes:
                flush()
                entry = Entry(found.path, found.name, {})
                parts[-1].append(entry)
                places.append(part_name())
            entry.arrays[name] = array
            filled += array.nbytes
            total += array.nbytes
    if any(part for part in parts[-1]):
        flush()
    # The index comes last: until it is there, the old index with the old parts, or none, is what a reader sees.
    index: dict[str, Any] = {name: names[0] if len(names) == 1 else names for name, names in weight_map.items()}
    with atomic_file(path) as file:
        file.write(json.dumps({"metadata": {"total_size": total}, "weight_map": index}, indent=4).encode("utf-8"))
    folder = os.path.dirname(os.path.abspath(path))
    for name in [*old, *_of_dead_processes(folder, os.path.basename(stem))]:
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(folder, name))


def _of_dead_processes(folder: str, stem: str) -> list[str]:
    """Parts, whole or half, that a process wrote which died before its index stood."""
    pattern = re.compile(rf"\.?{re.escape(stem)}_(\d+)-[0-9a-f]{{8}}_\d+\.weights\.h5(\.\d+-[0-9a-f]{{8}}\.tmp)?")
    found = [(name, pattern.fullmatch(name)) for name in os.listdir(folder)]
    named = set(_parts_of(os.path.join(folder, f"{stem}.weights.json")))
    return [
        name
        for name, match in found
        if match is not None and name not in named and int(match[1]) != os.getpid() and not is_alive(int(match[1]))
    ]


def _parts_of(path: str) -> list[str]:
    """Parts of the set of files that is about to be replaced, if they are named as ours are."""
    try:
        with open(path, "rb") as file:
            names = shard_names(parse_json(file.read(), path), path)
    except (OSError, FileFormatError):
        return []
    stem = os.path.basename(path).removesuffix(".weights.json")
    return [name for name in names if name.startswith(stem) and name.endswith(".weights.h5")]


def _write_part(path: str, found: list[Entry]) -> None:
    with atomic_h5(path) as target:
        write_entries(found, target)
