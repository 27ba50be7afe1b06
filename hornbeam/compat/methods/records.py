"""Old methods of metrics; old names in histories and in the parameters of a run."""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Callable
from typing import Any

from hornbeam.base.names import to_snake_case


# --- metrics -------------------------------------------------------------------------------------
def merge_state(self: Any, metrics: Any) -> None:
    """Add the counts of other metrics of the class.

    Raises:
        ValueError: a metric of another kind.
    """
    for metric in metrics:
        if len(self.variables) != len(metric.variables):
            raise ValueError(f"Metric {metric.name} is not compatible with {self.name}: it counts something else.")
        for own, other in zip(self.variables, metric.variables, strict=True):
            own.assign_add(other)


METRIC: dict[str, Any] = {
    "merge_state": merge_state,
    "reset_states": lambda self: self.reset_state(),
    "trainable_weights": property(lambda self: [], doc="Nothing: metrics are not trained."),
    "non_trainable_weights": property(lambda self: self.variables, doc="The metric's variables."),
    "weights": property(lambda self: self.variables, doc="The metric's variables."),
}

# --- histories -----------------------------------------------------------------------------------
_SAME = (
    ("acc", "accuracy"),
    ("lr", "learning_rate"),
    ("mse", "mean_squared_error"),
    ("mae", "mean_absolute_error"),
    ("mape", "mean_absolute_percentage_error"),
    ("msle", "mean_squared_logarithmic_error"),
)
_OTHER = {first: second for first, second in _SAME} | {second: first for first, second in _SAME}
_GENERAL = ("acc", "accuracy")
_SPECIAL = ("binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy")


def other_name(name: str, known: Any) -> str | None:
    """The name under which a log is kept today; None if there is none."""
    start, stem = ("val_", name[4:]) if name.startswith("val_") else ("", name)
    options = [_OTHER.get(stem), *(_SPECIAL if stem in _GENERAL else ()), *(_GENERAL if stem in _SPECIAL else ())]
    found = next((f"{start}{option}" for option in options if option and f"{start}{option}" in known), None)
    return found or _of_an_output(name, known) or _of_same_class(name, known)


def _of_an_output(name: str, known: Any) -> str | None:
    """``val_main_accuracy`` for ``val_main_acc``: the metric of one of several outputs."""
    output, _, stem = name.rpartition("_")
    return other if output and (other := f"{output}_{_OTHER.get(stem)}") in known else None


def _of_same_class(name: str, known: Any) -> str | None:
    """``auc`` for ``AUC``, ``precision`` for ``precision_1`` and the other way round, if only one log can be meant."""
    plain = plain_name(name)
    logs = [one for one in known if plain_name(one) == plain]
    return logs[0] if len(logs) == 1 and "loss" not in plain else None


def plain_name(name: str) -> str:
    """A metric's name without capitals and without the number that sets it apart."""
    return re.sub(r"_\d+$", "", to_snake_case(name)).replace("__", "_")


class OldKeys(dict):
    """A history that also finds ``acc`` for ``accuracy``, ``lr`` for ``learning_rate`` and the like."""

    def __missing__(self, name: str) -> Any:
        other = other_name(name, self) if isinstance(name, str) else None
        if other is None:
            raise KeyError(name)
        return self[other]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and other_name(name, self.keys()) is not None)

    def get(self, name: Any, default: Any = None) -> Any:
        """The list of that name, or the default."""
        try:
            return self[name]
        except KeyError:
            return default


def _old_keys(on_train_begin: Callable) -> Callable:
    @functools.wraps(on_train_begin)
    def begin(self: Any, logs: Any = None) -> Any:
        result = on_train_begin(self, logs)
        if type(self.history) is dict:
            self.history = OldKeys(self.history)
        return result

    return begin


def _as_plain(get_state: Callable) -> Callable:
    @functools.wraps(get_state)
    def state(self: Any) -> Any:
        # What is kept on disk is plain data, without a class of its own.
        return {name: dict(value) if isinstance(value, OldKeys) else value for name, value in get_state(self).items()}

    return state


def _with_old_keys(set_state: Callable) -> Callable:
    @functools.wraps(set_state)
    def restored(self: Any, state: Any) -> None:
        set_state(self, state)
        if type(self.history) is dict:
            self.history = OldKeys(self.history)

    return restored


def _log_of_old_name(self: Any, name: str) -> Any:
    other = other_name(name, self) if isinstance(name, str) else None
    if other is None:
        raise KeyError(name)
    return self[other]


def _with_old_names(get: Callable) -> Callable:
    @functools.wraps(get)
    def found(self: Any, name: str, default: Any = None) -> Any:
        if name not in self and (other := other_name(name, self)) is not None:
            name = other
        return get(self, name, default)

    return found


def _by_old_name(check_monitor: Callable) -> Callable:
    @functools.wraps(check_monitor)
    def checked(self: Any, available: list[str], possible: list[str]) -> None:
        known = dict.fromkeys([*available, *possible])
        if self.monitor not in known:
            other = _of_an_output(self.monitor, known) or _of_same_class(self.monitor, known)
            self.monitor = other or self.monitor
        check_monitor(self, available, possible)

    return checked


def _with_old_placeholders(get_file_path: Callable) -> Callable:
    @functools.wraps(get_file_path)
    def path(self: Any, epoch: int, batch: int | None, logs: Any) -> str:
        wanted = {field for _, field, _, _ in string.Formatter().parse(self.filepath) if field} - set(logs or {})
        named = {name: logs[other] for name in wanted if (other := other_name(name, logs or {})) is not None}
        return get_file_path(self, epoch, batch, {**logs, **named} if named else logs)

    return path


AROUND_CHECKPOINT: dict[str, Callable] = {"_get_file_path": _with_old_placeholders}
AROUND_MONITOR: dict[str, Callable] = {"check_monitor": _by_old_name}
LOGS: dict[str, Any] = {"__missing__": _log_of_old_name}
AROUND_LOGS: dict[str, Callable] = {"get": _with_old_names}
AROUND_HISTORY: dict[str, Callable] = {
    "on_train_begin": _old_keys,
    "get_state": _as_plain,
    "set_state": _with_old_keys,
}

_PARAMS = {"nb_epoch": "epochs", "nb_sample": "samples", "nb_step": "steps"}


class OldParams(dict):
    """Parameters of a run, under their names of all times."""

    def __missing__(self, name: str) -> Any:
        if name in _PARAMS and _PARAMS[name] in self:
            return self[_PARAMS[name]]
        raise KeyError(name)


def _old_params(set_params: Callable) -> Callable:
    @functools.wraps(set_params)
    def keep(self: Any, params: Any) -> Any:
        return set_params(self, OldParams(params) if type(params) is dict else params)

    return keep


AROUND_CALLBACK: dict[str, Callable] = {"set_params": _old_params}
