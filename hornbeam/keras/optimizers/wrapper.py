"""``OptimizerWrapper``: an optimizer that lets others make the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hornbeam.base.errors import explain
from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.optimizer import Optimizer


class OptimizerWrapper(Optimizer):
    """Base of optimizers around other optimizers.

    Args:
        inner: optimizers known from the start.
        name: name.
        loss_scale_factor: see ``Optimizer``.
    """

    _inner_optimizers: list[Optimizer]
    _inner_versions: tuple[int, ...]

    def __init__(self, inner: list[Optimizer], name: str | None = None, loss_scale_factor: float | None = None) -> None:
        super().__init__(0.0, name=name, loss_scale_factor=loss_scale_factor)
        for optimizer in inner:
            if not isinstance(optimizer, Optimizer):
                raise TypeError(
                    explain(
                        f"{type(self).__name__} wraps optimizers only.",
                        expected="an instance of keras.optimizers.Optimizer",
                        received=repr(optimizer),
                    )
                )
        self.__dict__["_inner_optimizers"] = list(inner)
        self.__dict__["_inner_versions"] = ()

    @property
    def variables(self) -> list[Variable]:
        """Own variables, followed by those of the inner optimizers."""
        return [*self._variables, *(v for optimizer in self._inner_optimizers for v in optimizer.variables)]

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        versions = tuple(optimizer._version for optimizer in self._inner_optimizers)
        if versions != self._inner_versions:
            # A hyperparameter of an inner optimizer was set: it is a constant in the compiled steps.
            self.__dict__["_inner_versions"] = versions
            self._changed()
        super().apply(grads, trainable_variables)

    def set_rate_multipliers(self, multipliers: Mapping[Any, float]) -> None:
        """See ``Optimizer``; the inner optimizers, which make the steps, take them."""
        for optimizer in self._inner_optimizers:
            optimizer.set_rate_multipliers(multipliers)

    def _is_pure(self) -> bool:
        return super()._is_pure() and all(
            optimizer._is_pure() and optimizer._rate_is_known for optimizer in self._inner_optimizers
        )
