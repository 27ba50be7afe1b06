"""The state of a model as nested dicts by the parts of the variables' paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hornbeam.base.check import closest
from hornbeam.core.conversion import as_array
from hornbeam.core.frame import isolated
from hornbeam.core.tensor import wrap
from hornbeam.core.variable import Variable

_GROUPS = ("trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables")


def _variables(model: Any, group: str) -> list[Variable]:
    if group == "optimizer_variables":
        return [] if model.optimizer is None else model.optimizer.variables
    return getattr(model, group)


def get(model: Any, value_format: str) -> dict[str, Any]:
    """See ``Trainer.get_state_tree``."""
    if value_format not in ("backend_tensor", "numpy_array"):
        raise ValueError(
            "get_state_tree(): `value_format` must be 'backend_tensor' or 'numpy_array'. "
            f"Received: value_format={value_format!r}"
        )
    return {group: _nested(_variables(model, group), value_format) for group in _GROUPS}


def _nested(variables: list[Variable], value_format: str) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    seen: set[str] = set()
    for variable in variables:
        if variable.path in seen:
            raise ValueError(
                f"get_state_tree(): two variables have the path '{variable.path}'. Give layers, metrics and optimizers "
                "names of their own."
            )
        seen.add(variable.path)
        *folders, name = variable.path.split("/")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = variable.numpy() if value_format == "numpy_array" else variable.value
    return tree


def set_values(model: Any, state_tree: dict[str, Any]) -> None:
    """See ``Trainer.set_state_tree``."""
    for group, tree in state_tree.items():
        if group not in _GROUPS:
            raise ValueError(f"set_state_tree(): unknown key {group!r}{closest(group, _GROUPS)}.")
        by_path = {variable.path: variable for variable in _variables(model, group)}
        for path, value in _leaves(tree, ""):
            if path in by_path:
                by_path[path].assign(value)


def _leaves(tree: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value


def stateless_compute_loss(
    model: Any, trainable: Any, non_trainable: Any, metrics: Any, arguments: tuple[Any, ...], training: bool
) -> tuple[Any, tuple[Any, list[Any], list[Any]]]:
    """See ``Trainer.stateless_compute_loss``."""
    groups = (
        (model.trainable_variables, list(trainable)),
        (model.non_trainable_variables, list(non_trainable)),
        (model.metrics_variables, list(metrics)),
    )
    values = {
        variable: as_array(value, variable._dtype)
        for variables, given in groups
        for variable, value in zip(variables, given, strict=True)
    }
    loss, written = isolated(lambda: model._loss_of(*arguments, training=training), values)
    values.update(written)
    new = [[wrap(values[variable]) for variable in variables] for variables, _ in groups[1:]]
    return loss, (trainable, new[0], new[1])
