"""Stored arrays into the objects of a model: first everything is compared, then everything is set."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from hornbeam.base import registry
from hornbeam.core.conversion import copy_array
from hornbeam.core.tensor import from_host
from hornbeam.core.variable import Variable, commit_all, lend_all, read_all
from hornbeam.engine.jax_compat import wide_types
from hornbeam.engine.memory import ALIGNMENT
from hornbeam.keras.layers import Layer
from hornbeam.keras.layers.base import tracking
from hornbeam.keras.optimizers import Optimizer
from hornbeam.saving.numbered import loads_by_number
from hornbeam.saving.quantized import dequantized
from hornbeam.saving.sources import Source, StoredObject
from hornbeam.saving.texts import printable
from hornbeam.saving.walk import walk

__all__ = ["Staged", "restore", "to_device"]

SIDE_STATE = "hornbeam_state"
"""Group of what other programs do not keep: the states of random generators."""


def to_device(array: np.ndarray, variable: Variable) -> Any:
    """A host array as the array of a variable."""
    wanted = variable._dtype.as_numpy_dtype
    host = np.asarray(array).astype(wanted, copy=False)
    if host.dtype.kind in "SUO":
        return from_host(host)._value
    if _is_own_block(host):
        # Nobody else has this memory; on the CPU it becomes the array itself.
        with wide_types(True):
            return jax.device_put(host).block_until_ready()
    # The copy runs beside us; waiting for it lets the host's array go before the next one is read.
    return copy_array(host).block_until_ready()


def _is_own_block(host: np.ndarray) -> bool:
    """Whether an array is the whole of what ``aligned_empty`` gave."""
    block = host.base
    if type(block) is not np.ndarray or not block.flags.owndata or not host.flags.c_contiguous:
        return False
    return host.nbytes > 0 and block.nbytes == host.nbytes + ALIGNMENT and host.ctypes.data % ALIGNMENT == 0


class Staged:
    """Values that are about to be set; until ``commit`` nothing has changed."""

    def __init__(self) -> None:
        self._pairs: list[tuple[Variable, Any]] = []
        self._loaders: list[tuple[Any, Any]] = []
        self._finish: list[Callable[[], None]] = []

    def put(self, variable: Variable, array: np.ndarray) -> None:
        """Note the new value of a variable."""
        self._pairs.append((variable, to_device(array, variable)))

    def call(self, item: Any, store: Any) -> None:
        """Note an object that reads its arrays by itself."""
        self._loaders.append((item, store))

    def after(self, function: Callable[[], None]) -> None:
        """Note what is to be done when all values are set."""
        self._finish.append(function)

    def commit(self) -> None:
        """Set all values at once; objects that read for themselves come first, and are undone if one of them fails."""
        touched = [variable for item, _ in self._loaders for variable in getattr(item, "variables", [])]
        lend_all(touched)
        before = read_all(touched)
        try:
            for item, store in self._loaders:
                item.load_own_variables(store)
        except BaseException:
            commit_all(touched, before)
            raise
        commit_all([variable for variable, _ in self._pairs], [array for _, array in self._pairs])
        for variable, _ in self._pairs:
            variable.__dict__.pop("_pending", None)
        for function in self._finish:
            function()


def restore(
    model: Any, source: Source, *, skip_mismatch: bool = False, with_optimizer: bool = True, skipped: Any = ()
) -> None:
    """Give all objects of a model their stored variables; the model changes only if everything fits.

    Args:
        model: the model.
        source: where the arrays are.
        skip_mismatch: leave out, with a warning that lists them, what does not fit.
        with_optimizer: restore the optimizer's state too.
        skipped: objects that keep their values.

    Raises:
        ValueError: listing every object whose variables do not fit.
    """
    staged, problems = Staged(), []
    items = _items(model, source)
    for path, item in items:
        if any(item is one for one in skipped):
            continue
        if not hasattr(item, "load_own_variables") or (path.split("/")[0] == "optimizer" and not with_optimizer):
            continue
        problem = _stage(staged, item, source.at(path), path, model)
        if problem is not None:
            problems.append(problem)
    unclaimed = _unclaimed(source, {path for path, _ in items})
    if problems and not skip_mismatch:
        listing = "\n  ".join([*problems, *unclaimed])
        raise ValueError(
            f"{source.name}: {len(problems)} of the model's objects do not fit what is stored; nothing was loaded.\n"
            f"  {listing}\n  fix:      build the same architecture, or pass skip_mismatch=True to load the rest"
        )
    if problems or unclaimed:
        listing = "\n  ".join([*problems, *unclaimed])
        warnings.warn(f"{source.name}: not everything was loaded:\n  {listing}", stacklevel=3)
    staged.commit()


def _items(model: Any, source: Source) -> list[tuple[str, Any]]:
    """The model's objects under the paths that the file uses: programs differ in how they count and name them."""
    known = {path for path in source.paths() if not path.startswith(_SIDE)}
    counted = list(walk(model))
    if not known:
        return counted
    fresh = list(walk(model, count_repeats=False))
    ways = [counted] if [path for path, _ in counted] == [path for path, _ in fresh] else [counted, fresh]
    for other in (walk(model, by_attributes=True), walk(model, count_repeats=False, backwards=True)):
        way = list(other)
        ways += [way] if [path for path, _ in counted] != [path for path, _ in way] else []
    ways = [_renamed(way, known) for way in ways]
    return ways[0] if len(ways) == 1 else max(ways, key=lambda way: sum(_fits(item, source.at(p)) for p, item in way))


