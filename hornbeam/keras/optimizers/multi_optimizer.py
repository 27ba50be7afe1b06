"""``MultiOptimizer``: different optimizers for different variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.loss_scale_optimizer import LossScaleOptimizer
from hornbeam.keras.optimizers.optimizer import Optimizer
from hornbeam.keras.optimizers.wrapper import OptimizerWrapper
from hornbeam.keras.saving import serialization


class OptimizerMap(MutableMapping):
    """Maps paths of variables to optimizers.

    A path is looked up as it is; failing that, the keys are regular expressions, one of which must match the whole
    path; failing that, the default optimizer is meant.

    Args:
        default_optimizer: optimizer of variables that no key matches.
        optimizer_map: dict from paths or regular expressions to optimizers.

    Raises:
        TypeError: an argument is of the wrong type.

    References: Keras ``optimizers.OptimizerMap``.
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(
                f"OptimizerMap: `default_optimizer` takes a Keras optimizer. Received: {default_optimizer!r}"
            )
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"optimizer_map must be a dictionary. Received: {optimizer_map!r}")
        self._default_optimizer = default_optimizer
        self._optimizer_map = optimizer_map or {}

    @property
    def default_optimizer(self) -> Optimizer:
        """Optimizer of variables that no key matches."""
        return self._default_optimizer

    def __getitem__(self, key: str) -> Optimizer:
        found = self._optimizer_map.get(key)
        if found is not None:
            return found
        matching = [pattern for pattern in self._optimizer_map if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ValueError(f"Multiple optimizers assigned to variable {key}: the keys {matching} match it.")
        return self._optimizer_map[matching[0]] if matching else self._default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if key in self._optimizer_map:
            raise ValueError(
                f"OptimizerMap: '{key}' has an optimizer already, {self._optimizer_map[key]}. Delete the entry first."
            )
        if not isinstance(key, str):
            raise ValueError(f"key must be a string. Received: {key!r}")
        _check_inner(optimizer, f"key '{key}'")
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def __call__(self, variable: Variable) -> Optimizer:
        """The optimizer of a variable."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal map."""
        return {
            "default_optimizer": serialization.serialize_keras_object(self._default_optimizer),
            "optimizer_map": serialization.serialize_keras_object(self._optimizer_map),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> OptimizerMap:
        """A map from what ``get_config`` gave."""
        default, optimizers = (
            serialization.deserialize_keras_object(config[key], custom_objects=custom_objects)
            for key in ("default_optimizer", "optimizer_map")
        )
        return cls(default, optimizers)


class MultiOptimizer(OptimizerWrapper):
    """Hands each variable to an optimizer of its own.

    Learning rates belong to the inner ``optimizers``; this one has none.

    Args:
        optimizer_map: ``OptimizerMap``, or a function from a variable to its optimizer.
        loss_scale_factor: set on all the inner optimizers.
        name: name.

    References: Keras ``optimizers.MultiOptimizer``.
    """

    pure = True
    _choice: dict[Variable, Optimizer]

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        listed = list(optimizer_map.values()) if isinstance(optimizer_map, MutableMapping) else []
        default = getattr(optimizer_map, "default_optimizer", None)
        inner: list[Optimizer] = []
        for optimizer in [*listed, *([] if default is None else [default])]:
            if not any(known is optimizer for known in inner):
                inner.append(optimizer)
        super().__init__(inner, name, loss_scale_factor)
        self._optimizer_map = optimizer_map
        self.__dict__["_choice"] = {}
        self.loss_scale_factor = loss_scale_factor

    @property
    def optimizers(self) -> list[Optimizer]:
        """The inner optimizers."""
        return self._inner_optimizers

    def _chosen(self, variable: Variable) -> Optimizer:
        optimizer = self._choice.get(variable)
        if optimizer is None:
            optimizer = self._optimizer_map(variable)  # type: ignore[operator]
            _check_inner(optimizer, f"variable {variable.path}")
            if not any(known is optimizer for known in self._inner_optimizers):
                optimizer.loss_scale_factor = self.loss_scale_factor
                self._inner_optimizers.append(optimizer)
            self._choice[variable] = optimizer
        return optimizer

    def _grouped(self, variables: Sequence[Variable]) -> list[tuple[Optimizer, list[int]]]:
        """Optimizers that have variables among these, and the positions of those."""
        positions: dict[int, list[int]] = {}
        for position, variable in enumerate(variables):
            positions.setdefault(id(self._chosen(variable)), []).append(position)
        return [(o, positions[id(o)]) for o in self._inner_optimizers if id(o) in positions]

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        for optimizer, positions in self._grouped(var_list):
            optimizer.build([var_list[position] for position in positions])
        super().build(var_list)

    def _extend(self, variables: Sequence[Variable]) -> None:
        for optimizer, positions in self._grouped(variables):
            chosen = [variables[position] for position in positions]
            if optimizer.built:
                optimizer._extend(chosen)
            else:
                optimizer.build(chosen)
        self._extend_common(variables)

    def _without_missing(self, gradients: list, variables: list[Variable]) -> tuple[list, list[Variable]]:
        for optimizer, positions in self._grouped(variables):
            if all(gradients[position] is None for position in positions):
                raise ValueError(
                    f"No gradients provided for any variable of {optimizer.name}: "
                    f"{[variables[position].path for position in positions]}."
                )
        return super()._without_missing(gradients, variables)

    def _step(self, gradients: list, variables: list[Variable]) -> None:
        for optimizer, positions in self._grouped(variables):
            optimizer._run([gradients[p] for p in positions], [variables[p] for p in positions])
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        for optimizer, positions in self._grouped(var_list):
            optimizer.finalize_variable_values([var_list[position] for position in positions])

    @property
    def learning_rate(self) -> Any:
        """There is none: the inner optimizers have their own."""
        raise AttributeError("A MultiOptimizer has no learning rate; see those of its `optimizers`.")

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError("A MultiOptimizer has no learning rate; set those of its `optimizers`.")

    @property
    def loss_scale_factor(self) -> float | None:
        """Loss scale of all the inner optimizers."""
        return self.__dict__.get("_loss_scale_factor")

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        for optimizer in self.__dict__.get("_inner_optimizers", ()):
            optimizer.loss_scale_factor = value

    def get_config(self) -> dict[str, Any]:
        return {
            "optimizer_map": serialization.serialize_keras_object(self._optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> MultiOptimizer:
        optimizers = serialization.deserialize_keras_object(config["optimizer_map"], custom_objects=custom_objects)
        return cls(**{**config, "optimizer_map": optimizers})


def _check_inner(optimizer: Any, whose: str) -> None:
    if not isinstance(optimizer, Optimizer):
        raise ValueError(f"The optimizer of {whose} must be a Keras optimizer. Received: {optimizer!r}")
    if isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
        raise ValueError(f"optimizer of {whose} cannot be a {type(optimizer).__name__}.")
