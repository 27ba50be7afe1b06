"""``RuleOptimizer``: an optimizer made from slots and one pure function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.optimizer import Optimizer
from hornbeam.keras.optimizers.rule import Slot, cast
from hornbeam.keras.optimizers.step import array_of


class RuleOptimizer(Optimizer):
    """Base of optimizers whose update of one variable depends on that variable alone.

    A subclass says which slots it keeps (``slot_groups``) and how a step changes arrays (``rule``). Slots,
    variables that come later, and compilation are seen to here.
    """

    def slot_groups(self) -> tuple[tuple[Slot, ...], ...]:
        """Slots of each variable, in groups.

        The variables of one group are created variable by variable, the groups one after another; files that hold an
        optimizer's state by position depend on this order.
        """
        return ()

    def slots_of(self, variable: Variable) -> tuple[Slot, ...]:
        """Slots that this variable needs, of all the groups; by default all."""
        return tuple(slot for group in self.slot_groups() for slot in group)

    def rule(self, gradient: Any, value: Any, slots: tuple, learning_rate: Any, step: Any) -> tuple[Any, tuple]:
        """New value and new slots.

        Args:
            gradient: array of the variable's shape and dtype.
            value: the variable's array.
            slots: arrays, in the order of ``slots_of``.
            learning_rate: scalar of the variable's dtype.
            step: int32 scalar, 1 in the first step.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must override `rule(gradient, value, slots, learning_rate, step)`."
        )

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._add_slots(var_list)

    def _extend_common(self, variables: Sequence[Variable]) -> None:
        super()._extend_common(variables)
        self._add_slots(variables)

    def _add_slots(self, variables: Sequence[Variable]) -> None:
        for group in self.slot_groups():
            lists = [self.__dict__.setdefault(slot.attribute, []) for slot in group]
            for variable in variables:
                needed = () if variable.overwrite_with_gradient else self.slots_of(variable)
                for slot, slots in zip(group, lists, strict=True):
                    slots.append(self._new_slot(slot, variable) if slot in needed else None)

    def _new_slot(self, slot: Slot, variable: Variable) -> Variable:
        initial = slot.initial
        if callable(initial):
            return self.add_variable_from_reference(variable, slot.name, lambda shape, dtype: initial(variable))
        return self.add_variable_from_reference(variable, slot.name, initial)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable and its slots from its gradient."""
        index = self._get_variable_index(variable)
        slots = [self.__dict__[slot.attribute][index] for slot in self.slots_of(variable)]
        value = variable.read_array()
        new_value, new_slots = self.rule(
            cast(array_of(gradient), value),
            value,
            tuple(slot.read_array() for slot in slots),
            cast(array_of(learning_rate), value),
            self._updates_made() + 1,
        )
        for slot, array in zip(slots, new_slots, strict=True):
            slot.assign(array)
        variable.assign(new_value)
