"""Matching what users give per output (losses, metrics, weights, targets) with a model's outputs."""

from __future__ import annotations

from typing import Any

from hornbeam.base import trees
from hornbeam.base.check import closest


class Outputs:
    """Names and values of a model's outputs, flat.

    Args:
        y_pred: predictions: a tensor, or a list, tuple or dict of them.
        names: names of the outputs, if the model knows them.
    """

    def __init__(self, y_pred: Any, names: list[str] | None = None) -> None:
        self.nested = trees.is_nested(y_pred)
        if isinstance(y_pred, dict):
            self.names = trees.sorted_keys(y_pred)
            self.values = [y_pred[name] for name in self.names]
            self.keyed = True
        else:
            self.values = trees.flatten(y_pred)
            known = names if names and len(names) == len(self.values) else None
            self.names = known or [f"output_{index}" for index in range(len(self.values))]
            self.keyed = bool(known)

    def __len__(self) -> int:
        return len(self.values)

    def match(self, given: Any, what: str, *, is_leaf: Any = None, broadcast: bool = False) -> list[Any]:
        """``given`` as one entry per output.

        Args:
            given: None, one entry, a list by position, or a dict by output name.
            what: how messages call it.
            is_leaf: function that tells an entry that is itself a list from a list of entries.
            broadcast: use a single entry for every output (otherwise only for a single output).

        Raises:
            ValueError: the number of entries or a name does not fit.
        """
        if given is None:
            return [None] * len(self)
        if isinstance(given, dict):
            self._check_names(given, what)
            return [given.get(name) for name in self.names]
        listed = isinstance(given, (list, tuple)) and not (is_leaf is not None and is_leaf(given))
        if listed and (self.nested or len(self) > 1):
            if len(given) != len(self):
                raise ValueError(
                    f"For a model with multiple outputs, `{what}` given as a list must have as many entries as outputs. "
                    f"Received {len(given)} entries for {len(self)} outputs {self.names}."
                )
            return list(given)
        if listed and len(given) == 1:
            return list(given)
        if len(self) == 1:
            return [given]
        if broadcast:
            return [given] * len(self)
        raise ValueError(
            f"The model has {len(self)} outputs {self.names}, but `{what}` is a single value. Give a list or a dict by output name."
        )

    def _check_names(self, given: dict[str, Any], what: str) -> None:
        for name in given:
            if name not in self.names:
                raise ValueError(
                    f"In `{what}`, key {name!r} is not an output of the model{closest(name, self.names)}. "
                    f"Expected keys: {self.names}."
                )
