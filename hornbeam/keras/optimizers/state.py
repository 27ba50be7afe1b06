"""What an optimizer owns: its variables, how they are made, saved and restored."""

from __future__ import annotations

import copy
import functools
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

from hornbeam.base import dtypes, settings
from hornbeam.base.errors import ShapeError
from hornbeam.core import scopes as scopes_module
from hornbeam.core.variable import Variable
from hornbeam.engine.jax_compat import wide_types
from hornbeam.keras import initializers
from hornbeam.keras.saving import serialization

_CONFIG = (
    "weight_decay",
    "clipnorm",
    "global_clipnorm",
    "clipvalue",
    "use_ema",
    "ema_momentum",
    "ema_overwrite_frequency",
    "loss_scale_factor",
    "gradient_accumulation_steps",
)


class OptimizerState:
    """Variables and configuration of an optimizer.

    Args:
        name: name of the optimizer, the first part of its variables' paths.
    """

    config_keys: tuple[str, ...] = ()
    """Attributes that ``get_config`` adds to those that all optimizers have, in order."""

    name: str
    built: bool
    _variables: list[Variable]  # own variables, in the order in which files hold them
    _trainable_variables: list[Variable]
    _indices: dict[Variable, int]
    _averages: list[Variable | None]
    _accumulated_gradients: list[Variable]
    _programs: dict[tuple, Any]  # compiled eager steps
    _version: int  # grows with every hyperparameter set; programs of others that include a step go by it
    _given_rate: Any  # the learning rate of the step being run, if it was computed outside of it
    _excluded: tuple[set[Variable], re.Pattern | None]  # from weight decay

    def __init__(self, name: str) -> None:
        self.__dict__.update(
            name=name,
            built=False,
            _variables=[],
            _trainable_variables=[],
            _indices={},
            _averages=[],
            _accumulated_gradients=[],
            _programs={},
            _version=0,
            _given_rate=None,
            _excluded=(set(), None),
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if "_variables" not in self.__dict__:
            raise RuntimeError(
                f"In optimizer '{type(self).__name__}', `super().__init__()` must be called in `__init__()` "
                f"before attributes are set. Received: {name}={value!r}"
            )
        if isinstance(getattr(type(self), name, None), property):
            super().__setattr__(name, value)
            return
        for item in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(item, Variable):
                self._track_variable(item)
        super().__setattr__(name, value)
        self._changed()

    def _changed(self) -> None:
        """Forget compiled steps: a hyperparameter is a constant in them."""
        self.__dict__["_programs"] = {}
        self.__dict__["_version"] = self._version + 1

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_programs": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    # --- variables -------------------------------------------------------------------------------
    @property
    def variables(self) -> list[Variable]:
        """The optimizer's own variables: step count, learning rate, slots."""
        return self._variables[:]

    def _track_variable(self, variable: Variable) -> None:
        if not any(known is variable for known in self._variables):
            self._variables.append(variable)

    def _own(
        self, initializer: Any, name: str | None, dtype: Any = None, shape: Any = None, **options: Any
    ) -> Variable:
        options.setdefault("aggregation", "only_first_replica")
        with scopes_module.override(names=(self.name,)):
            variable = Variable(initializer, shape=shape, dtype=dtype, trainable=False, name=name, **options)
        self._track_variable(variable)
        return variable

    def _disown(self, variable: Variable) -> None:
        self.__dict__["_variables"] = [known for known in self._variables if known is not variable]

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str | None = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Add a variable to the optimizer's state.

        Args:
            shape: sizes.
            initializer: initializer, its name, or a number for all elements.
            dtype: element type; default ``floatx``.
            aggregation: how replicas are combined.
            layout: layout over devices.
            name: name.
        """
        kind = dtypes.as_dtype(dtype or settings.floatx())
        return self._own(_initial(initializer), name, kind, shape, aggregation=aggregation, layout=layout)

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Add a variable of the shape and dtype of a model variable, named after it and ``name``."""
        path = getattr(reference_variable, "path", reference_variable.name)
        return self.add_variable(
            reference_variable.shape,
            initializer,
            reference_variable.dtype,
            layout=getattr(reference_variable, "_layout", None),
            name=f"{path}_{name or 'var'}".replace("/", "_").replace(":", "_"),
        )

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: str | Sequence[str], initializer: Any = "zeros"
    ) -> Any:
        """Add one slot, or several, for each model variable.

        Args:
            trainable_variables: the model's variables.
            name: name of the slot, or a list of names.
            initializer: initializer, or one for each name.

        Returns:
            A list of variables for each name (a list of lists if ``name`` is a list); None stands where the
            model variable is overwritten by its gradient and needs no slot.
        """
        slot_names = [name] if isinstance(name, str) else list(name)
        several = isinstance(initializer, (list, tuple))
        initials = list(initializer) if several else [initializer] * len(slot_names)
        if len(initials) != len(slot_names):
            raise ValueError(
                "The number of names must match the number of initializers. "
                f"Received: name={name!r}, initializer={initializer!r}"
            )
        lists: tuple[list[Any], ...] = tuple([] for _ in slot_names)
        for variable in trainable_variables:
            for slots, slot, initial in zip(lists, slot_names, initials, strict=True):
                needed = not getattr(variable, "overwrite_with_gradient", False)
                slots.append(self.add_variable_from_reference(variable, slot, initial) if needed else None)
        return lists[0] if isinstance(name, str) else lists

    def _get_variable_index(self, variable: Variable) -> int:
        return self._indices[variable]

    def assign(self, variable: Variable, value: Any) -> None:
        """Set a variable."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a variable."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a variable."""
        variable.assign_sub(value)

    # --- saving ----------------------------------------------------------------------------------
    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all variables of the optimizer, in the order of ``variables``.

        Raises:
            ValueError: the optimizer is not built, or a shape differs.
        """
        if not self.built:
            raise ValueError(
                f"`set_weights()` was called on {self.name}, which is not built and has no weights yet. "
                "Call `optimizer.build(trainable_variables)` first."
            )
        pairs = list(zip(self.variables, weights, strict=False))
        for variable, weight in pairs:
            if tuple(variable.shape) != tuple(weight.shape):
                raise ShapeError(
                    f"Optimizer variable {variable.path} has shape {tuple(variable.shape)}, "
                    f"which does not fit the given weight of shape {tuple(weight.shape)}."
                )
        for variable, weight in pairs:
            variable.assign(weight)

    def save_own_variables(self, store: Any) -> None:
        """Write the variables into a mapping, under ``"0"``, ``"1"`` ..."""
        for index, variable in enumerate(self.variables):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read the variables from a mapping that ``save_own_variables`` wrote; a warning if their number differs."""
        own = self.variables
        if len(store.keys()) != len(own):
            warnings.warn(
                f"Optimizer '{self.name}' keeps its own state: it has {len(own)} variables, the saved one "
                f"{len(store.keys())}."
                + ("" if self.built else " The optimizer was not built: call it, or its `build`, before loading."),
                stacklevel=2,
            )
            return
        for index, variable in enumerate(own):
            variable.assign(store[str(index)])

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal optimizer, without its state."""
        config = {"name": self.name, "learning_rate": self._learning_rate_config()}
        config.update((key, getattr(self, key)) for key in (*_CONFIG, *self.config_keys))
        if multipliers := self.__dict__.get("rate_multipliers"):
            config["rate_multipliers"] = dict(multipliers)
        return config

    def _learning_rate_config(self) -> Any:
        rate: Any = self._learning_rate  # type: ignore[attr-defined]
        return float(rate.numpy()) if isinstance(rate, Variable) else serialization.serialize_keras_object(rate)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """An optimizer from what ``get_config`` gave."""
        config = copy.copy(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = serialization.deserialize_keras_object(
                config["learning_rate"], custom_objects=custom_objects
            )
        return cls(**config)


def _initial(initializer: Any) -> Callable:
    if initializer == "zeros" if isinstance(initializer, str) else initializer is None:
        initializer = 0.0
    if isinstance(initializer, (int, float)):
        return functools.partial(_filled, initializer)
    return initializers.get(initializer)


def _filled(number: float, shape: Any, dtype: Any) -> Any:
    with wide_types(dtype in dtypes.WIDE):
        return jnp.full(shape, number, dtype)
