"""The whole state of a model in training, kept aside and put back."""

from __future__ import annotations

from typing import Any

from hornbeam.core.random_state import random_state, set_random_state
from hornbeam.core.variable import Variable, commit_all


class Snapshot:
    """Values of a model's variables, its optimizer's and its metrics', and of all sources of random numbers.

    Args:
        model: the model; what is built later is not part of it.
        random: keep the global sources of random numbers too.
    """

    def __init__(self, model: Any, random: bool = True) -> None:
        own = getattr(model.optimizer, "variables", [])
        metrics = [] if model._training.loss_tracker is None else model.metrics_variables
        self.variables: list[Variable] = list({id(one): one for one in (*model.variables, *own, *metrics)}.values())
        # A read marks the array as lent, so that no step takes its memory.
        self.values = [variable.read_array() for variable in self.variables]
        self._random = random_state() if random else None

    def restore(self) -> None:
        """Put everything back."""
        commit_all(self.variables, self.values)
        if self._random is not None:
            set_random_state(self._random)
