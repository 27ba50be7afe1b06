"""``tf.train.ExponentialMovingAverage``: averages of variables that forget slowly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.core.variable import Variable

__all__ = ["ExponentialMovingAverage"]


class ExponentialMovingAverage:
    """Keeps, for each variable, ``average = decay * average + (1 - decay) * value``.

    Args:
        decay: share of the old average, just below 1.
        num_updates: count of steps; the decay is then at most ``(1 + num_updates) / (10 + num_updates)``.
        zero_debias: start from zero and divide by ``1 - decay ** steps``.
        name: name.

    References: TensorFlow ``tf.train.ExponentialMovingAverage``.
    """

    def __init__(
        self, decay: float, num_updates: Any = None, zero_debias: bool = False, name: str = "ExponentialMovingAverage"
    ) -> None:
        self._decay = decay
        self._num_updates = num_updates
        self._zero_debias = zero_debias
        self.name = name
        self._averages: dict[Variable, Variable] = {}
        self._biased: dict[Variable, tuple[Variable, Variable]] = {}

    def apply(self, var_list: Sequence[Variable] | None = None) -> None:
        """Take the current values of variables into their averages; the first time, the averages start there."""
        if var_list is None:
            raise ValueError("ExponentialMovingAverage.apply() needs the list of variables: there is no global one.")
        decay: Any = self._decay
        if self._num_updates is not None:
            decay = min(float(decay), (1.0 + float(self._num_updates)) / (10.0 + float(self._num_updates)))
        for variable in var_list:
            if variable not in self._averages:
                start = variable.numpy() * 0 if self._zero_debias else variable.numpy()
                self._averages[variable] = Variable(start, trainable=False, name=variable.name)
                if self._zero_debias:
                    biased = Variable(start, trainable=False, name=f"{variable.name}_biased")
                    self._biased[variable] = (biased, Variable(0.0, trainable=False, name="weight"))
            if self._zero_debias:
                biased, weight = self._biased[variable]
                biased.assign(biased.value * decay + variable.value * (1 - decay))
                weight.assign(weight.value * decay + (1 - decay))
                self._averages[variable].assign(biased.value / weight.value)
            else:
                average = self._averages[variable]
                average.assign_sub((average.value - variable.value) * (1 - decay))

    def average(self, var: Variable) -> Variable | None:
        """The variable that holds the average of a variable; None if it was never applied to it."""
        return self._averages.get(var)

    def average_name(self, var: Variable) -> str:
        """Name under which the average of a variable is stored."""
        return f"{var.name}/{self.name}"
