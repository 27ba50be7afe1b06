"""``LossScaleOptimizer``: keeps small float16 gradients from vanishing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from hornbeam.base.check import no_unknown
from hornbeam.core.tensor import Tensor, wrap
from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.rule import run_either
from hornbeam.keras.optimizers.step import array_of
from hornbeam.keras.optimizers.wrapper import OptimizerWrapper
from hornbeam.keras.saving import serialization

# Configs of older files list the arguments of all optimizers, with these values.
_UNUSED = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


class LossScaleOptimizer(OptimizerWrapper):
    """Multiplies the loss by a scale that it adapts, and divides the gradients by it.

    If a gradient is infinite or not a number, the step is left out and the scale halved. After
    ``dynamic_growth_steps`` steps without such a gradient the scale is doubled.

    Args:
        inner_optimizer: the optimizer that makes the steps.
        initial_scale: first scale; a high one, since it falls much faster than it grows.
        dynamic_growth_steps: steps between two doublings.
        name: name.
        **kwargs: ``dynamic=False`` keeps the first scale for good; then no step is left out.

    Raises:
        ValueError: an argument that belongs to the inner optimizer is given.

    References: Keras ``optimizers.LossScaleOptimizer``; Micikevicius et al., 2018, section 3.2.
    """

    pure = True

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        dynamic = bool(kwargs.pop("dynamic", True))
        for argument, unused in _UNUSED.items():
            value = kwargs.pop(argument, unused)
            if value != unused:
                raise ValueError(
                    f"LossScaleOptimizer does not support `{argument}`: set it on the `inner_optimizer` instead. "
                    f"Received: {argument}={value!r}"
                )
        if kwargs:
            try:
                no_unknown(kwargs, owner="LossScaleOptimizer", known=("initial_scale", "dynamic_growth_steps", "name"))
            except TypeError as error:
                raise ValueError(str(error)) from None
        super().__init__([inner_optimizer], name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        self.dynamic = dynamic
        # Gradients would otherwise be divided twice.
        inner_optimizer.loss_scale_factor = None

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        self._make_scale()
        self.inner_optimizer.build(var_list)
        super().build(var_list)

    def _make_scale(self) -> None:
        """The variables that adapt the scale; `scale_loss` needs them before the first gradients come."""
        if "dynamic_scale" not in vars(self):
            self.step_counter = self._own(0, "step_counter", "int32", aggregation="none")
            self.dynamic_scale = self._own(float(self.initial_scale), "dynamic_scale", "float32", aggregation="none")

    def _extend(self, variables: Sequence[Variable]) -> None:
        if self.inner_optimizer.built:
            self.inner_optimizer._extend(variables)
        self._extend_common(variables)

    def _step(self, gradients: list, variables: list[Variable]) -> None:
        scale = self.dynamic_scale.read_array()

        def update() -> None:
            unscaled = [
                gradient if variable.overwrite_with_gradient else gradient / scale
                for gradient, variable in zip(gradients, variables, strict=True)
            ]
            self.inner_optimizer._run(unscaled, variables)
            if not self.dynamic:
                return
            count = self.step_counter.read_array() + 1
            grown = count == self.dynamic_growth_steps
            self.step_counter.assign(jnp.where(grown, 0, count))
            self.dynamic_scale.assign(jnp.where(grown, scale * 2.0, scale))

        def leave_out() -> None:
            self.step_counter.assign(jnp.zeros((), jnp.int32))
            self.dynamic_scale.assign(scale * 0.5)

        if self.dynamic:
            run_either(array_of(self.check_finite(gradients)), update, leave_out)
        else:
            update()

    def check_finite(self, grads: Sequence[Any]) -> Tensor:
        """True if every element of every gradient is finite; None is passed over."""
        arrays = [jnp.asarray(array_of(gradient)) for gradient in grads if gradient is not None]
        return wrap(jnp.stack([jnp.all(jnp.isfinite(array)) for array in arrays]).all())

    @property
    def learning_rate(self) -> Any:
        """Learning rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def iterations(self) -> Any:
        """Number of updates that the inner optimizer has made."""
        return self.inner_optimizer.iterations

    def scale_loss(self, loss: Any) -> Any:
        """The loss multiplied by the current scale; take gradients of this."""
        # The number itself would stay in a program that is captured before the first step.
        self._make_scale()
        return loss * self.dynamic_scale.value

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        config = {
            "name": self.name,
            "inner_optimizer": serialization.serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }
        return config if self.dynamic else config | {"dynamic": False}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> LossScaleOptimizer:
        rest = {key: value for key, value in config.items() if key not in ("inner_optimizer", "learning_rate")}
        inner = serialization.deserialize_keras_object(config["inner_optimizer"], custom_objects=custom_objects)
        return cls(inner, **rest)
