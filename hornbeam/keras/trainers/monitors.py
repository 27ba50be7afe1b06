"""Names that callbacks watch are looked up before the first step."""

from __future__ import annotations

from typing import Any

import jax

from hornbeam.keras.callbacks import Callback, MonitorCallback
from hornbeam.keras.callbacks.callback import overrides


def check_monitors(model: Any, callbacks: list[Any], validates: bool) -> None:
    """See that the metrics which callbacks watch will be there.

    Nothing is said where it cannot be known: another callback may put names of its own into the logs.

    Args:
        model: the model, its steps captured.
        callbacks: single callbacks.
        validates: there will be a validation.

    Raises:
        ValueError: there is no such metric; lists the names there are, and the closest one.
    """
    watching = [one for one in callbacks if isinstance(one, MonitorCallback) and one.watches_logs]
    if not watching or any(map(_may_add_names, callbacks)):
        return
    training = _log_names(model, "train")
    validation = _log_names(model, "test") if validates else training
    if training is None or validation is None:
        return
    available = [*training, *(f"val_{name}" for name in validation if validates)]
    for callback in watching:
        callback.check_monitor(available, [f"val_{name}" for name in validation])


def _may_add_names(callback: Any) -> bool:
    if not isinstance(callback, Callback) or type(callback).__module__.startswith("hornbeam."):
        # Functions of a LambdaCallback are attributes of the object.
        return "on_epoch_end" in vars(callback)
    return overrides(callback, "on_epoch_end")


def _log_names(model: Any, kind: str) -> list[str] | None:
    """Names of what a step gives; None if they are known only when it has run."""
    programs = model._runner(kind).programs()
    if programs:
        tree = programs[-1].program.out_tree
        found = jax.tree_util.tree_unflatten(tree, range(tree.num_leaves))
        return list(found) if isinstance(found, dict) else None
    if model._overrides(f"{kind}_step", "compute_metrics") or not model._all_built():
        return None
    return list(model._flat_results(model.get_metrics_result()))
