"""Factor and offset per channel, which three of the normalization layers have."""

from __future__ import annotations

from typing import Any

from hornbeam.keras import constraints, initializers, regularizers
from hornbeam.keras.layers.base.layer import Layer


class ScaleAndShift(Layer):
    """A layer with a factor ``gamma`` and an offset ``beta``, both in the variable dtype whatever the compute dtype."""

    pure = True
    center: bool
    scale: bool
    gamma: Any
    beta: Any

    def _take_parameters(
        self,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
    ) -> None:
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def _make_parameters(self, shape: tuple, *, gamma: bool, beta: bool) -> None:
        self.gamma = self.beta = None
        if gamma:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )
        if beta:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )
