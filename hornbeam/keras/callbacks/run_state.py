"""The whole state of a training run as plain data: variables, random numbers, callbacks, the place in the data."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable
from typing import Any

import jax
import numpy as np

from hornbeam.base.errors import ResumeError
from hornbeam.base.notices import warn
from hornbeam.base.plain_state import is_plain, pack
from hornbeam.core.random_state import is_global_state, random_state, set_random_state
from hornbeam.core.variable import Variable, commit_lock
from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.callbacks.monitor_callback import MonitorCallback
from hornbeam.keras.layers.base import tracking
from hornbeam.keras.optimizers import Optimizer

_OF_THE_LOOP = ("params", "_model", "resuming", "batch_interval")
_LARGE_BYTES = 1 << 24
_NUMBER = re.compile(r"_\d+")


def loop_of(model: Any) -> Any:
    """The training loop that runs a model now, or None."""
    return getattr(getattr(model, "_training", None), "loop", None)


# --- variables -----------------------------------------------------------------------------------
def variables_of(model: Any) -> list[Variable]:
    """Everything that a training step may change, each variable once, in an order that the model's code fixes."""
    found: dict[int, Variable] = {}

    def add(variables: Iterable[Any]) -> None:
        for variable in variables:
            if isinstance(variable, Variable) and not is_global_state(variable):
                found.setdefault(id(variable), variable)

    add(model.variables)
    for optimizer in _optimizers(model):
        add(optimizer.variables)
    add(model.metrics_variables)
    for runner in ("train", "test"):
        for program in model._runner(runner).programs():
            add(program.state)
    return list(found.values())


def _optimizers(model: Any) -> list[Any]:
    found = [] if model.optimizer is None else [model.optimizer]
    found += [one for one in tracking.members(model, Optimizer) if all(one is not other for other in found)]
    if model.optimizer is not None and not model.optimizer.built and model.trainable_variables:
        model.optimizer.build(model.trainable_variables)
    return found


def read_variables(variables: list[Variable]) -> list[np.ndarray]:
    """Values on the host."""
    with commit_lock:
        return [np.asarray(array) for array in jax.device_get([variable.read_array() for variable in variables])]


def _described(variables: list[Variable]) -> list[list[Any]]:
    """Last part of the name, shape and dtype; names without the numbers that each new model gets."""
    return [[_NUMBER.sub("", one.path.rsplit("/", 1)[-1]), list(one.shape), one.dtype.name] for one in variables]


def plain_logs(logs: dict[str, Any]) -> dict[str, Any]:
    """Logs as NumPy arrays, with the dtype they have."""
    return {name: np.asarray(value) for name, value in logs.items()}


# --- callbacks -----------------------------------------------------------------------------------
class Remembered:
    """What the callbacks (or a source of data) held when training began, to know what changed since.

    Args:
        items: objects whose attributes are looked at.
    """

    def __init__(self, items: Iterable[Any]) -> None:
        self.items = list(items)
        self._before = [{name: _mark(value) for name, value in _attributes(item).items()} for item in self.items]
        self._told: set[tuple[int, str]] = set()

    def states(self) -> list[dict[str, Any]]:
        """For each object its class and its state."""
        return [
            {"class": type(item).__name__, "state": self._state(number, item)} for number, item in enumerate(self.items)
        ]

    def _state(self, number: int, item: Any) -> dict[str, Any]:
        state = _own_state(item)
        if not _is_generic(item):
            return state
        before = self._before[number]
        for name, value in _attributes(item).items():
            if name in state or (name in before and before[name] == _mark(value)):
                continue
            if is_plain(value):
                state[name] = value
            elif (number, name) not in self._told and not isinstance(item, MonitorCallback) and name not in before:
                self._told.add((number, name))
                warn(
                    f"The backup of this run does not hold attribute `{name}` of {type(item).__name__} (a "
                    f"{type(value).__name__}): only numbers, text, arrays and lists or dicts of them can be kept. Give "
                    "the class `get_state()` and `set_state(state)` to keep it."
                )
        return state

    def restore(self, states: list[dict[str, Any]]) -> None:
        """Give each object the state of the stored one of its class, in order."""
        rest = list(states)
        for item in self.items:
            found = next((one for one in rest if one["class"] == type(item).__name__), None)
            if found is None:
                continue
            rest.remove(found)
            _take_up(item, found["state"])


def _own_state(item: Any) -> dict[str, Any]:
    get_state: Any = getattr(item, "get_state", None)
    state: Any = get_state() if callable(get_state) else {}
    return dict(state)


def _take_up(item: Any, state: dict[str, Any]) -> None:
    if not state:
        return
    set_state = getattr(item, "set_state", None)
    if callable(set_state):
        set_state(state)
    else:
        vars(item).update(state)


def _is_generic(item: Any) -> bool:
    """Whether attributes are looked through: for classes that others wrote and that do not say what they need."""
    if not isinstance(item, Callback):
        return hasattr(item, "__dict__") and not hasattr(item, "get_state")
    own = type(item)
    if own.__module__.startswith("hornbeam."):
        return False
    said = any("state_names" in vars(kind) for kind in own.__mro__ if not kind.__module__.startswith("hornbeam."))
    return not said and own.get_state in _PLAIN_GETTERS


def _attributes(item: Any) -> dict[str, Any]:
    left_out = _OF_THE_LOOP
    if isinstance(item, MonitorCallback):
        left_out += ("monitor_op", "min_delta")
    return {name: value for name, value in getattr(item, "__dict__", {}).items() if name not in left_out}


def _mark(value: Any) -> Any:
    """Something that is equal as long as the value is."""
    if isinstance(value, np.ndarray) and value.nbytes > _LARGE_BYTES:
        # A data set, most likely; looking at all of it at every backup would cost more than the step.
        return ("large", id(value))
    if not is_plain(value):
        return ("object", id(value))
    arrays: list[np.ndarray] = []
    text = json.dumps(pack(value, arrays), sort_keys=True, default=str)
    digest = hashlib.blake2b(text.encode(), digest_size=16)
    for array in arrays:
        digest.update(str((array.dtype, array.shape)).encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data if array.size else b"")
    return ("plain", digest.digest())


_PLAIN_GETTERS = {Callback.get_state, MonitorCallback.get_state}


# --- all of it -----------------------------------------------------------------------------------
def collect(model: Any, remembered: Remembered, place: dict[str, Any]) -> dict[str, Any]:
    """The state of a run, as plain data.

    Args:
        model: the model.
        remembered: its callbacks.
        place: where the loop stands.
    """
    variables = variables_of(model)
    return {
        "variables": _described(variables),
        "values": read_variables(variables),
        "optimizer": optimizer_print(model),
        "random": {**random_state(), "torch": _torch_state()},
        "callbacks": remembered.states(),
        "stop_training": bool(model.stop_training),
        "place": place,
    }


def apply(model: Any, remembered: Remembered, state: dict[str, Any]) -> None:
    """Bring a model, its callbacks and the sources of random numbers into the state of a run."""
    variables = variables_of(model)
    stored = list(zip(state["variables"], state["values"], strict=True))
    described = _described(variables)
    if described == [description for description, _ in stored]:
        pairs = list(zip(variables, (value for _, value in stored), strict=True))
    else:
        pairs = _matching(variables, described, stored)
    for variable, value in pairs:
        variable.assign(value)
    remembered.restore(state["callbacks"])
    model.stop_training = state["stop_training"]
    set_random_state(state["random"])
    _set_torch_state(state["random"]["torch"])


def _matching(variables: list[Variable], described: list[Any], stored: list[Any]) -> list[tuple[Variable, Any]]:
    """For a model that was changed: each variable with the next stored one of its name, shape and dtype."""
    pairs = []
    for variable, description in zip(variables, described, strict=True):
        found = next((index for index, one in enumerate(stored) if one[0] == description), None)
        if found is not None:
            pairs.append((variable, stored.pop(found)[1]))
    return pairs


def differences(model: Any, state: dict[str, Any], place: dict[str, Any], allowed: frozenset[str]) -> list[str]:
    """What differs between the run at hand and the one that was backed up, without what is allowed to."""
    found = []
    if "model" not in allowed:
        found += _variable_differences(_described(variables_of(model)), state["variables"])
    if "optimizer" not in allowed and state["optimizer"] != optimizer_print(model):
        found += _changed_items("optimizer", state["optimizer"], optimizer_print(model))
    for name, then in state["place"]["facts"].items():
        kind, now = then["kind"], place["facts"].get(name, {}).get("value")
        if kind not in allowed and now != then["value"]:
            found.append(f"{name}: {then['value']} then, {now} now  (allow_changed={[kind]!r})")
    return found


def _variable_differences(now: list[Any], then: list[Any]) -> list[str]:
    if now == then:
        return []
    hint = "  (allow_changed=['model'])"
    lines = [
        f"variable {index}: {_shown(old)} then, {_shown(new)} now{hint}"
        for index, (old, new) in enumerate(zip(then, now, strict=False))
        if old != new
    ]
    if len(now) != len(then):
        lines.append(f"number of variables: {len(then)} then, {len(now)} now{hint}")
    return lines[:8] + ([f"... and {len(lines) - 8} more"] if len(lines) > 8 else [])


def _shown(described: list[Any]) -> str:
    name, shape, dtype = described
    return f"{name} {tuple(shape)} {dtype}"


def _changed_items(what: str, then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    names = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    return [f"{what} {name}: {then.get(name)} then, {now.get(name)} now  (allow_changed=[{what!r}])" for name in names]


def optimizer_print(model: Any) -> dict[str, Any]:
    """Class and options of the optimizer, without the rate, which training itself may change."""
    optimizer = model.optimizer
    if optimizer is None:
        return {}
    config = {
        name: str(value)
        for name, value in optimizer.get_config().items()
        if name not in ("name", "learning_rate", "initial_scale", "inner_optimizer", "optimizers")
    }
    return {"class": type(optimizer).__name__, **config}


def refuse(folder: str, lines: list[str]) -> ResumeError:
    """The error for a backup of another run."""
    listing = "\n  ".join(lines)
    return ResumeError(
        f"The backup in {folder} belongs to a run that differs from this one:\n  {listing}\n"
        "  fix:      give what the run was started with, allow the change where its line names a way, or remove the "
        "folder to start anew"
    )


def _torch_state() -> Any:
    torch = sys.modules.get("torch")
    return None if torch is None or not hasattr(torch, "get_rng_state") else torch.get_rng_state().numpy()


def _set_torch_state(state: Any) -> None:
    torch = sys.modules.get("torch")
    if state is not None and torch is not None:
        torch.set_rng_state(torch.from_numpy(np.array(state)))
