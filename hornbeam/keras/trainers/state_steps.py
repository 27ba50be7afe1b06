"""Steps of the form ``train_step(self, state, data)``: state in, state out, as Keras programs for JAX write them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import jax

from hornbeam.base import trees
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable
from hornbeam.keras.utils.data_tuples import unpack_x_y_sample_weight

_GROUPS = {"train": ("weights", "others", "optimizer", "metrics"), "test": ("weights", "others", "metrics")}


def step_of(model: Any, kind: str) -> Callable[[Any], Any]:
    """The model's ``train_step``, ``test_step`` or ``predict_step`` as a function of the data alone.

    A step that asks for two arguments gets the values of the variables, as lists of arrays: trainable ones,
    non-trainable ones, those of the optimizer (``train_step`` only) and of metrics (not ``predict_step``). What it
    returns beside its logs is their new state; of ``predict_step`` that of the non-trainable variables.
    """
    step = getattr(model, f"{kind}_step")
    if not _takes_state(step):
        return step

    def run(data: Any) -> Any:
        _make_variables(model, kind, data)
        groups = _variables(model, kind)
        state = tuple([variable.read_array() for variable in group] for group in groups)
        changed = groups if kind != "predict" else groups[1:]
        plain = trees.map_structure(_plain, data)
        logs, new = step(state, plain)
        new = (new,) if kind == "predict" else new
        if len(new) != len(changed):
            raise ValueError(
                f"`{kind}_step(state, data)` of {type(model).__name__} must return logs and a state of {len(changed)} "
                f"lists, as it was given. Received: a state of {len(new)}."
            )
        for variables, values in zip(changed, new, strict=True):
            _assign(f"{kind}_step of {type(model).__name__}", variables, list(values))
        return trees.map_structure(_wrapped, logs)

    return run


def _takes_state(step: Callable) -> bool:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(step).parameters.values()
    return len([one for one in parameters if one.kind in kinds and one.default is one.empty]) == 2


def _make_variables(model: Any, kind: str, data: Any) -> None:
    """Build what is not built: model, optimizer, and metrics that ``compile`` was given."""
    x, y, _ = unpack_x_y_sample_weight(data)
    metrics = model.compiled_metrics if kind != "predict" else None
    if metrics is not None and (metrics.built or y is None):
        metrics = None
    if not model.built or metrics is not None:
        outputs = model(x)
        if metrics is not None:
            metrics.build(y, outputs)
    if kind == "train" and model.optimizer is not None and not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def _variables(model: Any, kind: str) -> list[list[Variable]]:
    known = {
        "weights": model.trainable_variables,
        "others": model.non_trainable_variables,
        "optimizer": [] if model.optimizer is None else model.optimizer.variables,
        "metrics": model.metrics_variables,
    }
    return [list(known[name]) for name in _GROUPS.get(kind, ("weights", "others"))]


def _assign(owner: str, variables: list[Variable], values: list[Any]) -> None:
    if len(variables) != len(values):
        raise ValueError(f"{owner} gave {len(values)} values for {len(variables)} variables of the model.")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(_wrapped(value))


def _plain(value: Any) -> Any:
    return value._value if isinstance(value, Tensor) else value


def _wrapped(value: Any) -> Any:
    return wrap(value) if isinstance(value, jax.Array) else value
