"""Matching what users give per output (losses, metrics, weights, targets) with a model's outputs."""

from __future__ import annotations

from typing import Any

from hornbeam.base import trees
from hornbeam.base.check import closest
from hornbeam.base.errors import DataError, explain


class Outputs:
    """Paths, names and values of a model's outputs, flat.

    Args:
        y_pred: predictions: a tensor, or a nesting of them.
        names: names of the outputs in their order, if the model knows them.

    Attributes:
        values: the predictions.
        paths: keys and positions that lead to each of them.
        names: name of each output (a key of a dict, or a name the model knows), None if it has none.
        keys: names that dicts may use to speak of outputs.
    """

    def __init__(self, y_pred: Any, names: list[str] | None = None) -> None:
        pairs = trees.flatten_with_path(y_pred)
        self.structure = trees.map_structure(lambda _: None, y_pred)
        self.nested = trees.is_nested(y_pred)
        self.paths = [path for path, _ in pairs]
        self.values = [value for _, value in pairs]
        known: list[str | None] = [*names] if names and len(names) == len(pairs) else [None] * len(pairs)
        self.layer_names: list[str | None] = known
        self.names: list[str | None] = list(known)
        if isinstance(y_pred, dict) and all(len(path) == 1 for path in self.paths):
            self.names = [str(path[0]) for path in self.paths]
        self.keys = [name for name in self.names if name is not None]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def flat(self) -> bool:
        """True for a list, tuple or dict of tensors, or a single tensor."""
        return all(len(path) <= 1 for path in self.paths)

    def spread(self, given: Any, what: str) -> list[Any]:
        """``given`` as one entry per output; entries are whatever lies at the outputs' places.

        Args:
            given: None, a dict by output name, a list by position, or the structure of the outputs.
            what: how messages call it.

        Raises:
            ValueError: the number of entries or a name does not fit.
        """
        if given is None:
            return [None] * len(self)
        if isinstance(given, dict) and self.flat:
            self._check_names(given, what)
            return [given.get(name) for name in self.names]
        if isinstance(given, (list, tuple)) and self.flat:
            if len(given) != len(self):
                raise DataError(self._miscounted(given, what))
            return list(given)
        if self.flat and len(self) == 1:
            return [given]
        if not trees.is_nested(given):
            raise DataError(self._miscounted([given], what))
        return [self._follow(given, path, what) for path in self.paths]

    def _follow(self, given: Any, path: tuple, what: str) -> Any:
        for key in path:
            if given is None:
                return None
            try:
                given = given[key] if not isinstance(given, dict) else given.get(key)
            except (IndexError, KeyError, TypeError) as error:
                raise DataError(
                    explain(
                        f"`{what}` does not have the structure of the model's outputs: nothing at {list(path)}.",
                        expected=repr(trees.map_structure(lambda _: "*", self.structure)),
                        received=type(given).__name__,
                    )
                ) from error
        return given

    def _check_names(self, given: dict[str, Any], what: str) -> None:
        for name in given:
            if name not in self.keys:
                known = f"Expected keys: {self.keys}" if self.keys else "The outputs have no names: give a list"
                raise DataError(
                    f"In `{what}`, key {name!r} is not an output of the model{closest(name, self.keys)}. {known}."
                )

    def _miscounted(self, given: Any, what: str) -> str:
        names = f" {self.keys}" if self.keys else ""
        fix = "give one entry per output, as a list or as a dict by output name"
        return explain(
            f"`{what}` does not match the model's outputs.",
            expected=f"{len(self)} entries, one per output{names}",
            received=f"{len(given)} entries" if len(given) != 1 else "a single one",
            fix=fix if len(self) > 1 else "give a single one, as the model has one output",
        )


def match_targets(outputs: Outputs, y_true: Any, wanted: list[bool]) -> list[Any]:
    """Targets, one per output; outputs without a loss may have none.

    Args:
        outputs: the model's outputs.
        y_true: targets in any form that fits.
        wanted: which outputs have a loss (or metric).
    """
    if isinstance(y_true, (list, tuple)) and outputs.flat and len(y_true) != len(outputs):
        leaves = iter(y_true)
        if len(y_true) == sum(wanted):
            return [next(leaves) if one else None for one in wanted]
    if y_true is not None and not trees.is_nested(y_true) and sum(wanted) == 1:
        # Only one output is trained, so it is clear whose target this is.
        return [y_true if one else None for one in wanted]
    return outputs.spread(y_true, "y")


def match_weights(outputs: Outputs, sample_weight: Any) -> list[Any]:
    """Sample weights, one per output; a single array counts for all."""
    if sample_weight is not None and not trees.is_nested(sample_weight):
        return [sample_weight] * len(outputs)
    return outputs.spread(sample_weight, "sample_weight")
