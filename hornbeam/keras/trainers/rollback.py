"""Building a model is undone if the call that caused it fails."""

from __future__ import annotations

from typing import Any


class Rollback:
    """While open, an exception puts objects back as they were: attributes, and what lists and dicts in them held.

    A bad call (wrong shapes, labels that do not fit the loss) must leave an unbuilt model unbuilt, as the next call
    may bring data of other shapes.

    Args:
        model: the model; its layers, optimizer, losses and metrics are looked after, as far as they are not built.
    """

    def __init__(self, model: Any) -> None:
        self._training = model._training
        self._frozen = self._training.frozen_variables
        self._objects: list[Any] = []
        layers = model._flatten_layers()
        if not all(layer.built for layer in layers):
            self._objects += layers
        for optimizer in _optimizers(model.optimizer):
            if not optimizer.built:
                self._objects.append(optimizer)
        compiled = (self._training.compiled_loss, self._training.compiled_metrics)
        self._unbuilt = [one for one in compiled if one is not None and not one.built]

    def __enter__(self) -> Rollback:
        self._saved = [_snapshot(item) for item in self._objects]
        return self

    def __exit__(self, kind: Any, *details: object) -> None:
        if kind is None:
            return
        if self._objects or self._unbuilt:
            # Steps captured in between hold variables that are gone.
            self._training.runners = {}
        for item, saved in zip(self._objects, self._saved, strict=True):
            _restore(item, saved)
        for one in self._unbuilt:
            one.reset_build()
        self._training.frozen_variables = self._frozen


def _optimizers(optimizer: Any) -> list[Any]:
    if optimizer is None or not hasattr(optimizer, "built"):
        return []
    return [optimizer, *getattr(optimizer, "_inner_optimizers", ())]


def _snapshot(item: Any) -> dict[str, tuple[Any, Any]]:
    """Attributes with copies of the containers among them."""
    return {
        name: (value, value.copy() if type(value) in (list, dict, set) else None) for name, value in vars(item).items()
    }


def _restore(item: Any, saved: dict[str, tuple[Any, Any]]) -> None:
    state = vars(item)
    version = state.get("_version", 0)
    state.clear()
    for name, (value, content) in saved.items():
        if type(value) is list:
            value[:] = content
        elif type(value) in (dict, set):
            value.clear()
            value.update(content)
        state[name] = value
    if "_plans" in state:
        # Programs made in between belong to what was undone.
        state["_plans"].clear()
        state["_version"] = version + 1