def _fits(item: Any, store: StoredObject) -> bool:
    """Whether the arrays of a layer are those stored."""
    if not isinstance(item, Layer) or not len(store):
        return False
    own = tracking.own_variables(item)
    return not _is_plain(item, Layer) or [tuple(one.shape) for one in own] == list(store.shapes.values())


def _renamed(items: list[tuple[str, Any]], known: set[str]) -> list[tuple[str, Any]]:
    """Paths with underscores where only the file has them: some programs had no public name for inner layers."""
    if all(path in known for path, item in items if isinstance(item, Layer) and tracking.own_variables(item)):
        return items
    parents = {"/".join(path.split("/")[:place]) for path in known for place in range(1, path.count("/") + 2)}
    new: dict[str, str] = {"": ""}
    found = []
    for path, item in items:
        parent, _, last = path.rpartition("/")
        current = f"{new.get(parent, parent)}/{last}".lstrip("/")
        other = f"{new.get(parent, parent)}/_{last}".lstrip("/")
        new[path] = other if current not in parents and other in parents else current
        found.append((new[path], item))
    return found


_SIDE = (SIDE_STATE, "optimizer", "metrics", "loss_tracker", "_metrics")


def _unclaimed(source: Source, paths: set[str]) -> list[str]:
    extra = [path for path in source.paths() if path not in paths and not path.startswith(_SIDE)]
    early = {path for path in extra if path.startswith("_layer_checkpoint_dependencies")}
    return [
        f"{printable(path) or 'root'}: stored, but the model has no such object" for path in extra if path not in early
    ]


def _stage(staged: Staged, item: Any, store: StoredObject, path: str, model: Any) -> str | None:
    """Prepare one object, or say why it does not fit."""
    where = f"{printable(path) or 'model'} ({type(item).__name__} {printable(getattr(item, 'name', ''))!r})"
    if isinstance(item, Optimizer) and _is_plain(item, Optimizer):
        return _stage_optimizer(staged, item, store, model)
    if isinstance(item, Layer) and _is_plain(item, Layer):
        own = tracking.own_variables(item)
        if not own and not len(store):
            return None
        if not item.built and not own:
            return f"{where}: not built yet, so its {len(store)} stored variables have no place"
        problem = _compare({str(index): tuple(one.shape) for index, one in enumerate(own)}, store.shapes)
        arrays = dequantized([tuple(one.shape) for one in own], store) if problem is not None else None
        if arrays is not None:
            for variable, array in zip(own, arrays, strict=True):
                staged.put(variable, array)
            return None
        if problem is not None:
            names = [variable.name for variable in own]
            return f"{where} with variables {names}: {problem}"
        for index, variable in enumerate(own):
            staged.put(variable, store[str(index)])
        return None
    if not len(store) and not getattr(item, "variables", None):
        return None
    probe: dict[str, Any] = {}
    if hasattr(item, "save_own_variables"):
        item.save_own_variables(probe)
        problem = _compare({name: tuple(np.shape(value)) for name, value in probe.items()}, store.shapes)
        if problem is not None and not isinstance(item, Layer):
            # A metric that other programs do not store keeps its value.
            return None if not len(store) else f"{where}: {problem}"
        if problem is not None and _same_names(probe, store):
            return f"{where}: {problem}"
    staged.call(item, store)
    return None


def _is_plain(item: Any, base: type) -> bool:
    """Whether an object reads its arrays in the standard way of its family, by number."""
    return type(item).load_own_variables is base.load_own_variables or (base is Layer and loads_by_number(item))


def _same_names(own: dict[str, Any], store: StoredObject) -> bool:
    return set(own) == set(store)


def _compare(own: dict[str, tuple], stored: dict[str, tuple]) -> str | None:
    if set(own) != set(stored):
        return f"expected {len(own)} arrays {list(own)}, stored are {len(stored)}: {list(map(printable, stored))}"
    wrong = [
        f"array {name}: expected shape {shape}, stored {stored[name]}"
        for name, shape in own.items()
        if tuple(stored[name]) != tuple(shape)
    ]
    return "; ".join(wrong) or None


def _stage_optimizer(staged: Staged, optimizer: Any, store: StoredObject, model: Any) -> str | None:
    """The state of an optimizer. One that was saved before its first step has no slots and starts anew."""
    own = optimizer.variables
    if not len(store):
        return None
    if _compare({str(index): tuple(one.shape) for index, one in enumerate(own)}, store.shapes) is None:
        for index, variable in enumerate(own):
            staged.put(variable, store[str(index)])
        return None
    if not optimizer.built:
        warnings.warn(
            f"The stored state of optimizer '{optimizer.name}' ({len(store)} arrays) is left out, because the "
            "optimizer of this model is not built yet. To go on training from it, call "
            "`model.optimizer.build(model.trainable_variables)` before loading; or load a whole model (`.keras`).",
            stacklevel=5,
        )
        return None
    arrange = registry.find("configs", "optimizer state") if "optimizer state" in registry.names("configs") else None
    arranged = (
        arrange(optimizer, [store[name] for name in store], [], {"variables": model.trainable_variables})
        if arrange
        else None
    )
    if arranged is None:
        if len(store) > 2:
            shapes = list(store.shapes.values())
            warnings.warn(
                f"The stored state of optimizer '{optimizer.name}' ({len(store)} arrays of shapes {shapes[:6]} "
                "...) does "
                f"not fit its {len(own)} variables; it starts anew.",
                stacklevel=5,
            )
        return None
    for variable, array in arranged:
        staged.put(variable, array)
    return None
