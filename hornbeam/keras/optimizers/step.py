"""One step of an optimizer: what happens to gradients and variables around the rule."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp

from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers import rule
from hornbeam.keras.optimizers.state import OptimizerState


class OptimizerStep(OptimizerState):
    """The order of a step, on arrays and variables; runs eagerly or inside a frame."""

    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    learning_rate: Any
    rate_multipliers: dict[str, float]
    _iterations: Variable

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable and its slots from its gradient."""
        raise NotImplementedError(
            f"{type(self).__name__} must override `update_step(gradient, variable, learning_rate)`."
        )

    def _step(self, gradients: list, variables: list[Variable]) -> None:
        gradients, variables = self._overwrite_with_gradients(gradients, variables)
        if gradients:
            if self.loss_scale_factor is not None:
                gradients = [gradient / self.loss_scale_factor for gradient in gradients]
            if self.gradient_accumulation_steps:
                self._accumulate(gradients, variables)
            else:
                self._update(gradients, variables)
            if self.use_ema:
                self._update_averages()
            for variable in variables:
                if variable.constraint is not None:
                    variable.assign(variable.constraint(variable))
        self._iterations.assign_add(1)

    def _updates_made(self) -> Any:
        count = self._iterations.read_array()
        return count // self.gradient_accumulation_steps if self.gradient_accumulation_steps else count

    def _rate(self) -> Any:
        """The learning rate of this step."""
        return self.learning_rate if self._given_rate is None else self._given_rate

    def _rate_for(self, variable: Variable, rate: Any) -> Any:
        factor = self.rate_multipliers.get(variable.path, 1.0) if self.rate_multipliers else 1.0
        return rate if factor == 1.0 else wrap(jnp.asarray(array_of(rate)) * factor)

    def set_rate_multipliers(self, multipliers: Mapping[Any, float]) -> None:
        """Give single variables, or all of a layer, a learning rate of their own, as a multiple of the common one.

        Args:
            multipliers: factor by variable or layer (built); others keep the factor 1. An empty mapping ends it.

        Raises:
            ValueError: a factor is negative.
            TypeError: a key is neither a variable nor a layer.
        """
        found: dict[str, float] = {}
        for item, factor in multipliers.items():
            variables = [item] if isinstance(item, Variable) else getattr(item, "trainable_variables", None)
            if variables is None:
                raise TypeError(f"{self.name}: rate multipliers go by variable or layer. Received: {item!r}")
            if factor < 0:
                raise ValueError(f"{self.name}: a rate multiplier must not be negative. Received: {factor!r}")
            found.update((variable.path, float(factor)) for variable in variables)
        self.rate_multipliers = found

    def _is_update_step(self) -> Any:
        steps = self.gradient_accumulation_steps or 1
        return (self._iterations.read_array() + 1) % steps == 0

    def _overwrite_with_gradients(self, gradients: list, variables: list[Variable]) -> tuple[list, list[Variable]]:
        """Variables marked so (8-bit float scales) take their gradient as their value; the others are returned."""
        rest: list[tuple[Any, Variable]] = []
        for gradient, variable in zip(gradients, variables, strict=True):
            if not variable.overwrite_with_gradient:
                rest.append((gradient, variable))
            elif not self.gradient_accumulation_steps:
                variable.assign(gradient)
            else:
                due = self._is_update_step()
                accumulator = self._accumulated_gradients[self._get_variable_index(variable)]
                largest = jnp.maximum(gradient, accumulator.read_array())
                variable.assign(jnp.where(due, largest, variable.read_array()))
                accumulator.assign(jnp.where(due, jnp.zeros_like(largest), largest))
        return [gradient for gradient, _ in rest], [variable for _, variable in rest]

    def _accumulate(self, gradients: list, variables: list[Variable]) -> None:
        accumulators = [self._accumulated_gradients[self._get_variable_index(variable)] for variable in variables]
        sums = [g + a.read_array() for g, a in zip(gradients, accumulators, strict=True)]
        steps = self.gradient_accumulation_steps

        def update() -> None:
            self._update([total / steps for total in sums], variables)
            for accumulator in accumulators:
                accumulator.assign(jnp.zeros(accumulator.shape, accumulator.dtype))

        def keep() -> None:
            for accumulator, total in zip(accumulators, sums, strict=True):
                accumulator.assign(total)

        rule.run_either(self._is_update_step(), update, keep)

    def _update(self, gradients: list, variables: list[Variable]) -> None:
        gradients = self._clip_gradients(gradients)
        self._apply_weight_decay(variables)
        self._update_all(gradients, variables, self._rate())

    def _update_all(self, gradients: list, variables: list[Variable], learning_rate: Any) -> None:
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(wrap(gradient), variable, self._rate_for(variable, learning_rate))

    def _clip_gradients(self, gradients: list) -> list:
        if self.clipnorm and self.clipnorm > 0:
            return [rule.clip_by_norm(gradient, self.clipnorm) for gradient in gradients]
        if self.global_clipnorm and self.global_clipnorm > 0:
            return rule.clip_by_global_norm(gradients, self.global_clipnorm)
        if self.clipvalue and self.clipvalue > 0:
            return [jnp.clip(gradient, -self.clipvalue, self.clipvalue) for gradient in gradients]
        return gradients

    # --- weight decay and moving averages --------------------------------------------------------
    def _decay_of(self, variable: Variable) -> float | None:
        """Weight decay of one variable, None for none."""
        return self.weight_decay if self._use_weight_decay(variable) else None

    def _apply_weight_decay(self, variables: Sequence[Variable]) -> None:
        for variable in variables:
            decay = self._decay_of(variable)
            if decay is not None:
                rate = self._rate_for(variable, self._rate())
                variable.assign(rule.decayed(variable.read_array(), decay, array_of(rate)))

    def _update_averages(self) -> None:
        later = self._updates_made() != 0
        overwrite = None
        if self.ema_overwrite_frequency:
            overwrite = (self._updates_made() + 1) % self.ema_overwrite_frequency == 0
        for variable, average in zip(self._trainable_variables, self._averages, strict=True):
            if average is None:
                continue
            value = variable.read_array()
            # The first step sets the average to the value.
            mean = rule.moving_average(average.read_array(), value, later.astype(value.dtype) * self.ema_momentum)
            average.assign(mean)
            if overwrite is not None:
                variable.assign(jnp.where(overwrite, mean, value))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Set the variables to their final values: with ``use_ema`` to their moving averages."""
        if not self.use_ema:
            return
        if len(var_list) != len(self._averages):
            raise ValueError(
                f"{self.name}: {len(var_list)} variables were given to be set to their averages, "
                f"but the optimizer keeps averages of {len(self._averages)}."
            )
        for variable, average in zip(var_list, self._averages, strict=True):
            if average is not None:
                variable.assign(average)

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leave variables out of weight decay; to be called before the optimizer is built.

        Args:
            var_list: variables.
            var_names: regular expressions; a variable is left out if one is found in its name (``["bias"]``).
        """
        if self.built:
            raise ValueError("`exclude_from_weight_decay()` can only be called before the optimizer is built.")
        self._excluded = (set(var_list or ()), re.compile("|".join(var_names)) if var_names else None)

    def _use_weight_decay(self, variable: Variable) -> bool:
        listed, pattern = self._excluded
        return variable not in listed and not (pattern and pattern.search(variable.name))


def array_of(value: Any) -> Any:
    """The array of a tensor or variable, anything else as it is."""
    if isinstance(value, Variable):
        return value.read_array()
    return value._value if isinstance(value, Tensor) else value
